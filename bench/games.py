"""Games of Twenty Questions against `archer env`, for the iterations in PyTorch."""

import json
import subprocess
from collections import namedtuple

# Texts, as the world and the agent said them.
Turn = namedtuple("Turn", "state action reward after done")

GAMES, TURNS = 32, 20


class Worlds:
    """A server for each game, for one server plays one game at a time."""

    def __init__(self, archer):
        command = [archer, "env", "--name", "twenty_questions"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.servers = [subprocess.Popen(command, **pipes) for _ in range(GAMES)]

    def ask(self, lines):
        """Sends a line to each server named, and reads their replies."""
        for game, line in lines.items():
            self.servers[game].stdin.write(json.dumps(line) + "\n")
            self.servers[game].stdin.flush()
        return {game: json.loads(self.servers[game].stdout.readline()) for game in lines}

    def play(self, answer, leave):
        """One game each, to its end; `answer` gives an action for each of some states. Games that
        ended `leave` the batch, or are answered to the end of the last one."""
        begun = self.ask({game: {"cmd": "reset", "seed": game} for game in range(GAMES)})
        states = {game: reply["observation"] for game, reply in begun.items()}
        running, turns = set(states), []
        while running:
            asked = [game for game in states if game in running or not leave]
            actions = dict(zip(asked, answer([states[game] for game in asked])))
            lines = {game: {"cmd": "step", "action": actions[game]} for game in sorted(running)}
            for game, reply in self.ask(lines).items():
                done, after = reply["terminated"] or reply["truncated"], reply["observation"]
                turns.append(Turn(states[game], actions[game], reply["reward"], after, done))
                states[game] = after
                if done:
                    running.discard(game)
        return turns

    def close(self):
        for server in self.servers:
            server.stdin.close()
            server.wait()
