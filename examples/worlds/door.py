"""A door in ten lines: the key of its colour opens it. One game at a time, as Gymnasium has it.

    archer train --world "python3 examples/worlds/door.py"

A world of this form is run as many processes as there are games side by side.
"""
import json
import sys

KEYS = ["red key", "green key", "blue key"]
for line in sys.stdin:
    message = json.loads(line)
    if message["cmd"] == "reset":
        key = KEYS[message["seed"] % 3]
        answer = {"observation": f"The door is {key[:-4]}.\n", "choices": KEYS}
    elif message["cmd"] == "step":
        opens = message["action"] == key
        answer = {"observation": "It opens." if opens else "It does not turn.", "reward": float(opens),
                  "terminated": True, "truncated": False}
    else:
        answer = {"error": "say reset or step"}
    print(json.dumps(answer), flush=True)
