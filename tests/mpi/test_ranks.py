"""A run that several processes share: same bytes, resume on another number, a rank that dies.

    python3 tests/mpi/test_ranks.py ARCHER

ARCHER is built with the feature `mpi`; `mpirun` is that of Open MPI.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHER = ""

# A run of all kinds of shared work: imitation, games, critic and actor steps, evaluations.
SMALL = """--preset quickstart --seed 1 --final-games 0 --quiet --threads 1 --set warm_start.games=300
--set iterations=3 --set warm_start.steps=16 --set rollout_size=40 --set epochs=3 --set actor_epochs=2
--set eval_freq=2 --set eval_size=20 --set warmup_iter=1 --set save_freq=1""".split()

CLOCKS = ("timing",)

# More processes than cores are fine here, and so is a container: without another user, and where one process
# may not read another's memory. Open MPI ends its processes by SIGKILL a second after SIGTERM, which is little
# on a busy machine.
MPIRUN = """mpirun --allow-run-as-root --oversubscribe --bind-to none --mca btl_vader_single_copy_mechanism none
--mca odls_base_sigkill_timeout 5 -n""".split()


def archer(*args, ranks=1):
    launcher = [*MPIRUN, str(ranks)] if ranks > 1 else []
    return subprocess.run([*launcher, ARCHER, *map(str, args)], capture_output=True, text=True, timeout=600)


def bytes_of(run):
    """The checkpoint and the model of a run."""
    files = [run / "checkpoints" / "latest", *sorted((run / "model").rglob("*"))]
    return {str(file.relative_to(run)): file.read_bytes() for file in files if file.is_file()}


def metrics_of(run):
    """The log of a run without what the clock says."""

    def still(value):
        if not isinstance(value, dict):
            return value
        return {key: still(inner) for key, inner in value.items() if not any(clock in key for clock in CLOCKS)}

    return [still(json.loads(line)) for line in (run / "metrics.jsonl").read_text().splitlines()]


class Ranks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.at = pathlib.Path(self.folder.name)

    def train(self, out, *args, ranks=1):
        done = archer("train", *SMALL, "--out", self.at / out, *args, ranks=ranks)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.at / out

    def assert_same(self, one, other):
        here, there = bytes_of(one), bytes_of(other)
        self.assertEqual(here.keys(), there.keys())
        for name, content in here.items():
            self.assertTrue(content == there[name], f"{name} differs")
        self.assertEqual(metrics_of(one), metrics_of(other))

    def test_one_two_and_four_ranks_give_the_same_bytes(self):
        one = self.train("one")
        self.assertGreater(len(metrics_of(one)), 4)
        self.assert_same(one, self.train("two", ranks=2))
        self.assert_same(one, self.train("four", ranks=4))

    def test_whatever_learns_gives_the_same_bytes(self):
        lessons = ["--set", "warm_start.task_coef=1", "--set", "lessons.steps=3", "--set", "level=token"]
        kinds = {
            "ppo": ["--algorithm", "ppo"],
            "reinforce": ["--algorithm", "reinforce"],
            "chai": ["--algorithm", "chai", "--set", "prior.games=48", "--set", "prior.share=0.3"],
            "filtered_bc": ["--algorithm", "filtered_bc", "--async-play", "1"],
            "archer": ["--async-play", "2", *lessons],
        }
        for kind, how in kinds.items():
            with self.subTest(kind):
                one = self.train(f"{kind}-1", *how)
                self.assert_same(one, self.train(f"{kind}-3", *how, ranks=3))

    def test_recorded_games_teach_the_same_on_any_number_of_ranks(self):
        games = self.at / "games.jsonl"
        done = archer("data", "--preset", "quickstart", "--games", 200, "--seed", 4, "--out", games)
        self.assertEqual(done.returncode, 0, done.stderr)
        how = ["--algorithm", "iql", "--set", f"iql.games={games}"]
        self.assert_same(self.train("one", *how), self.train("three", *how, ranks=3))

    def test_a_world_of_another_process_gives_the_same_bytes(self):
        world = f"{sys.executable} {ROOT / 'examples/worlds/countdown.py'}"
        small = "--seed 2 --final-games 0 --quiet --threads 1 --set iterations=2 --set rollout_size=24".split()

        def train(out, ranks):
            done = archer("train", "--world", world, *small, "--out", self.at / out, ranks=ranks)
            self.assertEqual(done.returncode, 0, done.stderr)
            return self.at / out

        self.assert_same(train("one", 1), train("two", 2))

    def test_a_run_goes_on_with_another_number_of_ranks(self):
        whole = self.train("whole")
        begun = self.train("begun", "--set", "iterations=1", ranks=2)
        done = archer("train", "--resume", begun, "--set", "iterations=3", "--final-games", 0, "--quiet", ranks=3)
        self.assertEqual(done.returncode, 0, done.stderr)
        # The checkpoint tells that the run was extended; what was learned is the same.
        weights = "model/model.safetensors"
        self.assertTrue(bytes_of(whole)[weights] == bytes_of(begun)[weights])
        # A finished run is left alone.
        done = archer("train", *SMALL, "--out", begun, "--resume", "auto", "--set", "iterations=3", ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_rank_that_dies_leaves_a_whole_checkpoint_and_one_sentence(self):
        run = self.at / "killed"
        args = [*SMALL, "--set", "iterations=100000", "--out", str(run)]
        started = subprocess.Popen(
            [*MPIRUN, "2", ARCHER, "train", *args], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(started.kill)
        ends = time.monotonic() + 120
        while not (run / "checkpoints" / "latest").exists():
            self.assertLess(time.monotonic(), ends, "no checkpoint was written")
            time.sleep(0.1)
        os.kill(self.rank(1, run), signal.SIGKILL)
        _, told = started.communicate(timeout=60)
        self.assertNotEqual(started.returncode, 0)
        ours = [line for line in told.splitlines() if "everything is saved; go on with:" in line]
        self.assertEqual(len(ours), 1, told)
        self.assertNotIn("panicked", told)
        done = archer("train", "--resume", run, "--max-minutes", "0.02", "--final-games", 0, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_signal_to_every_rank_is_answered_by_rank_0(self):
        """As Slurm sends it; once rank 1 died of it, and the launcher ended rank 0 before it had saved."""
        run = self.at / "run"
        args = [*SMALL, "--set", "iterations=100000", "--set", "save_freq=0", "--out", str(run)]
        started = subprocess.Popen(
            [*MPIRUN, "2", ARCHER, "train", *args], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(started.kill)
        ends = time.monotonic() + 120
        while not (run / "metrics.jsonl").exists() or "learn" not in (run / "metrics.jsonl").read_text():
            self.assertLess(time.monotonic(), ends, "nothing was learned")
            time.sleep(0.1)
        member, leader = self.rank(1, run), self.rank(0, run)
        os.kill(member, signal.SIGTERM)
        # So long after it would be the launcher that ends rank 0, had the other died.
        time.sleep(1.5)
        os.kill(leader, signal.SIGTERM)
        _, told = started.communicate(timeout=60)
        self.assertEqual(started.returncode, 143, told)
        self.assertIn("stopped at iteration", told)
        done = archer("train", "--resume", run, "--max-minutes", "0.02", "--final-games", 0, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)

    def rank(self, number, run):
        """The process of a rank."""
        mark = f"OMPI_COMM_WORLD_RANK={number}".encode()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                typed = (folder / "cmdline").read_bytes().split(b"\0")
                told = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(run).encode() in typed and mark in told and b"mpirun" not in typed[0]:
                return int(folder.name)
        self.fail(f"rank {number} is not there")

    def test_a_rank_that_cannot_take_part_is_told_by_rank_0(self):
        world = self.at / "world.sh"
        own = f"{sys.executable} {ROOT / 'examples/worlds/countdown.py'}"
        # A world sees nothing of the launcher, so its second process is the one that fails.
        world.write_text(f'if mkdir "{self.at}/first" 2>/dev/null; then exec {own}; else exit 3; fi\n')
        args = ["train", "--world", f"sh {world}", "--set", "iterations=1", "--set", "world.processes=1"]
        done = archer(*args, "--final-games", 0, "--quiet", "--out", self.at / "run", ranks=2)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count("rank 1 cannot take part: "), 1, done.stderr)
        self.assertNotIn("everything is saved", done.stderr)

    def test_a_hook_may_be_archer_again(self):
        hook = f"{ARCHER} inspect $ARCHER_RUN/model > {self.at}/inspected"
        self.train("hooked", "--on-checkpoint", hook, ranks=2)
        self.assertIn("model", (self.at / "inspected").read_text())

    def test_what_one_process_does_is_refused_to_several(self):
        for command in (["eval", "--model", "nowhere"], ["train", "--dry-run"]):
            done = archer(*command, ranks=2)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count("this command is for one"), 1, done.stderr)

    def test_a_wrong_command_is_told_once(self):
        done = archer("train", "--bogus", ranks=2)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("unexpected argument"), 1, done.stderr)
        done = archer("train", "--preset", "nothing", ranks=2)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("there is no preset nothing"), 1, done.stderr)


if __name__ == "__main__":
    ARCHER = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
