"""Gymnasium's FrozenLake-v1: its board as text, four choices. Needs `pip install gymnasium`.

    archer train --world "python3 examples/worlds/frozen_lake.py"

The ice does not slip; with the argument `slippery` it does.
"""
import json
import sys

import gymnasium

SLIPPERY = "slippery" in sys.argv
MOVES = ["left", "down", "right", "up"]  # in the order of Gymnasium's actions
ABOUT = {"name": "frozen_lake", "max_turns": 100, "memory": 0, "worst": 0.0, "protocol": 1,
         "best": None if SLIPPERY else 1.0}
games = {}


def board(env, place):
    """The map with the player as @: S start, F frozen, H hole, G goal."""
    rows = [[cell.decode() for cell in row] for row in env.unwrapped.desc]
    rows[place // len(rows[0])][place % len(rows[0])] = "@"
    return "\n".join("".join(row) for row in rows)


def answer(message):
    cmd, game = message["cmd"], message.get("game")
    if cmd == "about":
        return ABOUT
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "start":
        env = games[game] = gymnasium.make("FrozenLake-v1", is_slippery=SLIPPERY)
        place, _ = env.reset(seed=message["seed"])
        return {"game": game, "text": board(env, int(place)) + "\n", "choices": MOVES}
    if cmd == "act":
        env = games[game]
        if message["said"] not in MOVES:
            reply = board(env, int(env.unwrapped.s))
            return {"game": game, "reply": reply, "reward": 0.0, "end": "over", "invalid": True}
        place, reward, terminated, truncated, _ = env.step(MOVES.index(message["said"]))
        end = "won" if reward > 0 else "over" if terminated else "cut" if truncated else None
        reply = board(env, int(place))
        return {"game": game, "reply": reply, "reward": float(reward), "end": end, "choices": MOVES}
    games.pop(game).close()
    return {"game": game}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
