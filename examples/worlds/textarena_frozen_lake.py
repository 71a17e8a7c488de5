"""TextArena's FrozenLake-v0: a lake of 4 × 4 with 3 holes. Needs `pip install textarena==0.7.4`.

    archer train --world "python3 examples/worlds/textarena_frozen_lake.py"

The agent reads the present board only: P itself, H a hole, G the goal. Moves off the board, which the
game counts as invalid, are no choices.
"""
import json
import sys

out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
import textarena

TURNS = 101  # the limit of the game
ABOUT = {"name": "textarena_frozen_lake", "max_turns": TURNS, "memory": 0, "best": 1.0, "worst": 0.0,
         "protocol": 1}
games = {}  # for each game: its environment, the turns so far


def board(env):
    """The rows of the board that was shown last, one letter a field."""
    _, text = env.get_observation()
    lines = [line for line in text.split("Current Board:")[-1].split("\n") if line.startswith("|")]
    return ["".join((field.strip() or ".")[0] for field in line[1:-1].split("|")) for line in lines]


def choices(rows):
    y, x = next((y, row.index("P")) for y, row in enumerate(rows) if "P" in row)
    ways = {"up": y > 0, "down": y < len(rows) - 1, "left": x > 0, "right": x < len(rows[0]) - 1}
    return [way for way, free in ways.items() if free]


def answer(message):
    cmd, game = message["cmd"], message.get("game")
    if cmd == "about":
        return ABOUT
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "start":
        env = textarena.make("FrozenLake-v0")
        env.reset(num_players=1, seed=message["seed"])
        games[game], rows = (env, 0), board(env)
        return {"game": game, "text": "\n".join(rows) + "\n", "choices": choices(rows)}
    if cmd == "act":
        env, turns = games[game][0], games[game][1] + 1
        games[game] = env, turns
        done, _ = env.step(f"[{message['said']}]")
        rows = board(env)
        turn = {"game": game, "reply": "\n".join(rows), "reward": 0.0, "choices": choices(rows)}
        if done:
            turn["reward"] = float(env.close()[0][0])
            turn["end"] = "won" if turn["reward"] == 1 else "cut" if turns == TURNS else "over"
        return turn
    return {"game": game, "closed": games.pop(game, None) is not None}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=out, flush=True)
