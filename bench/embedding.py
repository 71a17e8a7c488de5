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


def told(command):
    """What a program says as JSON."""
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compiled_host():
    """The host in C that plays: a host in Python takes a tenth of the time for itself."""
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
    interface, program = folder / "tools/wasmtime-c", folder / "embed-c/embedded_play"
    subprocess.run([ROOT / "scripts/wasmtime-c", sys.executable, interface], check=True)
    program.parent.mkdir(parents=True, exist_ok=True)
    of_host = [ROOT / "examples/embed/c" / name for name in ("archer.c", "wit.c")]
    sources = [ROOT / "bench/embedded_play.c", *of_host]
    library = [f"-L{interface}/lib", f"-Wl,-rpath,{interface}/lib", "-lwasmtime"]
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", f"-I{interface}/include"]
    subprocess.run(["cc", *flags, "-o", program, *sources, *library], check=True)
    return program


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


def used(instance, work):
    """Fuel that some work takes, in thousand million units."""
    before = instance.fuel()
    made = work()
    return made, (before - instance.fuel()) / 1e9


def fuel_of_learning(component, size):
    """Fuel of an iteration of an agent that is learning the world of guess.py, and of its largest piece."""
    world = Guess()
    instance = component.instance(world)
    agent = instance.create(world, size=size)
    left = [instance.fuel()]
    list(agent.fine_tune(iterations=1, games=64, pieces=1, before=lambda: left.append(instance.fuel())))
    left.append(instance.fuel())
    return (left[0] - left[-1]) / 1e9, max(one - other for one, other in zip(left, left[1:])) / 1e9


def show_fuel(file):
    component = Component(file, fuel=True)
    instance = component.instance()
    agent, loading = used(instance, lambda: instance.load(STUDENT.read_bytes()))
    print(f"fuel, thousand million units: loading the student {loading:.2f}")
    talk = agent.start(OPENING, seed=1)
    questions = []
    for _ in range(20):
        questions.append(used(instance, lambda: talk.say(sample=True, score=False, alternatives=0))[1])
        talk.hear("No.")
    print(f"fuel: a question {min(questions):.3f} to {max(questions):.3f}")
    for size in ("tiny", "small", "medium"):
        iteration, piece = fuel_of_learning(component, size)
        print(f"fuel, {size}: an iteration of 64 games {iteration:.1f}, its largest piece {piece:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--component", default=BUILT)
    parser.add_argument("--native", help="the example native_play; without it nothing is compared")
    parser.add_argument("--games", type=int, default=20)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="find the least memory, too: minutes")
    parser.add_argument("--fuel", action="store_true", help="count the fuel of the same work, too")
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
        host = compiled_host()
        ratios = []
        for _ in range(options.rounds):
            work = [str(STUDENT), str(options.games), str(options.turns), OPENING]
            native, embedded = told([options.native, *work]), told([host, options.component, *work])
            same = sum(one == other for one, other in zip(embedded["said"], native["said"]))
            ratios.append(native["processor"] / embedded["processor"])
            print(
                f"tokens/s: native {native['tokens'] / native['processor']:.0f}, component "
                f"{native['tokens'] / embedded['processor']:.0f}, ratio {ratios[-1]:.2f}; "
                f"{same} of {len(embedded['said'])} utterances the same"
            )
        print(f"median ratio: {sorted(ratios)[len(ratios) // 2]:.2f}")

    if options.memory:
        for name, work in [
            ("the student plays", load_and_play),
            ("a fine-tune of the student", load_and_tune),
            *((f"a new agent learns, {size}", create_and_tune(size)) for size in ("tiny", "small", "medium")),
        ]:
            print(f"memory, {name}: {least(component, work) / MB:.1f} MB")

    if options.fuel:
        show_fuel(options.component)


if __name__ == "__main__":
    main()
