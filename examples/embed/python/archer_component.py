"""The component archer.wasm in Python, by the package wasmtime (pip install wasmtime).

The host grants nothing but what is written here: the games of worlds, and as much memory and fuel as it likes.
Names are those of wit/archer.wit with underscores. A world is an object with `name`, `max_turns`, and the two
functions of archer-web's WorldDefinition:

    start(seed, task) -> {"text": ..., "choices": [...], "state": ...}
    act(state, said)  -> {"reply": ..., "reward": ..., "end": ..., "choices": [...], "state": ...}
"""

from pathlib import Path
from types import SimpleNamespace

import wasmtime
from wasmtime import component as wit

VERSION = "0.1.0"
WORLDS = f"archer:agents/worlds@{VERSION}"
AGENTS = f"archer:agents/agents@{VERSION}"
ROOT = Path(__file__).resolve().parents[3]
BUILT = ROOT / "crates/component/dist/archer.wasm"


class ArcherError(Exception):
    """What the component refused: a code to act on, a sentence, and what to do about it."""

    def __init__(self, code, message, hint):
        super().__init__(f"{message} ({code}: {hint})")
        self.code, self.message, self.hint = code, message, hint


class Component:
    """The component, compiled. Every instance of it has a memory of its own."""

    def __init__(self, file=BUILT, fuel=False):
        config = wasmtime.Config()
        config.consume_fuel = fuel
        self.engine = wasmtime.Engine(config)
        self.fuel = fuel
        compiled = Path(file).suffix == ".cwasm"
        read = wit.Component.deserialize_file if compiled else wit.Component.from_file
        self.compiled = read(self.engine, str(file))

    def instance(self, *worlds, memory=None):
        """An instance that has these worlds, and at most so many bytes of memory."""
        return Instance(self, worlds, memory)


class Instance:
    """A running component. After a trap it is of no more use: make another, and load what was saved."""

    def __init__(self, component, worlds, memory):
        self.store = wasmtime.Store(component.engine)
        if memory is not None:
            self.store.set_limits(memory_size=memory)
        if component.fuel:
            self.refuel(1 << 62)
        self.worlds = {world.name: world for world in worlds}
        self.games = {}
        linker = wit.Linker(component.engine)
        with linker.root() as root, root.add_instance(WORLDS) as instance:
            instance.add_func("start", self._start)
            instance.add_func("act", self._act)
            instance.add_func("close", self._close)
        self.instance = linker.instantiate(self.store, component.compiled)
        self.agents = self.instance.get_export_index(self.store, AGENTS)
        self.functions = {}

    def refuel(self, fuel):
        """Grants so much fuel from now on: about one unit for an instruction."""
        self.store.set_fuel(fuel)

    def fuel(self):
        """What is left of it."""
        return self.store.get_fuel()

    def reserve(self, bytes):
        """Makes sure that so many bytes of memory are there, before a call that needs them."""
        self.call("reserve", bytes)

    def load(self, file):
        """The agent of a model file, given as bytes."""
        return Agent(self, self.call("[static]agent.load", file))

    def create(self, world, demonstrations=(), size="tiny", seed=1, algorithm="ppo", set=()):
        """An untrained agent for a world."""
        options = record(
            world=definition(world), demonstrations=[recorded(game) for game in demonstrations], size=size, seed=seed,
            algorithm=algorithm, set=list(set),
        )
        return Agent(self, self.call("[static]agent.create", options))

    def call(self, name, *arguments):
        """Calls what the component exports."""
        function = self.functions.get(name)
        if function is None:
            index = self.instance.get_export_index(self.store, name, self.agents)
            function = self.functions[name] = self.instance.get_func(self.store, index)
        result = function(self.store, *arguments)
        function.post_return(self.store)
        if isinstance(result, wit.Variant):
            result = result.payload
        if isinstance(result, wit.Record) and hasattr(result, "hint"):
            raise ArcherError(result.code, result.message, result.hint)
        return plain(result)

    def _start(self, _, start):
        def call():
            world = self.worlds[start.world]
            opening = world.start(start.seed, start.task)
            self.games[start.game] = (world, opening.get("state"))
            return record(text=opening["text"], choices=opening.get("choices"), task=opening.get("task"))

        return self._answer(call)

    def _act(self, _, game, said):
        def call():
            world, state = self.games[game]
            turn = world.act(state, said)
            self.games[game] = (world, turn.get("state", state))
            return record(
                reply=turn.get("reply", ""), reward=float(turn["reward"]), end=turn.get("end"),
                invalid=turn.get("invalid", False), choices=turn.get("choices"),
            )

        return self._answer(call)

    @staticmethod
    def _answer(call):
        try:
            return call()
        except Exception as error:  # whatever it is, it is the world's, and the agent is not to suffer for it
            return f"{type(error).__name__}: {error}"

    def _close(self, _, game):
        self.games.pop(game, None)


class Resource:
    """Something that lives in the component."""

    kind = ""

    def __init__(self, instance, handle):
        self.instance, self.handle = instance, handle

    def call(self, name, *arguments):
        return self.instance.call(f"[method]{self.kind}.{name}", self.handle, *arguments)

    def close(self):
        """Frees it."""
        self.handle.drop(self.instance.store)


class Agent(Resource):
    kind = "agent"

    @property
    def info(self):
        return self.call("info")

    def start(self, opening, choices=None, seed=1, exchanges=()):
        """Begins a conversation."""
        options = record(opening=opening, choices=choices, seed=seed, exchanges=list(exchanges))
        return Talk(self.instance, self.call("start", options))

    def plan(self, world=None, iterations=20, games=None, seed=1, resume=None, set=()):
        """Begins a fine-tune, whose steps are taken one by one."""
        options = record(
            world=definition(world), iterations=iterations, games=games, seed=seed, resume=resume, set=list(set)
        )
        return self.call("fine-tune", options)

    def step(self, pieces=None):
        """Learns for some pieces of an iteration: what it showed once it is done, and None before."""
        return self.call("step", pieces)

    def fine_tune(self, world=None, pieces=None, before=lambda: None, **options):
        """Learns by playing: what each iteration showed. `before` is called before every call of the component."""
        before()
        self.plan(world, **options)
        while True:
            before()
            update = self.step(pieces)
            if update is not None:
                yield update
                if update.finished and update.phase == "learn":
                    return

    def stop(self):
        """Gives up the iteration under way."""
        self.call("stop")

    def evaluate(self, games=100, seed=7, sample=False, world=None):
        """Plays games and summarises them."""
        return self.call("evaluate", record(games=games, seed=seed, sample=sample, world=definition(world)))

    def save(self, training=True):
        """The model file as bytes."""
        return self.call("save", training)


class Talk(Resource):
    kind = "talk"

    def say(self, sample=False, score=True, alternatives=5):
        """Lets the agent speak."""
        return self.call("say", record(sample=sample, score=score, alternatives=alternatives))

    def force(self, text):
        """Puts words into its mouth instead."""
        self.call("force", text)

    def hear(self, reply, choices=None):
        """Tells the reply to what was said."""
        self.call("hear", reply, choices)

    def score(self, texts):
        """Log-probability that the agent says each of these now."""
        return self.call("score", list(texts))

    def inspect(self, samples=16, also=()):
        """What the critic thinks."""
        return self.call("inspect", samples, list(also))


def record(**fields):
    """A record as wasmtime takes it."""
    made = wit.Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def plain(value):
    """A value of wasmtime with names that can be written in Python."""
    if isinstance(value, wit.Record):
        return SimpleNamespace(**{name.replace("-", "_"): plain(field) for name, field in vars(value).items()})
    return [plain(one) for one in value] if isinstance(value, list) else value


def definition(world):
    """What the component must know of a world."""
    if world is None:
        return None
    named = {"memory": None, "one_line": False, "tasks": None, "best": None, "worst": None, "settings": None}
    said = {name: getattr(world, name, default) for name, default in named.items()}
    return record(name=world.name, max_turns=world.max_turns, **said)


def recorded(game):
    """A game that was played: {"opening", "turns": [{"said", "reply", "reward"}], "end"}."""
    turns = [
        record(
            said=turn["said"], reply=turn.get("reply", ""), reward=float(turn.get("reward", 0)),
            choices=turn.get("choices"), imitate=turn.get("imitate", True),
        )
        for turn in game["turns"]
    ]
    return record(
        opening=game["opening"], choices=game.get("choices"), turns=turns, end=game.get("end"), task=game.get("task")
    )
