#!/usr/bin/env python3
"""Answers the questions of an agent: `archer serve --model DIR`, then `python3 talk.py`.

Each line of the input is a reply to what the agent said last; the input's end ends the game. Python's
standard library alone.
"""

import http.client
import json
import sys
from urllib.parse import urlsplit

server = http.client.HTTPConnection(urlsplit(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080").netloc)


def ask(method, path, **fields):
    """What the server answers; its own sentence where it refuses."""
    server.request(method, path, json.dumps(fields) if method == "POST" else None)
    answer = server.getresponse()
    body = json.load(answer)
    if answer.status >= 400:
        sys.exit(f"{body['error']['code']}: {body['error']['message']}")
    return body


game = f"/games/{ask('POST', '/games', opening='Questions:')['id']}"
print(ask("POST", f"{game}/say")["text"])
for reply in sys.stdin:
    ask("POST", f"{game}/hear", reply=reply.strip())
    print(ask("POST", f"{game}/say")["text"])
print(f"{ask('DELETE', game)['turns']} replies")
