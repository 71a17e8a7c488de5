"""A world written in Python, learned and played inside the component: guess a number from 1 to 7.

    pip install wasmtime
    python guess.py                trains for about a minute, then plays three games
    python guess.py --out guess.archer

Each guess costs 1. The world says "higher" or "lower", and lists all numbers at every turn; the agent must find out
by itself which of them are worth trying. Halving the rest each time takes 17 guesses for the seven numbers, a mean
return of -2.43. Games are cut after 7 guesses.
"""

import argparse
import random

from archer_component import BUILT, Component

HIGHEST = 7
NUMBERS = [str(number) for number in range(1, HIGHEST + 1)]


class Guess:
    name = "guess"
    max_turns = 7
    tasks = HIGHEST
    best = -17 / 7
    worst = -7.0

    def start(self, seed, task):
        number = random.Random(seed).randrange(HIGHEST) if task is None else task
        return {"text": f"A number from 1 to {HIGHEST}.", "choices": NUMBERS, "state": number + 1, "task": number}

    def act(self, number, said):
        guess = int(said)
        if guess == number:
            return {"reply": "Right.", "reward": -1, "end": "won"}
        return {"reply": "Higher." if guess < number else "Lower.", "reward": -1, "choices": NUMBERS}


def play(agent, number):
    """One game, printed."""
    world = Guess()
    opening = world.start(0, number - 1)
    talk = agent.start(opening["text"], opening["choices"])
    said = []
    for _ in range(world.max_turns):
        guess = talk.say(score=False, alternatives=0).text
        turn = world.act(number, guess)
        said.append(f"{guess}? {turn['reply']}")
        if turn.get("end"):
            break
        talk.hear(turn["reply"], turn["choices"])
    talk.close()
    print(f"  {number}: {'  '.join(said)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--component", default=BUILT, help="archer.wasm (make component), or compiled as .cwasm")
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="where to write the model file")
    options = parser.parse_args()

    world = Guess()
    agent = Component(options.component).instance(world).create(world, seed=options.seed)
    before = agent.evaluate(games=HIGHEST * 10)
    print(f"untrained: return {before.mean_return:.2f}; the best there is {world.best:.2f}")
    for update in agent.fine_tune(iterations=options.iterations, seed=options.seed):
        if update.iteration % 10 == 0:
            print(f"iteration {update.iteration}: return {update.mean_return:.2f}")
    after = agent.evaluate(games=HIGHEST * 10)
    print(f"trained: return {after.mean_return:.2f}, {after.win_rate:.0%} won")
    for number in (2, 5, 7):
        play(agent, number)
    if options.out:
        with open(options.out, "wb") as file:
            file.write(agent.save())


if __name__ == "__main__":
    main()
