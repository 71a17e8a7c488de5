"""What the component costs: start-up, memory and speed, beside the same code natively on one thread.

    cargo build --release --workspace --example native_play --features archer-session/bench
    make component
    PYTHON bench/embedding.py --native target/release/examples/native_play

PYTHON has the package wasmtime (scripts/setup installs it into target/tools/python). Memory is that of the instance,
the least in 64 kB steps in which the calls succeed; the compiled code and wasmtime itself come on top, and are
reported as the growth of the process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples/embed/python"))

import wasmtime
from archer_component import BUILT, ArcherError, Component
from guess import Guess

STUDENT = ROOT / "pkg/models/twenty-questions.archer"
OPENING = "Questions:"
MB = 1e6


def timed(call):
    begin = time.perf_counter()
    made = call()
    return made, time.perf_counter() - begin


def resident():
    """Bytes of memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def processor_seconds():
    """Seconds that this thread has computed; those of a busy machine in which it waited do not count."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[0]) / 1e9


class Yes:
    """A world in which every question is answered by "No.", for the cost of a fine-tune of the student."""

    name = "twenty_questions"
    max_turns = 20
    one_line = True

    def start(self, seed, task):
        return {"text": OPENING + "\n"}

    def act(self, state, said):
        return {"reply": "No.", "reward": -1}


def play(agent, seed, turns):
    talk = agent.start(OPENING, seed=seed)
    said = []
    for _ in range(turns):
        said.append(talk.say(sample=True, score=False, alternatives=0).text)
        talk.hear("No.")
    talk.close()
    return said


def least(component, work):
    """The least memory in which some work succeeds, as a multiple of 64 kB."""

    def fits(pages):
        try:
            work(component, pages << 16)
            return True
        except (ArcherError, wasmtime.WasmtimeError):
            return False

    low, high = 16, 4096
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high << 16


def load_and_play(component, memory):
    agent = component.instance(memory=memory).load(STUDENT.read_bytes())
    play(agent, 1, 20)


def load_and_tune(component, memory):
    world = Yes()
    agent = component.instance(world, memory=memory).load(STUDENT.read_bytes())
    agent.plan(world, iterations=1, games=64, set=[("warmup_iter", "0"), ("epochs", "1")])
    agent.step()


def create_and_tune(size):
    def work(component, memory):
        world = Guess()
        agent = component.instance(world, memory=memory).create(world, size=size)
        agent.plan(iterations=1, games=64)
        agent.step()

    return work


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--component", default=BUILT)
    parser.add_argument("--native", help="the example native_play; without it nothing is compared")
    parser.add_argument("--games", type=int, default=20)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="find the least memory, too: minutes")
    options = parser.parse_args()

    before = resident()
    component, seconds = timed(lambda: Component(options.component))
    print(f"compile: {seconds:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        compiled = os.path.join(folder, "archer.cwasm")
        Path(compiled).write_bytes(component.compiled.serialize())
        print(f"compiled file: {os.path.getsize(compiled) / MB:.1f} MB")
        component, seconds = timed(lambda: Component(compiled))
    print(f"start from the compiled file: {seconds * 1e3:.1f} ms")
    instance, seconds = timed(component.instance)
    print(f"instantiate: {seconds * 1e3:.1f} ms")
    file = STUDENT.read_bytes()
    agent, seconds = timed(lambda: instance.load(file))
    print(f"load the student: {seconds * 1e3:.0f} ms")
    play(agent, 0, options.turns)
    print(f"growth of the process: {(resident() - before) / MB:.0f} MB")

    if options.native:
        ratios = []
        for _ in range(options.rounds):
            arguments = [options.native, str(STUDENT), str(options.games), str(options.turns), OPENING]
            native = json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)
            begin = processor_seconds()
            said = [text for seed in range(1, options.games + 1) for text in play(agent, seed, options.turns)]
            seconds = processor_seconds() - begin
            same = sum(one == other for one, other in zip(said, native["said"]))
            ratios.append(native["processor"] / seconds)
            print(
                f"tokens/s: native {native['tokens'] / native['processor']:.0f}, component "
                f"{native['tokens'] / seconds:.0f}, ratio {ratios[-1]:.2f}; {same} of {len(said)} utterances the same"
            )
        print(f"median ratio: {sorted(ratios)[len(ratios) // 2]:.2f}")

    if options.memory:
        for name, work in [
            ("the student plays", load_and_play),
            ("a fine-tune of the student", load_and_tune),
            *((f"a new agent learns, {size}", create_and_tune(size)) for size in ("tiny", "small", "medium")),
        ]:
            print(f"memory, {name}: {least(component, work) / MB:.1f} MB")


if __name__ == "__main__":
    main()
