"""How a run scales over processes: measured on this machine, and what a model on paper says of more.

    cargo build --release --features archer-cli/mpi
    python bench/scaling.py --archer target/release/archer --model DIR     measures, then predicts
    python bench/scaling.py --predict                                      predicts only

DIR is a model of size S in GPT-2's layout (docs/performance.md). An iteration is the `iter` of `archer bench`: 32 games, 20
steps of the critic and 3 of the actor on 32 transitions each, in 4 parts. Ranks have one thread each.
Variants are run in turns, so that a machine that grows busy or warm tells on all.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

ITERATION = """--preset quickstart --seed 1 --final-games 0 --quiet --set warm_start.steps=0
--set rollout_size=32 --set batch_size=8 --set grad_accum_steps=4 --set epochs=20 --set actor_epochs=3
--set warmup_iter=0 --set eval_freq=0 --set eval_size=1 --set lessons.steps=0""".split()

MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]
# Shared memory, or the network's path through the loopback device.
MEMORY, TCP = [], ["--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo"]

# Name, ranks, threads of each, and how they are connected.
VARIANTS = [
    ("1 rank of 1 thread", 1, 1, MEMORY),
    ("1 rank of 2 threads", 1, 2, MEMORY),
    ("2 ranks of 1 thread", 2, 1, MEMORY),
    ("2 ranks of 1 thread, by TCP", 2, 1, TCP),
]


def seconds(archer, model, ranks, threads, path, iterations):
    """Seconds of each iteration but the first."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        launcher = [*MPIRUN, "-n", str(ranks), *path] if ranks > 1 else []
        typed = [archer, "train", *ITERATION, "--set", f"actor={model}", "--set", f"iterations={iterations}"]
        typed += ["--threads", str(threads), "--out", str(run)]
        subprocess.run([*launcher, *typed], check=True, capture_output=True, text=True)
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line["timing"]["seconds"] for line in lines if line["phase"] == "learn"][1:]


def measure(args):
    taken = {name: [] for name, *_ in VARIANTS}
    for _ in range(args.rounds):
        for name, ranks, threads, path in VARIANTS:
            taken[name] += seconds(args.archer, args.model, ranks, threads, path, args.iterations)
    one = statistics.median(taken[VARIANTS[0][0]])
    print(f"load {os.getloadavg()[0]:.1f}, {args.rounds} rounds of {args.iterations - 1} iterations\n")
    print("| | seconds for an iteration, median (least to most) | times as fast |\n|---|---|---|")
    for name, values in taken.items():
        median = statistics.median(values)
        print(f"| {name} | {median:.3f} ({min(values):.3f} to {max(values):.3f}) | {one / median:.2f} |")


# --- The model on paper ----------------------------------------------------------------------------

GAMES, TURNS, TURN_TOKENS, SAID = 256, 10, 16, 8  # an iteration's games, and their tokens
STEPS, ROWS, ROW_TOKENS = 48, 256, 128  # gradient steps of an iteration, each of so many rows
LATENCY = 30e-6  # seconds for a message
# Parts of a step and games are unequally long, and each step waits for the longest share. Measured with the
# first table: two ranks are 1.51 times as fast as one, of which communication takes a thirtieth.
BALANCE = 0.78


class Machine:
    """What a rank computes and how it is connected, sustained."""

    def __init__(self, name, flops, memory, network):
        self.name, self.flops, self.memory, self.network = name, flops, memory, network


class Size:
    """A network: scalars in all, and scalars that are trained."""

    def __init__(self, name, scalars, trained):
        self.name, self.scalars, self.trained = name, scalars, trained


MACHINES = [
    Machine("CPU of 16 cores, 10 Gbit/s", 1.0e12, 1.0e11, 1.25e9),
    Machine("GPU, 10 Gbit/s", 5.0e13, 2.0e12, 1.25e9),
    Machine("GPU, 400 Gbit/s", 5.0e13, 2.0e12, 5.0e10),
]
SIZES = [
    Size("GPT-2 small, all", 124e6, 124e6),
    Size("GPT-2 small, adapters", 124e6, 0.3e6),
    Size("1 B, adapters", 1.0e9, 1.7e6),
]


def iteration(size, machine, ranks, parts):
    """Seconds of playing, computing gradients, what every rank does alike, and communication."""
    # A token costs 2 operations for each scalar forward, and 6 with the way back.
    played = GAMES * TURNS * (TURN_TOKENS + SAID) * 2 * size.scalars / machine.flops
    # Games are played in batches of 64 at the most, of which a rank plays whole ones.
    play = played / min(ranks, max(GAMES // 64, 1))
    step = ROWS * ROW_TOKENS * 6 * size.scalars / machine.flops
    share = -(-parts // ranks) / parts
    # Adam reads and writes weights, gradient and both moments.
    alike = STEPS * 7 * 4 * size.trained / machine.memory
    others = (ranks - 1) / ranks
    sent = 4 * size.trained * others * (parts / ranks if ranks < parts else 1)
    joined = 4 * size.trained * others
    # Each rank sends a message to every other one, twice a step, and a few may be under way at once.
    communication = STEPS * ((sent + joined) / machine.network + 2 * LATENCY * (ranks - 1) / 8)
    waits = BALANCE if ranks > 1 else 1.0
    return play / waits, STEPS * step * share / waits, alike, communication


def predict():
    print("\n| size | rank | ranks | parts of a step | games/s | steps/s | communication | of ideal |")
    print("|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        for machine in MACHINES:
            for ranks in (1, 8, 64, 512):
                parts = max(ranks, 4)
                if parts > ROWS:
                    parts = ROWS
                times = iteration(size, machine, ranks, parts)
                whole = sum(times)
                ideal = sum(iteration(size, machine, 1, 4)) / ranks
                print(
                    f"| {size.name} | {machine.name} | {ranks} | {parts} | {GAMES / whole:.2f} "
                    f"| {STEPS / whole:.2f} | {times[3] / whole:.0%} | {ideal / whole:.0%} |"
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--archer", help="the program, built with the feature mpi")
    parser.add_argument("--model", help="a model of size S")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--predict", action="store_true", help="measure nothing")
    args = parser.parse_args()
    if not args.predict:
        if not (args.archer and args.model):
            parser.error("--archer and --model are needed to measure; --predict does without")
        measure(args)
    predict()


if __name__ == "__main__":
    main()
