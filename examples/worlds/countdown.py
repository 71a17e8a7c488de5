"""Countdown in plain Python: reach a number with two of three numbers at a time.

    archer train --world "python3 examples/worlds/countdown.py"

Each line of standard input is a request and gets one line back. All moves are listed as choices, so an
agent can begin without demonstrations. There are 24 puzzles, which are the tasks.
"""
import json
import random
import sys

OPERATIONS = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}
ABOUT = {"name": "countdown", "max_turns": 2, "tasks": 24, "best": 1.0, "worst": 0.0, "protocol": 1}
games = {}  # for each game: the target, the numbers that are left


def moves(numbers):
    """What can be said, and the numbers that are left after it; the larger number stands first."""
    found = {}
    for i, a in enumerate(numbers):
        for b in numbers[i + 1:]:
            for sign, operation in OPERATIONS.items():
                rest = sorted(numbers)
                rest.remove(a), rest.remove(b)
                found[f"{max(a, b)}{sign}{min(a, b)}"] = rest + [operation(max(a, b), min(a, b))]
    return found


def puzzle(task):
    dice = random.Random(task)
    numbers = sorted(dice.randint(2, 9) for _ in range(3))
    left = dice.choice(sorted(moves(numbers).items()))[1]
    return dice.choice(sorted(moves(left).items()))[1][0], numbers


def answer(message):
    cmd, game = message["cmd"], message.get("game")
    if cmd == "about":
        return ABOUT
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "start":
        task = message["seed"] % ABOUT["tasks"] if message["task"] is None else message["task"]
        target, numbers = games[game] = puzzle(task)
        text = f"Reach {target} from {' '.join(map(str, numbers))}.\n"
        return {"game": game, "text": text, "choices": list(moves(numbers)), "task": task}
    if cmd == "act":
        target, numbers = games[game]
        numbers = moves(numbers).get(message["said"], numbers[-1:])
        games[game] = target, numbers
        won = target in numbers
        end = "won" if won else "over" if len(numbers) == 1 else None
        reply = f"{numbers[-1]}. Done." if won else f"{' '.join(map(str, numbers))} left."
        choices = None if end else list(moves(numbers))
        return {"game": game, "reply": reply, "reward": float(won), "end": end, "choices": choices}
    return {"game": game, "closed": games.pop(game, None) is not None}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
