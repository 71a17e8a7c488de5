"""The networks of the comparison in plain PyTorch, as anyone would write them.

Modules of PyTorch, its fused attention, keys and values cached in memory that is taken once. The
actor has GPT-2's layout, the critic's encoder RoBERTa's, in the sizes of `archer bench`.
"""

import torch
from torch import nn
from torch.nn import functional as F

# Layers, width, heads, vocabulary.
SIZES = {"S": (4, 128, 4, 1024), "M": (6, 256, 8, 4096), "G": (12, 768, 12, 50257)}


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


class Block(nn.Module):
    """A transformer block: before its norms as GPT-2 has it, or after them as RoBERTa does."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def attend(self, x, cache, mask):
        rows, length, width = x.shape
        parts = self.qkv(x).view(rows, length, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        if cache is not None:
            k, v = cache.extend(k, v)
        causal = self.causal and length > 1 and mask is None
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.mixed(y.transpose(1, 2).reshape(rows, length, width))

    def feed_forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh" if self.causal else "none"))

    def forward(self, x, cache=None, mask=None):
        if self.causal:
            x = x + self.attend(self.norm_1(x), cache, mask)
            return x + self.feed_forward(self.norm_2(x))
        x = self.norm_1(x + self.attend(x, cache, mask))
        return self.norm_2(x + self.feed_forward(x))


class Body(nn.Module):
    """Embeddings and blocks."""

    def __init__(self, shape, causal, positions):
        super().__init__()
        layers, width, heads, vocab = shape
        self.tokens, self.positions = nn.Embedding(vocab, width), nn.Embedding(positions, width)
        nn.init.normal_(self.tokens.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads, causal) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.causal, self.width, self.heads = causal, width, heads

    def forward(self, ids, places=None, caches=None, mask=None):
        """Hidden states `[rows, time, width]`; `mask` is true where a key may be looked at."""
        places = torch.arange(ids.shape[1]) if places is None else places
        x = self.tokens(ids) + self.positions(places)
        x = x if self.causal else self.norm(x)
        for n, block in enumerate(self.blocks):
            x = block(x, None if caches is None else caches[n], mask)
        return self.norm(x) if self.causal else x

    def caches(self, rows, room):
        return [Cache(rows, self.heads, room, self.width // self.heads) for _ in self.blocks]

    def scores(self, x):
        return x @ self.tokens.weight.T


class Heads(nn.Module):
    """Q1 and Q2 of two vectors side by side, V1 and V2 of one."""

    def __init__(self, width):
        super().__init__()

        def head(inputs):
            middle = nn.Linear(width, width)
            return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), middle, nn.ReLU(), nn.Linear(width, 1))

        self.q_heads = nn.ModuleList(head(2 * width) for _ in range(2))
        self.v_heads = nn.ModuleList(head(width) for _ in range(2))

    def q(self, state, action):
        both = torch.cat([state, action], 1)
        return [head(both).squeeze(1) for head in self.q_heads]

    def v(self, state):
        return [head(state).squeeze(1) for head in self.v_heads]


class Critic(nn.Module):
    """A RoBERTa-layout encoder with a pooler and the four heads."""

    def __init__(self, shape, positions):
        super().__init__()
        self.body = Body(shape, causal=False, positions=positions)
        self.pooler = nn.Linear(self.body.width, self.body.width)
        self.heads = Heads(self.body.width)
        self.q, self.v = self.heads.q, self.heads.v

    def encode(self, ids, mask=None):
        return torch.tanh(self.pooler(self.body(ids, mask=mask)[:, 0]))


def polyak(target, online, tau):
    """Lets the target follow."""
    with torch.no_grad():
        for old, new in zip(target.parameters(), online.parameters()):
            old.lerp_(new, tau)


def actor_of(folder):
    """The actor in a folder of GPT-2's layout, and its number of positions."""
    import json
    from pathlib import Path

    from safetensors.torch import load_file

    config = json.loads((Path(folder) / "config.json").read_text())
    shape = [config[name] for name in ("n_layer", "n_embd", "n_head", "vocab_size")]
    actor = Body(shape, causal=True, positions=config["n_positions"])
    stored = load_file(Path(folder) / "model.safetensors")
    stored = {name.removeprefix("transformer."): tensor for name, tensor in stored.items()}
    names = {"qkv": "attn.c_attn", "mixed": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
    norms = {"norm_1": "ln_1", "norm_2": "ln_2"}
    weights = {"tokens.weight": stored["wte.weight"], "positions.weight": stored["wpe.weight"]}
    for end in ("weight", "bias"):
        weights[f"norm.{end}"] = stored[f"ln_f.{end}"]
        for n in range(shape[0]):
            for ours, theirs in (names | norms).items():
                tensor = stored[f"h.{n}.{theirs}.{end}"]
                # GPT-2 keeps its matrices the other way round.
                tensor = tensor.T.contiguous() if tensor.dim() == 2 else tensor
                weights[f"blocks.{n}.{ours}.{end}"] = tensor
    actor.load_state_dict(weights)
    return actor, shape
