"""The cases of `archer bench` in PyTorch, for a comparison on one machine.

    pip install torch transformers tokenizers safetensors
    python bench/peer.py --threads 2 --json
    python bench/peer.py --case iter --model DIR --archer target/release/archer

| case | what |
|---|---|
| `gen` | generation in plain PyTorch (`networks.py`), with a key-value cache |
| `gen_transformers` | the same by transformers' `generate` |
| `actor`, `critic` | a gradient step in plain PyTorch |
| `iter` | an iteration in well-written PyTorch (`iteration.py`) |
| `iter_reference` | an iteration as the reference does it (`reference.py`) |

What is timed and in which units is the same as in `archer bench`. The iterations play against
`archer env`, begin anew from the model folder for each run, and are not warmed up: they take half
a minute. `compare.py` runs both programs and tells the ratios.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

from networks import SIZES, Body, Critic, polyak

ROWS, STATE, ACTION, PROMPT, NEW = 32, 128, 16, 64, 16


class Case:
    """Something to time: `run` does it once, and so much of it."""

    def __init__(self, run, amount=1, unit="steps/s", reset=lambda: None, close=lambda: None):
        self.run, self.amount, self.unit, self.reset, self.close = run, amount, unit, reset, close

    def value(self, seconds):
        return seconds if self.unit == "s" else self.amount / seconds


def draw(size, rows, length):
    return torch.randint(300, SIZES[size][3], (rows, length))


def generation(size, _):
    actor, prompts = Body(SIZES[size], True, PROMPT + NEW).eval(), draw(size, ROWS, PROMPT)

    @torch.inference_mode()
    def run():
        caches = actor.caches(ROWS, PROMPT + NEW)
        x = actor(prompts, None, caches)[:, -1]
        for n in range(NEW):
            chosen = torch.multinomial(F.softmax(actor.scores(x), -1), 1)
            if n + 1 < NEW:
                x = actor(chosen, torch.tensor([PROMPT + n]), caches)[:, -1]

    return Case(run, ROWS * NEW, "tokens/s")


def generation_by_transformers(size, _):
    from transformers import GPT2Config, GPT2LMHeadModel

    layers, width, heads, vocab = SIZES[size]
    shape = {"n_layer": layers, "n_embd": width, "n_head": heads, "vocab_size": vocab}
    config = GPT2Config(**shape, n_positions=PROMPT + NEW, bos_token_id=None, eos_token_id=None)
    actor, prompts = GPT2LMHeadModel(config).eval(), draw(size, ROWS, PROMPT)
    how = {"do_sample": True, "temperature": 1.0, "top_k": 0, "max_new_tokens": NEW}
    mask = torch.ones_like(prompts)

    def run():
        with torch.inference_mode():
            whole = actor.generate(prompts, attention_mask=mask, pad_token_id=0, **how)
        assert whole.shape[1] == PROMPT + NEW, "nothing ends early"

    return Case(run, ROWS * NEW, "tokens/s")


def actor_step(size, _):
    actor = Body(SIZES[size], True, STATE)
    adam = torch.optim.Adam(actor.parameters(), lr=1e-4)
    ids = draw(size, ROWS, STATE + 1)
    advantage = torch.tensor([0.5, -0.5]).repeat(ROWS // 2)

    def run():
        scores = actor.scores(actor(ids[:, :-1]))
        said = -F.cross_entropy(scores.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        loss = -(said.view(ROWS, STATE).sum(1) * advantage).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(actor.parameters(), 1.0)
        adam.step()

    return Case(run)


def critic_step(size, _):
    critic, target = Critic(SIZES[size], STATE), Critic(SIZES[size], STATE)
    target.load_state_dict(critic.state_dict())
    adam = torch.optim.Adam(critic.parameters(), lr=1e-4)
    state, after = draw(size, ROWS, STATE), draw(size, ROWS, STATE)
    said, fresh = draw(size, ROWS, ACTION), draw(size, ROWS, ACTION)

    def run():
        with torch.no_grad():
            wanted_v = target.q(target.encode(state), target.encode(fresh))
            wanted_q = [-1 + 0.95 * v for v in target.v(target.encode(after))]
        read = critic.encode(state)
        q, v = critic.q(read, critic.encode(said)), critic.v(read)
        pairs = zip(q + v, wanted_q + wanted_v)
        loss = sum(F.mse_loss(ours, wanted) for ours, wanted in pairs)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(critic.parameters(), 1.0)
        adam.step()
        polyak(target, critic, 0.1)

    return Case(run)


def iteration(_, args):
    from iteration import Iteration

    it = Iteration(args.model, args.archer)
    return Case(it.run, unit="s", reset=it.reset, close=it.worlds.close)


def iteration_of_the_reference(_, args):
    from reference import Reference

    it = Reference(args.model, args.archer)
    return Case(it.run, unit="s", reset=it.reset, close=it.worlds.close)


CASES = {
    "gen": generation,
    "gen_transformers": generation_by_transformers,
    "actor": actor_step,
    "critic": critic_step,
    "iter": iteration,
    "iter_reference": iteration_of_the_reference,
}
# What starts from a model folder and has one size.
ITERATIONS = ("iter", "iter_reference")


def timed(case):
    """Seconds of a run, and what it had to say."""
    case.reset()
    begin = time.perf_counter()
    said = case.run()
    return time.perf_counter() - begin, said


def measure(name, size, runs, args):
    """A line of the result; `args` has the `model` and `archer` of the iterations."""
    torch.manual_seed(1)
    case = CASES[name](size, args)
    if name not in ITERATIONS:
        case.run()
    done = [timed(case) for _ in range(runs)]
    case.close()
    values = [case.value(seconds) for seconds, _ in done]
    return {
        "case": name,
        "size": size,
        "threads": torch.get_num_threads(),
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "unit": case.unit,
        "runs": runs,
        "note": done[-1][1],
    }


def gemm_gflops():
    """What matrix products reach, in 10⁹ floating-point operations a second."""
    side, products = 512, 12
    a = torch.ones(side, side)
    best = float("inf")
    for _ in range(8):
        begin, b = time.perf_counter(), a
        for _ in range(products):
            b = a @ b
        best = min(best, time.perf_counter() - begin)
    return 2 * side**3 * products / best / 1e9


def chosen(args):
    """The cases that were asked for, each with its size."""
    names = args.case.split(",") if args.case else list(CASES)
    for name in names:
        if name not in ITERATIONS:
            yield from ((name, size) for size in args.size.split(","))
        elif args.model and args.archer:
            yield name, "S"
        elif args.case:
            raise SystemExit(f"{name} needs --model DIR and --archer FILE")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", help=f"these alone, with commas between them: {', '.join(CASES)}")
    parser.add_argument("--size", default="S,M", help="sizes, with commas between them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--model", help="folder of the model that the iterations start from")
    parser.add_argument("--archer", help="the program that they play against")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    report = {"torch": torch.__version__, "gemm_gflops": gemm_gflops(), "cases": []}
    for name, size in chosen(args):
        line = measure(name, size, args.runs, args)
        report["cases"].append(line)
        if not args.json:
            print(f"{name} {size}: {line['median']:.3g} {line['unit']}", flush=True)
    if args.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
