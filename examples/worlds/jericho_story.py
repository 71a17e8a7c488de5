"""A text adventure for the Z-machine, by `pip install jericho`. One game at a time.

    archer train --world "python3 examples/worlds/jericho_story.py STORY.z5" --set world.max_turns=60
    archer train --world "python3 examples/worlds/jericho_story.py STORY.z5 north,take key,unlock door"

Points of the story are the reward. The commands after the story are the choices of every turn. Without
them the choices are what jericho finds to be possible, in the stories that it knows.
"""
import json
import re
import sys

out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
import jericho

story = sys.argv[1]
commands = sys.argv[2].split(",") if len(sys.argv) > 2 else None
env = jericho.FrotzEnv(story)
# Where jericho does not know the story, its library of the parser says the points in words.
POINTS = re.compile(r"score has (?:just )?gone (up|down) by ([\w-]+) points?")
WORDS = "zero one two three four five six seven eight nine ten".split()


def choices():
    return commands or sorted(env.get_valid_actions()) or None


def points_in(text):
    total = 0
    for way, number in POINTS.findall(text):
        value = WORDS.index(number) if number in WORDS else int(number)
        total += value if way == "up" else -value
    return total


def tidy(text):
    return " ".join(text.replace(">", " ").split())


for line in sys.stdin:
    message = json.loads(line)
    if message["cmd"] == "reset":
        env.seed(message["seed"] % 2**31 or 1)
        text, _ = env.reset()
        answer = {"observation": tidy(text) + "\n", "choices": choices()}
    elif message["cmd"] == "step":
        text, reward, done, _ = env.step(message["action"])
        if not env.is_fully_supported:
            reward, done = points_in(text), done or "*** " in text
        won = env.victory() or "*** You have won ***" in text
        answer = {"observation": tidy(text), "reward": float(reward), "terminated": done, "truncated": False,
                  "won": won, "choices": None if done else choices()}
    else:
        answer = {"error": "say reset or step"}
    print(json.dumps(answer), file=out, flush=True)
