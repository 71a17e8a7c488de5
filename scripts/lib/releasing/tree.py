"""The sources as the release reads them: git, cargo, npm and the changelog."""

import json
import re
import subprocess
import tomllib
from functools import cached_property
from pathlib import Path


class Refusal(Exception):
    """One sentence that says what to do; nothing has been made."""


class Failure(Exception):
    """One sentence about what went wrong on the way."""


class Tree:
    """A checkout of the project."""

    def __init__(self, root):
        self.root = Path(root)

    def run(self, *command, folder=".", env=None, quiet=False):
        """Runs a command to its end; what it prints, where it is `quiet`."""
        pipe = subprocess.PIPE if quiet else None
        try:
            done = subprocess.run(command, cwd=self.root / folder, env=env, stdout=pipe, stderr=pipe, text=True)
        except FileNotFoundError:
            raise Failure(f"there is no {command[0]} here: run scripts/setup") from None
        if done.returncode:
            told = (done.stderr or "").strip().splitlines()[-1:]
            raise Failure(f"{' '.join(map(str, command))} failed{': ' if told else ''}{''.join(told)}")
        return done.stdout

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    @cached_property
    def manifest(self):
        return tomllib.loads(self.read("Cargo.toml"))

    @cached_property
    def package(self):
        return json.loads(self.read("pkg/package.json"))

    @cached_property
    def commit(self):
        return self.run("git", "rev-parse", "HEAD", quiet=True).strip()

    @cached_property
    def date(self):
        """Seconds since 1970 of the commit, so that the same sources make the same archives."""
        return int(self.run("git", "log", "-1", "--format=%ct", quiet=True))

    @cached_property
    def crates(self):
        """The workspace's crates by name, without what they depend on outside."""
        text = self.run("cargo", "metadata", "--no-deps", "--format-version", "1", "--offline", quiet=True)
        return {crate["name"]: crate for crate in json.loads(text)["packages"]}

    @cached_property
    def graph(self):
        """All packages that any build may need, as cargo tells it."""
        text = self.run("cargo", "metadata", "--locked", "--format-version", "1", quiet=True)
        return json.loads(text)

    def shipped(self):
        """The crates that are published, each after those that it depends on."""
        names = {name for name, crate in self.crates.items() if crate["publish"] != []}
        order = []

        def visit(name):
            if name in order or name not in names:
                return
            for needed in self.crates[name]["dependencies"]:
                if needed["kind"] != "dev":
                    visit(needed["name"])
            order.append(name)

        for name in sorted(names):
            visit(name)
        return order

    def section(self, version):
        """What the changelog says of a version, or None."""
        text = self.read("CHANGELOG.md")
        found = re.search(rf"^## {re.escape(version)}(?: .*)?\n(.*?)(?=^## |\Z)", text, re.M | re.S)
        return found and (found[1].strip() or None)
