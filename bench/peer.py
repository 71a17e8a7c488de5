"""The shapes of `archer bench` in plain PyTorch, for a comparison on one machine.

    pip install torch
    python bench/peer.py --threads 2 --json

The networks are written out here as anyone would write them: modules of PyTorch, its fused
attention, a key-value cache for the generation, Adam and the gradient clip of its library. What is
timed, how often and in which units is the same as in `archer bench`.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

SIZES = {"S": (4, 128, 4, 1024), "M": (6, 256, 8, 4096), "G": (12, 768, 12, 50257)}
ROWS, STATE, ACTION, PROMPT, NEW = 32, 128, 16, 64, 16


class Block(nn.Module):
    """A transformer block: before its norms as GPT-2 has it, or after them as RoBERTa does."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def attend(self, x, cache=None):
        rows, length, width = x.shape
        parts = self.qkv(x).view(rows, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        if cache is not None:
            k, v = cache.extend(k, v)
        causal = self.causal and length > 1
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.mixed(y.transpose(1, 2).reshape(rows, length, width))

    def feed_forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh" if self.causal else "none"))

    def forward(self, x, cache=None):
        if self.causal:
            x = x + self.attend(self.norm_1(x), cache)
            return x + self.feed_forward(self.norm_2(x))
        x = self.norm_1(x + self.attend(x))
        return self.norm_2(x + self.feed_forward(x))


class Cache:
    """Keys and values of one layer, in memory that is taken once."""

    def __init__(self, rows, heads, room, width):
        self.k, self.v = torch.empty(2, rows, heads, room, width)
        self.used = 0

    def extend(self, k, v):
        end = self.used + k.shape[2]
        self.k[:, :, self.used : end], self.v[:, :, self.used : end] = k, v
        self.used = end
        return self.k[:, :, :end], self.v[:, :, :end]


class Body(nn.Module):
    """Embeddings and blocks."""

    def __init__(self, size, causal, positions):
        super().__init__()
        layers, width, heads, vocab = SIZES[size]
        self.tokens, self.positions = nn.Embedding(vocab, width), nn.Embedding(positions, width)
        nn.init.normal_(self.tokens.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads, causal) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.causal, self.width = causal, width

    def forward(self, ids, first=0, caches=None):
        places = torch.arange(first, first + ids.shape[1])
        x = self.tokens(ids) + self.positions(places)
        x = x if self.causal else self.norm(x)
        for n, block in enumerate(self.blocks):
            x = block(x, None if caches is None else caches[n])
        return self.norm(x) if self.causal else x

    def scores(self, x):
        return x @ self.tokens.weight.T


class Critic(nn.Module):
    """A RoBERTa-layout encoder with a pooler and the four heads."""

    def __init__(self, size):
        super().__init__()
        self.body = Body(size, causal=False, positions=STATE)
        width = self.body.width
        self.pooler = nn.Linear(width, width)

        def head(inputs):
            middle = nn.Linear(width, width)
            return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), middle, nn.ReLU(), nn.Linear(width, 1))

        self.q_heads = nn.ModuleList(head(2 * width) for _ in range(2))
        self.v_heads = nn.ModuleList(head(width) for _ in range(2))

    def encode(self, ids):
        return torch.tanh(self.pooler(self.body(ids)[:, 0]))

    def q(self, state, action):
        both = torch.cat([state, action], 1)
        return [head(both).squeeze(1) for head in self.q_heads]

    def v(self, state):
        return [head(state).squeeze(1) for head in self.v_heads]


def draw(size, rows, length):
    return torch.randint(300, SIZES[size][3], (rows, length))


def generation(size):
    actor, prompts = Body(size, True, PROMPT + NEW).eval(), draw(size, ROWS, PROMPT)
    _, width, heads, _ = SIZES[size]

    @torch.inference_mode()
    def run():
        caches = [Cache(ROWS, heads, PROMPT + NEW, width // heads) for _ in actor.blocks]
        x = actor(prompts, 0, caches)[:, -1]
        for n in range(NEW):
            chosen = torch.multinomial(F.softmax(actor.scores(x), -1), 1)
            if n + 1 < NEW:
                x = actor(chosen, PROMPT + n, caches)[:, -1]

    return run, ROWS * NEW, "tokens/s"


def actor_step(size):
    actor = Body(size, True, STATE)
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

    return run, 1, "steps/s"


def critic_step(size):
    critic, target = Critic(size), Critic(size)
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
        with torch.no_grad():
            for old, new in zip(target.parameters(), critic.parameters()):
                old.lerp_(new, 0.1)

    return run, 1, "steps/s"


CASES = {"gen": generation, "actor": actor_step, "critic": critic_step}


def measure(case, size, runs):
    torch.manual_seed(1)
    run, amount, unit = CASES[case](size)
    run()
    rates = []
    for _ in range(runs):
        begin = time.perf_counter()
        run()
        rates.append(amount / (time.perf_counter() - begin))
    return {
        "case": case,
        "size": size,
        "threads": torch.get_num_threads(),
        "median": statistics.median(rates),
        "min": min(rates),
        "max": max(rates),
        "unit": unit,
        "runs": runs,
    }


def gemm_gflops():
    side, products = 512, 12
    a = torch.ones(side, side)
    best = float("inf")
    for _ in range(8):
        begin, b = time.perf_counter(), a
        for _ in range(products):
            b = a @ b
        best = min(best, time.perf_counter() - begin)
    return 2 * side**3 * products / best / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=CASES, help="this case alone")
    parser.add_argument("--size", default="S,M", help="sizes, with commas between them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cases = [args.case] if args.case else list(CASES)
    report = {"torch": torch.__version__, "gemm_gflops": gemm_gflops(), "cases": []}
    for case in cases:
        for size in args.size.split(","):
            line = measure(case, size, args.runs)
            report["cases"].append(line)
            if not args.json:
                print(f"{case} {size}: {line['median']:.3g} {line['unit']}")
    if args.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
