"""An iteration of ArCHer in well-written PyTorch: what `archer bench --case iter` does.

32 games of up to 20 turns against `archer env`, then 20 critic steps on 32 transitions each and 3
actor steps on 32. What a good PyTorch programmer does unasked is done: keys and values are cached
within a generation, a generation ends when every row has written its newline, ended games leave
the batch, a step's fresh actions are one batched generation, each text is encoded once by each
network, nothing without a gradient is recorded, the vocabulary is scored only where a token of an
action is predicted. The critic has the reference's form, an encoder over single transitions.
"""

import copy
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

from games import Worlds
from networks import Critic, actor_of, polyak

ROWS, NEW, CRITIC_STEPS, ACTOR_STEPS = 32, 16, 20, 3
GAMMA, TAU = 0.95, 0.1
# Opens, closes and fills a critic's text.
EDGE = 0


def padded(texts, left=False):
    """Token lists as one matrix, and where it is real, both `[rows, time]`."""
    time = max(map(len, texts))
    ids = torch.full((len(texts), time), EDGE)
    real = torch.zeros(len(texts), time, dtype=torch.bool)
    for row, text in enumerate(texts):
        at = slice(time - len(text), time) if left else slice(len(text))
        ids[row, at], real[row, at] = torch.tensor(text), True
    return ids, real


class Iteration:
    def __init__(self, folder, archer):
        self.tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        first, shape = actor_of(folder)
        self.first = first, Critic(shape, positions=1024)
        ends = ["\n" in self.tokenizer.decode([n]) for n in range(shape[3])]
        self.ends = torch.tensor(ends)
        self.worlds = Worlds(archer)

    def reset(self):
        torch.manual_seed(1)
        random.seed(1)
        self.actor, self.critic = copy.deepcopy(self.first)
        self.target = copy.deepcopy(self.critic).requires_grad_(False)
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), lr=1e-4)
        self.critic_adam = torch.optim.Adam(self.critic.parameters(), lr=1e-4)

    def run(self):
        turns = self.worlds.play(self.answer, leave=True)
        for _ in range(CRITIC_STEPS):
            self.critic_step(random.choices(turns, k=ROWS))
        for _ in range(ACTOR_STEPS):
            self.actor_step(random.choices(turns, k=ROWS))
        return f"{len(turns)} turns"

    def tokens(self, text):
        return self.tokenizer.encode(text).ids

    def answer(self, states):
        said = self.write([self.tokens(state) for state in states])
        return [self.tokenizer.decode(self.body(action)) for action in said]

    def body(self, action):
        """An action without its newline."""
        return action[:-1] if action and self.ends[action[-1]] else action

    @torch.inference_mode()
    def write(self, texts):
        """Samples an action for each text, up to its newline."""
        ids, real = padded(texts, left=True)
        rows, time = ids.shape
        places = (real.cumsum(1) - 1).clamp(min=0)
        caches = self.actor.caches(rows, time + NEW)
        # Whoever stands on padding sees at least itself, or its softmax would be of nothing.
        sees = torch.ones(time, time, dtype=torch.bool).tril() & real[:, None, None]
        x = self.actor(ids, places, caches, sees | torch.eye(time, dtype=torch.bool))[:, -1]
        written, going = [], torch.ones(rows, dtype=torch.bool)
        for n in range(1, NEW + 1):
            chosen = torch.multinomial(F.softmax(self.actor.scores(x), -1), 1)
            written.append(chosen)
            going &= ~self.ends[chosen[:, 0]]
            if n == NEW or not going.any():
                break
            real = F.pad(real, (0, 1), value=True)
            x = self.actor(chosen, places[:, -1:] + n, caches, real[:, None, None])[:, -1]
        return [self.cut(row) for row in torch.cat(written, 1).tolist()]

    def cut(self, tokens):
        end = next((n for n, token in enumerate(tokens) if self.ends[token]), len(tokens))
        return tokens[: end + 1]

    def encode(self, critic, texts):
        ids, real = padded([[EDGE, *text[-1000:], EDGE] for text in texts])
        return critic.encode(ids, real[:, None, None])

    def critic_step(self, turns):
        states, afters = ([self.tokens(text) for text in part] for part in
                          ([turn.state for turn in turns], [turn.after for turn in turns]))
        said = [self.tokens(turn.action) for turn in turns]
        fresh = [self.body(action) for action in self.write(states)]
        reward = torch.tensor([turn.reward for turn in turns])
        goes_on = torch.tensor([float(not turn.done) for turn in turns])
        with torch.no_grad():
            target = self.target
            wanted_v = target.q(self.encode(target, states), self.encode(target, fresh))
            after = target.v(self.encode(target, afters))
            wanted_q = [reward + GAMMA * goes_on * v for v in after]
        read = self.encode(self.critic, states)
        q = self.critic.q(read, self.encode(self.critic, said))
        pairs = zip(q + self.critic.v(read), wanted_q + wanted_v)
        loss = sum(F.mse_loss(ours, wanted) for ours, wanted in pairs)
        self.learn(self.critic, self.critic_adam, loss)
        polyak(self.target, self.critic, TAU)

    def actor_step(self, turns):
        states = [self.tokens(turn.state) for turn in turns]
        fresh = self.write(states)
        with torch.no_grad():
            read = self.encode(self.critic, states)
            bodies = self.encode(self.critic, [self.body(action) for action in fresh])
            advantage = torch.min(*self.critic.q(read, bodies)) - torch.min(*self.critic.v(read))
        ids, _ = padded([state + action for state, action in zip(states, fresh)])
        hidden = self.actor(ids[:, :-1])
        # Row and place before each token of an action.
        rows = torch.tensor([row for row, action in enumerate(fresh) for _ in action])
        places = torch.tensor([len(state) - 1 + n for state, action in zip(states, fresh) for n in range(len(action))])
        scores = self.actor.scores(hidden[rows, places])
        said = -F.cross_entropy(scores, ids[rows, places + 1], reduction="none")
        loss = -(said * advantage[rows]).sum() / ROWS
        self.learn(self.actor, self.actor_adam, loss)

    def learn(self, network, adam, loss):
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
