"""A world of one game, by reset and step; its argument says what is odd about it."""
import json
import sys

ODD = sys.argv[1] if len(sys.argv) > 1 else "none"
shown, place = "", 0
for line in sys.stdin:
    message = json.loads(line)
    if message["cmd"] == "reset":
        place = message["seed"] % 3
        shown = f"You are at {place}.\n"
        answer = {"observation": shown}
    elif message["cmd"] == "step":
        place += message["action"] == "right"
        new = f"You are at {place}.\n"
        shown = shown + message["action"] + "\n" + new if ODD == "growing" else new
        answer = {"observation": shown, "reward": float(place >= 4), "terminated": place >= 4,
                  "truncated": False}
        if ODD == "answer":
            answer |= {"observation": "board", "answer": f"Place {place}."}
        if ODD == "no reward":
            del answer["reward"]
        if ODD == "no observation":
            del answer["observation"]
        if ODD == "info":
            answer |= {"terminated": True, "info": {"is_success": False}, "choices": None}
    elif ODD == "dies":
        raise ValueError("what is " + message["cmd"])
    else:
        answer = {"error": "no such command"}
    print(json.dumps(answer), flush=True)
