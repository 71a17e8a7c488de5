"""A peer of `archer serve` that shares no code with it: every route by its own description, and the socket.

    python3 serve_peer.py http://127.0.0.1:8080

The description must be valid OpenAPI 3.1; each request that is sent and each answer must be as it says; and
no route and no field may be left out.
"""

import asyncio
import http.client
import json
import sys
from urllib.parse import urlsplit

import jsonschema
import websockets
from openapi_spec_validator import validate

PLACE = urlsplit(sys.argv[1]).netloc
connection = http.client.HTTPConnection(PLACE)
seen = set()


def raw(method, path, body=None):
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


status, document = raw("GET", "/openapi.json")
assert status == 200
validate(document)
assert document["openapi"] == "3.1.0"


def check(schema, value):
    """Holds a value to a schema of the description, all of whose fields must be there in an answer."""
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def resolved(schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def ask(method, path, number=None, **fields):
    """Calls a route by its template, and gives the answer's body."""
    operation = document["paths"][path][method.lower()]
    seen.add((method, path))
    body = None
    if method == "POST":
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        check(schema, fields)
        missing = set(schema["properties"]) - set(fields)
        assert not missing, f"{path}: the test sends no {missing}"
        body = json.dumps(fields)
    status, answer = raw(method, path.replace("{id}", str(number)), body)
    assert str(status) in operation["responses"], f"{method} {path} answers {status}: {answer}"
    if status == 426:
        return answer
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    check(schema, answer)
    assert status < 300, answer
    described = resolved(schema).get("properties")
    # An answer has every field of its description, and no other.
    assert described is None or set(described) == set(answer), f"{path}: {answer}"
    return answer


def routes():
    model = ask("GET", "/model")
    assert model["parameters"]["critic"] > 0
    opening = ask(
        "POST", "/games", opening="Questions:", choices=["Is it alive?", "Is it a cat?"], seed=3,
        exchanges=[{"said": "Is it heavy?", "reply": "No.", "reward": -1.0}], open="Is it soft?",
    )
    number = opening["id"]
    assert opening["text"] == "Questions:\nIs it heavy? No.\n" and opening["open"] == "Is it soft?"
    ask("POST", "/games/{id}/hear", number, reply="Yes.", reward=-1.0, end=None, choices=["Is it a cat?", "Is it a dog?"])
    said = ask(
        "POST", "/games/{id}/say", number, choices=["Is it a cat?", "Is it a pen?"], sample=True,
        temperature=2.0, seed=5, alternatives=4,
    )
    assert said["text"] in ["Is it a cat?", "Is it a pen?"] and len(said["alternatives"]) == 1
    judged = ask("POST", "/games/{id}/inspect", number, samples=8, also=["Is it a dog?"])
    assert judged["said"]["text"] == said["text"] and len(judged["alternatives"]) == 2
    assert abs(ask("GET", "/games/{id}/inspect", number)["v1"] - judged["v1"]) < 1e-4
    assert len(ask("GET", "/games/{id}", number)["exchanges"]) == 2
    of = {"game": number}
    answers = ask("POST", "/batch", requests=[
        {"method": "start", "opening": "Questions:"},
        {"method": "hear", **of, "reply": "No."},
        {"method": "say", **of},
        {"method": "inspect", **of, "samples": 0},
        {"method": "game", **of},
        {"method": "close", **of},
        {"method": "close", **of},
    ])["answers"]
    assert ["error" in answer for answer in answers] == [False] * 6 + [True], answers
    assert ask("GET", "/health")["games"] == 1
    number = answers[0]["result"]["id"]
    ask("DELETE", "/games/{id}", number)
    assert ask("GET", "/socket")["error"]["code"] == "not_a_socket"
    ask("GET", "/openapi.json")
    for path, item in document["paths"].items():
        for method in set(item) - {"parameters"}:
            assert (method.upper(), path) in seen, f"{method} {path} is described and not tried"


async def socket():
    async with websockets.connect(f"ws://{PLACE}/socket") as peer:
        async def ask(**message):
            await peer.send(json.dumps(message))
            return json.loads(await peer.recv())

        begun = await ask(id=1, method="start", opening="Questions:")
        of = {"game": begun["result"]["id"]}
        assert begun["id"] == 1
        # Messages may be sent ahead; they are answered in their order.
        sent = [
            {"id": "a", "method": "say", **of},
            {"id": "b", "method": "hear", **of, "reply": "No."},
            {"id": "c", "method": "batch", "requests": [{"method": "say", **of}, {"method": "say", **of}]},
            {"id": "d", "method": "sing"},
            {"method": "close", **of},
        ]
        for message in sent:
            await peer.send(json.dumps(message))
        answers = [json.loads(await peer.recv()) for _ in sent]
        assert [answer["id"] for answer in answers] == ["a", "b", "c", "d", None]
        assert answers[1]["result"]["turns"] == 1
        first, second = answers[2]["result"]["answers"]
        assert "result" in first and second["error"]["code"] == "conflict", answers[2]
        assert answers[3]["error"]["code"] == "usage"
        for text in ["", "{", "[1]", "7"]:
            await peer.send(text)
            assert "error" in json.loads(await peer.recv()), text
        assert "error" in await ask(id=[1], method="start", opening="x")
        await peer.send(b"bytes")
        assert "error" in json.loads(await peer.recv())
    try:
        async with websockets.connect(f"ws://{PLACE}/socket", origin="http://example.org"):
            raise AssertionError("a page of another origin has a socket")
    except websockets.InvalidStatus as refused:
        assert refused.response.status_code == 403


routes()
asyncio.run(socket())
print("served")
