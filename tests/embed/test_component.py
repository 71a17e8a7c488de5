"""The component in a host that grants it nothing but a world: what it asks for, what it learns, and what is left of
it where memory or fuel runs out. `scripts/test-embed` runs these.
"""

import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/embed/python"))

import wasmtime
from archer_component import AGENTS, BUILT, WORLDS, ArcherError, Component
from guess import Guess

STUDENT = ROOT / "pkg/models/twenty-questions.archer"


class Door:
    """"take" and then "open" wins. `fails` is what goes wrong."""

    name = "door"
    max_turns = 4
    best = 1.0
    choices = ["open", "take", "wait"]
    fails = None

    def start(self, seed, task):
        return {"text": "A locked door. A key lies here.", "choices": self.choices, "state": False}

    def act(self, key, said):
        if self.fails == "raises":
            raise ValueError("the door is stuck")
        if self.fails == "reward":
            return {"reply": "", "reward": float("nan"), "choices": self.choices}
        if said == "take" and not key:
            return {"reply": "You have the key.", "reward": 0, "choices": self.choices, "state": True}
        if said == "open" and key:
            return {"reply": "It opens.", "reward": 1, "end": "won"}
        return {"reply": "Nothing happens.", "reward": -0.1, "choices": self.choices}


class ComponentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.component = Component()
        cls.metered = Component(fuel=True)

    def instance(self, **options):
        door = Door()
        return door, self.component.instance(door, **options)

    def refused(self, code, call):
        with self.assertRaises(ArcherError) as caught:
            call()
        self.assertEqual(caught.exception.code, code)
        self.assertTrue(caught.exception.hint)
        return caught.exception.message

    def test_it_imports_a_world_and_nothing_else(self):
        kind = self.component.compiled.type
        self.assertEqual(list(kind.imports(self.component.engine)), [WORLDS])
        self.assertEqual(list(kind.exports(self.component.engine)), [AGENTS])

    def test_a_world_of_the_host_is_learned(self):
        door, instance = self.instance()
        agent = instance.create(door)
        self.assertLess(agent.evaluate(games=40).mean_return, 0.9)
        updates = list(agent.fine_tune(iterations=15, games=32))
        self.assertEqual([update.iteration for update in updates], list(range(1, 16)))
        self.assertTrue(updates[-1].finished and updates[-1].games == 32)
        self.assertGreater(agent.evaluate(games=40).mean_return, 0.9)
        self.assertEqual(instance.games, {}, "every game was closed")
        talk = agent.start(door.start(0, None)["text"], door.choices)
        said = talk.say()
        self.assertEqual(said.text, "take")
        self.assertLess(said.log_prob, 0)
        self.assertEqual({said.text, *(other.text for other in said.alternatives)}, set(door.choices))
        self.refused("usage", talk.say)
        talk.hear("You have the key.", door.choices)
        self.refused("usage", lambda: talk.hear("Again?"))
        scores = dict(zip(door.choices, talk.score(door.choices)))
        self.assertEqual(max(scores, key=scores.get), "open")
        self.assertIn("critic", self.refused("usage", talk.inspect))

    def test_pieces_and_another_instance_change_nothing(self):
        files = []
        for pieces in (None, 1):
            door, instance = self.instance()
            agent = instance.create(door, seed=3)
            list(agent.fine_tune(iterations=2, games=8, seed=3, pieces=pieces))
            files.append(agent.save())
        door, instance = self.instance()
        agent = instance.create(door, seed=3)
        list(agent.fine_tune(iterations=1, games=8, seed=3))
        _, other = self.instance()
        agent = other.load(agent.save())
        list(agent.fine_tune(Door(), iterations=1, resume=True))
        files.append(agent.save())
        self.assertEqual(files[0], files[1])
        self.assertEqual(files[0], files[2])

    def test_what_is_wrong_is_an_error_and_the_agent_stays(self):
        door, instance = self.instance()
        self.refused("bad-model", lambda: instance.load(b"no model"))
        file = STUDENT.read_bytes()
        self.refused("bad-model", lambda: instance.load(file[: len(file) // 2]))
        agent = instance.create(door)
        saved = agent.save()
        altered = bytearray(saved)
        altered[len(saved) // 2] ^= 1
        self.refused("bad-model", lambda: instance.load(bytes(altered)))
        self.refused("usage", lambda: agent.plan(iterations=0))
        self.refused("usage", lambda: agent.plan(set=[("no_such_key", "1")]))
        self.assertIn("JSON", self.refused("usage", lambda: agent.plan(set=[("lm_lr", "fast")])))
        self.refused("usage", lambda: agent.evaluate(games=0))
        self.refused("usage", agent.step)
        agent.plan(iterations=1, games=4)
        door.fails = "raises"
        self.assertIn("the door is stuck", self.refused("world", agent.step))
        door.fails = "reward"
        self.assertIn("finite", self.refused("world", agent.step))
        self.refused("world", lambda: agent.evaluate(games=4))
        door.fails = None
        agent.plan(iterations=1, games=4)
        self.assertTrue(agent.step().finished)

    def test_where_memory_ends_there_is_an_error_and_a_sound_agent(self):
        door, instance = self.instance(memory=24 << 20)
        agent = instance.create(door)
        self.refused("out-of-memory", lambda: instance.reserve(64 << 20))
        agent.plan(iterations=1, games=4096)
        saved = agent.save()
        self.refused("out-of-memory", agent.step)
        self.assertEqual(agent.save(), saved)
        talk = agent.start("A locked door. A key lies here.", door.choices)
        self.assertIn(talk.say().text, door.choices)
        agent.plan(iterations=1, games=4)
        self.assertTrue(agent.step().finished)

    def test_work_within_fuel_and_what_goes_on_after_it_ran_out(self):
        door = Door()
        instance = self.metered.instance(door)
        agent = instance.create(door)
        most = 0

        def refuel():
            nonlocal most
            most = max(most, FUEL - instance.fuel())
            instance.refuel(FUEL)

        instance.refuel(FUEL)
        updates = list(agent.fine_tune(iterations=2, games=16, pieces=1, before=refuel))
        self.assertEqual(len(updates), 2)
        self.assertGreater(most, FUEL // 1000, "a piece is work")
        saved = agent.save()
        agent.plan(iterations=1, games=16)
        instance.refuel(FUEL // 1000)
        with self.assertRaises(wasmtime.WasmtimeError):
            agent.step()
        with self.assertRaises(wasmtime.WasmtimeError):
            agent.save()
        instance = self.metered.instance(door)
        agent = instance.load(saved)
        self.assertEqual(agent.info.iterations, 2)
        self.assertTrue(list(agent.fine_tune(door, iterations=1, resume=True))[-1].finished)

    def test_the_shipped_student_plays_in_little_memory(self):
        instance = self.component.instance(memory=PLAY)
        agent = instance.load(STUDENT.read_bytes())
        info = agent.info
        self.assertEqual((info.world, info.max_turns, info.changed), ("twenty_questions", 20, False))
        talk = agent.start("Questions:\n", seed=1)
        asked = []
        for _ in range(info.max_turns):
            asked.append(talk.say(score=False, alternatives=0).text)
            talk.hear("No.")
        self.assertEqual(len(set(asked)), len(asked), "no question is asked twice")
        self.assertTrue(all(re.fullmatch(r"[A-Z][^\n]*\?", question) for question in asked), asked)

    def test_guess_trains_a_world_of_python(self):
        program = [sys.executable, str(ROOT / "examples/embed/python/guess.py"), "--iterations", "25"]
        told = subprocess.run(program, capture_output=True, text=True)
        self.assertEqual(told.returncode, 0, told.stderr)
        before, after = (float(re.search(rf"{word}: return (\S+?)[;,]", told.stdout)[1]) for word in ("untrained", "\ntrained"))
        self.assertGreater(after, before + 1, told.stdout)
        self.assertIn("Right.", told.stdout)


#: Units that the dearest piece of the test needs, with room to spare.
FUEL = 2_000_000_000
#: Bytes in which the student plays.
PLAY = 16_000_000

if __name__ == "__main__":
    assert BUILT.exists(), f"{BUILT} is missing: make component builds it"
    unittest.main()
