"""The same iteration as the released reference does it, written anew from its description.

The networks are those of transformers, GPT-2 and RoBERTa of the same size. What is done needlessly
there is done needlessly here: transitions are texts and are tokenised again at every step; a whole
game is read again for every question; every generation writes 32 tokens and is then cut at the
newline; games that ended stay in the batch until the last one ends; fresh actions are generated
anew for every step; states are encoded again for each value that is asked of them, actions too
where no value depends on them; the whole vocabulary is scored at every token, as probabilities; the
critic learns with PyTorch's anomaly detection on; the gradient clip walks over all three networks.
Left out is what would only add time: micro-batches of 8, pickling everything in each iteration, and
the sleeps.
"""

import copy
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from transformers import GPT2LMHeadModel, RobertaConfig, RobertaModel, logging

from games import Worlds
from iteration import ACTOR_STEPS, CRITIC_STEPS, EDGE, GAMMA, ROWS, TAU, padded
from networks import Heads, polyak

NEW, LONGEST = 32, 512
# It warns at every generation that texts are padded on the right, which the reference does.
logging.set_verbosity_error()
logging.disable_progress_bar()


class ReferenceCritic(nn.Module):
    def __init__(self, actor):
        super().__init__()
        config = RobertaConfig(
            vocab_size=actor.vocab_size,
            hidden_size=actor.n_embd,
            num_hidden_layers=actor.n_layer,
            num_attention_heads=actor.n_head,
            intermediate_size=4 * actor.n_embd,
            max_position_embeddings=LONGEST + 2,
            type_vocab_size=1,
            pad_token_id=EDGE,
        )
        self.encoder = RobertaModel(config).eval()
        self.heads = Heads(actor.n_embd)

    def encode(self, texts):
        ids, real = texts
        return self.encoder(ids, attention_mask=real.long()).pooler_output

    def forward(self, states, actions):
        state, action = self.encode(states), self.encode(actions)
        return *self.heads.q(state, action), *self.heads.v(state)


class Reference:
    def __init__(self, folder, archer):
        self.tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        first = GPT2LMHeadModel.from_pretrained(folder).eval()
        self.first = first, ReferenceCritic(first.config)
        self.worlds = Worlds(archer)

    def reset(self):
        torch.manual_seed(1)
        random.seed(1)
        self.actor, self.critic = copy.deepcopy(self.first)
        self.target = copy.deepcopy(self.critic)
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), lr=1e-4)
        self.critic_adam = torch.optim.Adam(self.critic.parameters(), lr=1e-4)

    def run(self):
        turns = self.worlds.play(self.answer, leave=False)
        for _ in range(CRITIC_STEPS):
            with torch.autograd.set_detect_anomaly(True):
                self.critic_step(random.choices(turns, k=ROWS))
        for _ in range(ACTOR_STEPS):
            self.actor_step(random.choices(turns, k=ROWS))
        return f"{len(turns)} turns"

    def tokens(self, texts):
        return padded([self.tokenizer.encode(text).ids[-LONGEST:] or [EDGE] for text in texts])

    def texts(self, texts):
        """Texts for the critic, opened and closed."""
        limit = LONGEST - 2
        return padded([[EDGE, *self.tokenizer.encode(text).ids[-limit:], EDGE] for text in texts])

    def answer(self, states):
        ids, real = self.tokens(states)
        with torch.no_grad():
            whole = self.actor.generate(
                ids,
                attention_mask=real.long(),
                max_new_tokens=NEW,
                do_sample=True,
                top_k=50,
                eos_token_id=EDGE,
                pad_token_id=EDGE,
            )
        said = self.tokenizer.decode_batch(whole[:, ids.shape[1] :].tolist())
        return [text.lstrip("\n").split("\n")[0] for text in said]

    def critic_step(self, turns):
        states = [turn.state for turn in turns]
        said = [turn.action for turn in turns]
        reward = torch.tensor([turn.reward for turn in turns])
        goes_on = torch.tensor([float(not turn.done) for turn in turns])
        q1, q2, v1, v2 = self.critic(self.texts(states), self.texts(said))
        with torch.no_grad():
            fresh = self.answer(states)
            wanted_1, wanted_2, _, _ = self.target(self.texts(states), self.texts(fresh))
            afters = self.texts([turn.after for turn in turns])
            _, _, after_1, after_2 = self.target(afters, self.texts(said))
        y_1, y_2 = (reward + goes_on * GAMMA * v for v in (after_1, after_2))
        loss = F.mse_loss(q1, y_1) + F.mse_loss(q2, y_2)
        loss = loss + F.mse_loss(v1, wanted_1) + F.mse_loss(v2, wanted_2)
        self.learn(self.critic_adam, loss)
        polyak(self.target, self.critic, TAU)

    def actor_step(self, turns):
        states = [turn.state for turn in turns]
        with torch.no_grad():
            fresh = self.answer(states)
            q1, q2, v1, v2 = self.critic(self.texts(states), self.texts(fresh))
            advantage = torch.minimum(q1, q2) - torch.minimum(v1, v2)
        (ids, seen), (actions, real) = self.tokens(states), self.tokens(fresh)
        whole = torch.cat([ids, actions], 1)
        mask = torch.cat([seen, real], 1).long()
        shares = self.actor(whole, attention_mask=mask).logits.softmax(-1)
        shares = shares[:, ids.shape[1] - 1 : -1]
        said = shares.gather(2, actions[:, :, None]).squeeze(2).clamp(min=1e-30).log()
        loss = -((said * real).sum(1) * advantage).mean()
        self.learn(self.actor_adam, loss)

    def learn(self, adam, loss):
        adam.zero_grad()
        loss.backward()
        networks = (self.actor, self.critic, self.target)
        nn.utils.clip_grad_norm_([p for network in networks for p in network.parameters()], 1.0)
        adam.step()
