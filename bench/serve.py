"""How fast `archer serve` is beside `archer eval`, which plays the same games without a server.

    python3 bench/serve.py --archer target/release/archer --model models/twenty-questions

The world's replies come from `archer env` over a pipe, many games a line; the agent's utterances from the
server, over one connection. Python's standard library alone.
"""

import argparse
import http.client
import json
import re
import statistics
import subprocess
import time

arguments = argparse.ArgumentParser()
arguments.add_argument("--archer", default="target/release/archer")
arguments.add_argument("--model", default="models/twenty-questions")
arguments.add_argument("--games", type=int, default=320)
arguments.add_argument("--width", type=int, default=32, help="games side by side")
arguments.add_argument("--runs", type=int, default=3)
options = arguments.parse_args()

server = subprocess.Popen(
    [options.archer, "serve", "--model", options.model, "--port", "0"], stdout=subprocess.PIPE, text=True
)
place = re.search(r"http://([^;]+);", server.stdout.readline()).group(1)
connection = http.client.HTTPConnection(place)
world = subprocess.Popen(
    [options.archer, "env"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
)


def ask(method, path, **fields):
    connection.request(method, path, json.dumps(fields) if method == "POST" else None)
    answer = json.loads(connection.getresponse().read())
    assert "error" not in answer, answer
    return answer


def batch(requests):
    answers = ask("POST", "/batch", requests=requests)["answers"]
    assert all("result" in answer for answer in answers), answers
    return [answer["result"] for answer in answers]


def act(requests):
    world.stdin.write(json.dumps({"cmd": "batch", "of": requests}) + "\n")
    world.stdin.flush()
    return json.loads(world.stdout.readline())["of"]


def play(first, width):
    """Plays games side by side; gives the number of utterances."""
    openings = act([{"cmd": "start", "game": n, "seed": first + n, "task": None} for n in range(width)])
    starts = [{"method": "start", "opening": opening["text"]} for opening in openings]
    games = {n: game["id"] for n, game in enumerate(batch(starts))}
    calls, said = [], 0
    while games:
        calls += [{"method": "say", "game": game} for game in games.values()]
        answers = {answer["game"]: answer["text"] for answer in batch(calls) if "text" in answer}
        said += len(games)
        turns = act([{"cmd": "act", "game": n, "said": answers[game]} for n, game in games.items()])
        calls = []
        for turn in turns:
            game = games[turn["game"]]
            calls.append({"method": "hear", "game": game, "reply": turn["reply"], "end": turn.get("end")})
            if turn.get("end"):
                calls.append({"method": "close", "game": game})
                del games[turn["game"]]
    batch(calls)
    return said


def rate(work):
    """Things done in a second: the median of some runs."""
    rates = []
    for _ in range(options.runs):
        begun = time.perf_counter()
        rates.append(work() / (time.perf_counter() - begun))
    return statistics.median(rates)


def health():
    for _ in range(2000):
        ask("GET", "/health")
    return 2000


def turns():
    """One client that hears and says, turn by turn, in games of ten turns."""
    for _ in range(20):
        game = f"/games/{ask('POST', '/games', opening='Questions:')['id']}"
        for _ in range(10):
            ask("POST", f"{game}/say")
            ask("POST", f"{game}/hear", reply="No.")
        ask("DELETE", game)
    return 20 * 10


def side_by_side():
    for first in range(0, options.games, options.width):
        play(first, options.width)
    return options.games


def evaluation():
    count = ["--games", str(options.games)]
    subprocess.run([options.archer, "eval", "--model", options.model, *count, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return options.games


play(0, 2)
print(f"GET /health, one client:            {rate(health):8.0f} requests/s")
print(f"hear and say, one client, one game: {rate(turns):8.0f} turns/s")
print(f"{options.width} games in a batch:              {rate(side_by_side):8.1f} games/s")
print(f"archer eval, loading included:      {rate(evaluation):8.1f} games/s")
server.terminate()
assert server.wait() == 0
world.stdin.close()
world.wait()
