"""A world that does nothing, to measure what its door costs."""
import json
import sys


def answer(message):
    cmd = message["cmd"]
    if cmd == "batch":
        return {"of": [answer(one) for one in message["of"]]}
    if cmd == "about":
        return {"name": "idle", "max_turns": 1000000, "protocol": 1}
    if cmd == "start":
        return {"game": message["game"], "text": "Go.\n"}
    if cmd == "act":
        return {"game": message["game"], "reply": "No.", "reward": -1.0, "end": None, "choices": None}
    return {"game": message["game"]}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
