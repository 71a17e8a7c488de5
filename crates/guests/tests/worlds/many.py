"""A world that plays many games and, as its argument says, breaks one rule."""
import json
import sys
import time

FAULT = sys.argv[1] if len(sys.argv) > 1 else "none"
ABOUT = {"name": "faulty", "max_turns": 3, "protocol": 1, "notes": "ignored"}
games, asked, starts = {}, 0, 0


def started(game):
    global starts
    starts += 1
    games[game] = 0
    assert len(games) <= 400, "games are not closed"
    text = f"Go {starts}.\n" if FAULT == "drift" else "Go.\n"
    choices = {"empty": [], "equal": ["a", "a"], "prefix": ["move", "move on"]}.get(FAULT)
    return {"game": game, "text": "" if FAULT == "opening" else text, "choices": choices}


def acted(game):
    games[game] += 1
    if FAULT == "die":
        raise ValueError("the dice are gone")
    if FAULT == "hang":
        time.sleep(1000)
    reward = {"nan": float("nan"), "text": "one", "huge": 1e300}.get(FAULT, 0.5)
    answer = {"game": game, "reply": f"turn {games[game]}", "reward": reward}
    if games[game] == 2 and FAULT != "endless":
        answer["end"] = "won"
    if FAULT == "wrong game":
        answer["game"] = game + 1
    if FAULT == "no reply":
        del answer["reply"]
    if FAULT == "no game":
        del answer["game"]
    if FAULT == "bad end":
        answer["end"] = "victory"
    if FAULT == "long":
        answer["reply"] = "x" * (17 << 20)
    if FAULT == "long reply":
        answer["reply"] = "x" * (10 << 20)
    if FAULT == "long game":
        answer["game"] = "7" * (1 << 20)
    if FAULT == "refuse":
        return {"error": "not today"}
    return answer


def answer(message):
    cmd = message["cmd"]
    if cmd == "about":
        if FAULT == "long name":
            ABOUT["name"] = "x" * (1 << 20)
        return {key: value for key, value in ABOUT.items() if FAULT != f"no {key}"} | (
            {"protocol": 2} if FAULT == "protocol" else {})
    if cmd == "batch":
        of = [answer(one) for one in message["of"]]
        return {"of": of[:-1] if FAULT == "short" else of}
    if cmd == "start":
        return started(message["game"])
    if cmd == "act":
        return acted(message["game"])
    del games[message["game"]]
    return {"game": message["game"], "open": len(games)}


if FAULT == "noise":
    print("Loading the model", flush=True)
print("a note on standard error", file=sys.stderr)
for line in sys.stdin:
    out = json.dumps(answer(json.loads(line)))
    while FAULT == "flood":
        print(out)
    print(out + "\n" + out if FAULT == "twice" else out, flush=True)
