"""A door as an OpenEnv server: the key of its colour opens it. Needs `pip install openenv`.

    python3 examples/worlds/openenv_server.py 8000
    archer train --world ws://127.0.0.1:8000/ws

Each connection is a session with an environment of its own; 16 may be open at once.
"""
import sys

import uvicorn
from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app

KEYS = ["red key", "green key", "blue key"]


class Say(Action):
    message: str


class Shown(Observation):
    prompt: str
    choices: list[str] | None = None


class Door(Environment[Say, Shown, State]):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        super().__init__()
        self.key, self.now = KEYS[0], State()

    def reset(self, seed=None, episode_id=None, **_):
        self.key = KEYS[(seed or 0) % 3]
        self.now = State(episode_id=episode_id, step_count=0)
        return Shown(prompt=f"The door is {self.key[:-4]}.\n", choices=KEYS)

    def step(self, action, timeout_s=None, **_):
        self.now.step_count += 1
        opens = action.message == self.key
        prompt = "It opens." if opens else "It does not turn."
        return Shown(prompt=prompt, reward=float(opens), done=True, metadata={"won": opens})

    @property
    def state(self):
        return self.now


app = create_fastapi_app(Door, Say, Shown, max_concurrent_envs=16)

if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="info")
