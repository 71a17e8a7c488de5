"""TextArena's GuessTheNumber-v0: 1 to 20 in 10 turns. Needs `pip install textarena==0.7.4`.

    archer train --world "python3 examples/worlds/textarena_guess_number.py"

The agent reads the line of the instructions that says the task, and the game's message of each turn.
"""
import json
import sys

out, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
import textarena

NUMBERS = [str(number) for number in range(1, 21)]
# The game takes one guess more than its text says.
ABOUT = {"name": "guess_number", "max_turns": 11, "best": 1.0, "worst": 0.0, "protocol": 1,
         "style": {"after_utterance": " ", "after_reply": "\n"}}
games = {}  # for each game: its environment, what was not guessed yet


def message_of(env):
    """What the game said last."""
    _, text = env.get_observation()
    return text.split("[GAME] ")[-1].strip()


def answer(message):
    cmd, game = message["cmd"], message.get("game")
    if cmd == "about":
        return ABOUT
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "start":
        env = textarena.make("GuessTheNumber-v0")
        env.reset(num_players=1, seed=message["seed"])
        games[game] = env, NUMBERS
        task = next(line for line in message_of(env).split("\n") if "within" in line)
        return {"game": game, "text": task + "\n", "choices": NUMBERS}
    if cmd == "act":
        env, left = games[game]
        left = [number for number in left if number != message["said"]]
        games[game] = env, left
        done, _ = env.step(f"[{message['said']}]")
        if not done:
            return {"game": game, "reply": message_of(env), "reward": 0.0, "choices": left}
        rewards, info = env.close()
        end = "won" if rewards[0] == 1 else "over"
        return {"game": game, "reply": info[0]["reason"], "reward": float(rewards[0]), "end": end}
    return {"game": game, "closed": games.pop(game, None) is not None}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=out, flush=True)
