"""`archer bench` and its peers in PyTorch, in turns on one machine, and what the ratios are.

    cargo build --release
    python bench/compare.py --archer target/release/archer --model DIR

Both are held to the same cores, as many as there are threads. Each case is run by the one and then
by the others before the next begins, in several rounds where it is short, so that a machine that
grows busy or warm tells on both; the ratio is of the medians. DIR is a model in GPT-2's layout of
size S; without it the iterations are left out.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

# Case and size in archer, case of the peer, and how many times faster is wanted.
TARGETS = [
    ("gen", "S", "gen_transformers", 4.0),
    ("gen", "S", "gen", None),
    ("actor", "S", "actor", 1.5),
    ("critic", "S", "critic", 1.5),
    ("iter", "S", "iter_reference", 20.0),
    ("iter", "S", "iter", 15.0),
    ("iter_encoder", "S", "iter_reference", 3.0),
    ("iter_encoder", "S", "iter", None),
    ("gen", "M", "gen_transformers", 2.0),
    ("gen", "M", "gen", None),
    ("actor", "M", "actor", 1.0),
    ("critic", "M", "critic", 1.0),
    ("gen", "G", "gen_transformers", 1.2),
    ("gen", "G", "gen", None),
    ("actor", "G", "actor", 0.8),
    ("critic", "G", "critic", 0.8),
]
ANSWERS = 500_000
ITERATIONS = ("iter", "iter_encoder", "iter_reference")


def cores(count):
    """The first cores that this process may use, one of each pair that shares a core."""
    mine, chosen, seen = sorted(os.sched_getaffinity(0)), [], set()
    for cpu in mine:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        siblings = path.read_text() if path.exists() else str(cpu)
        if siblings not in seen:
            seen.add(siblings)
            chosen.append(cpu)
    return (chosen + [cpu for cpu in mine if cpu not in chosen])[:count]


class Archer:
    """The program, one case a call."""

    def __init__(self, args):
        self.args = args

    def measure(self, case, size, runs):
        command = [self.args.archer, "bench", "--json", "--quiet", "--case", case]
        command += ["--threads", str(self.args.threads), "--runs", str(runs)]
        if size and case not in ITERATIONS:
            command += ["--size", size]
        if case in ITERATIONS:
            command += ["--model", self.args.model]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        report = json.loads(done.stdout)
        return report["cases"][0] | {"gemm_gflops": report["gemm_gflops"]}


class Peer:
    """The peer, in this process: to import it anew for every case would take longer than many."""

    def __init__(self, args):
        import torch

        import peer

        torch.set_num_threads(args.threads)
        self.args, self.peer = args, peer

    def measure(self, case, size, runs):
        return self.peer.measure(case, size, runs, self.args)


def plan(args):
    """What is run side by side: size, the cases of archer, those of the peer."""
    sizes = args.size.split(",")
    wanted = args.case.split(",") if args.case else None
    groups = {}
    for ours, size, theirs, _ in TARGETS:
        iterates = ours in ITERATIONS
        if size not in sizes or (iterates and not args.model) or (wanted and ours not in wanted):
            continue
        group = groups.setdefault((size, "iter" if iterates else ours), ([], []))
        for case, side in zip((ours, theirs), group):
            if case not in side:
                side.append(case)
    return [(size, ours, theirs) for (size, _), (ours, theirs) in groups.items()]


def run(args):
    """Medians of all cases, by program, case and size; archer's calls of one case are joined."""
    archer, peer = Archer(args), Peer(args)
    begin, found, lines = time.monotonic(), {}, []

    def note(who, case, size, runs):
        if time.monotonic() - begin > args.seconds:
            return
        line = (archer if who == "archer" else peer).measure(case, size, runs)
        lines.append({"program": who} | line)
        found.setdefault((who, case, size), []).append(line["median"])
        spread = f"{line['min']:.4g} to {line['max']:.4g}"
        extra = line.get("note") or (f"products {line['gemm_gflops']:.0f} GFLOP/s" if "gemm_gflops" in line else "")
        print(f"{who:6} {case:16} {size or '':2} {line['median']:10.4g} {line['unit']:9} ({spread}) {extra}", flush=True)

    for size, ours, theirs in plan(args):
        slow = size == "G" or "iter" in theirs
        for _ in range(1 if slow else args.rounds):
            for case in ours:
                note("archer", case, size, args.slow_runs if slow else args.runs)
            for case in theirs:
                note("peer", case, size, args.slow_runs if slow else args.runs)
    if not args.case or "env" in args.case.split(","):
        note("archer", "env", None, args.runs)
    return {key: statistics.median(values) for key, values in found.items()}, lines


def ratios(found):
    """Rows of the table of targets: what was compared, the ratio, the target."""
    rows = []
    for ours, size, theirs, target in TARGETS:
        a, b = found.get(("archer", ours, size)), found.get(("peer", theirs, size))
        if a and b:
            ratio = b / a if ours in ITERATIONS else a / b
            rows.append((f"{ours} {size}", theirs, a, b, ratio, target))
    return rows


def tell(found, rows):
    print(f"\n{'archer':16}{'peer':18}{'archer':>10}{'peer':>10}{'ratio':>8}{'target':>8}")
    for name, theirs, a, b, ratio, target in rows:
        verdict = "" if target is None else f"{target:>8}  {'met' if ratio >= target else 'missed'}"
        print(f"{name:16}{theirs:18}{a:>10.4g}{b:>10.4g}{ratio:>8.2f}{verdict}")
    answers = found.get(("archer", "env", None))
    if answers:
        print(f"{'env':16}{'':18}{answers:>10.4g}{'':18}{ANSWERS:>8}  {'met' if answers >= ANSWERS else 'missed'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--archer", default="target/release/archer")
    parser.add_argument("--model", help="folder of the model that the iterations start from")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="S,M,G", help="sizes, with commas between them")
    parser.add_argument("--case", help="these of archer's cases alone, with commas between them")
    parser.add_argument("--runs", type=int, default=5, help="timed runs of a case in a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of a short case")
    parser.add_argument("--slow-runs", type=int, default=1, help="timed runs of size G and of iterations")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing after so long")
    parser.add_argument("--out", help="file for everything measured, as JSON")
    args = parser.parse_args()
    args.archer = str(Path(args.archer).resolve())
    # Before PyTorch comes, which looks at once how many cores there are; children are held too.
    os.sched_setaffinity(0, cores(args.threads))
    busy = os.getloadavg()[0]
    found, lines = run(args)
    rows = ratios(found)
    if busy > 0.5:
        print(f"\nThe load was {busy:.1f} before anything began: what two threads took means nothing.")
    tell(found, rows)
    if args.out:
        names = ("archer", "peer", "archer_median", "peer_median", "ratio", "target")
        report = {"threads": args.threads, "lines": lines, "ratios": [dict(zip(names, row)) for row in rows]}
        Path(args.out).write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
