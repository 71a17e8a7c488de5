#!/usr/bin/env python3
"""scripts/release refuses what it says it refuses, in a clone of this checkout; nothing is built.

usage: python3 tests/release/check.py
"""

import json
import re
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/lib"))

from releasing import checks, elf, sbom, targets  # noqa: E402
from releasing.tree import Refusal, Tree  # noqa: E402

HERE = Tree(ROOT)
VERSION = HERE.manifest["workspace"]["package"]["version"]
GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]


class Release(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.root = Path(cls.temporary.name) / "archer"
        subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, cls.root], check=True)
        # What is being changed here is checked, and not what was committed last.
        changed = subprocess.run(["git", "diff", "--binary", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        if changed:
            subprocess.run(["git", "apply"], cwd=cls.root, input=changed, check=True)
        if not Tree(cls.root).section(VERSION):
            cls.edit("CHANGELOG.md", lambda text: text.replace("## Unreleased", f"## {VERSION}\n\n- Everything.\n\n## Older", 1))
        cls.commit()
        cls.ready = cls.git("rev-parse", "HEAD").strip()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def tearDown(self):
        self.git("reset", "--quiet", "--hard", self.ready)
        self.git("clean", "--quiet", "-fd")

    @classmethod
    def git(cls, *words):
        return subprocess.run([*GIT, *words], cwd=cls.root, check=True, capture_output=True, text=True).stdout

    @classmethod
    def commit(cls):
        cls.git("add", "--all")
        cls.git("commit", "--quiet", "--allow-empty", "--message", "a change")

    @classmethod
    def edit(cls, path, change):
        before = (cls.root / path).read_text(encoding="utf-8")
        after = change(before)
        assert before != after, f"{path} is not what this test expects"
        (cls.root / path).write_text(after, encoding="utf-8")

    def check(self, version=VERSION):
        command = [sys.executable, ROOT / "scripts/release", version, "--check", "--root", self.root]
        return subprocess.run(command, capture_output=True, text=True)

    def refused(self, sentence, version=VERSION):
        done = self.check(version)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertRegex(done.stderr, sentence)

    def set_repository(self, address):
        self.edit("Cargo.toml", lambda text: re.sub(r'^repository = ".*"', f'repository = "{address}"', text, flags=re.M))

    def reasons(self):
        return " ".join(checks.not_uploadable(Tree(self.root)))

    def test_a_placeholder_is_never_uploadable(self):
        self.set_repository("https://repository.invalid/a")
        self.assertRegex(self.reasons(), "gives https://repository.invalid/a as the repository, a placeholder")
        address = "https://code.example/archer"
        self.set_repository(address)
        self.assertRegex(self.reasons(), "pkg/package.json does not name the repository")
        package = {**json.loads((self.root / "pkg/package.json").read_text()), "repository": {"type": "git", "url": f"git+{address}.git"}}
        (self.root / "pkg/package.json").write_text(json.dumps(package, indent=2) + "\n")
        self.commit()
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, f"archer {VERSION} can be made of [0-9a-f]{{12}}: archer-input")

    def test_a_tree_with_changes(self):
        (self.root / "stray.txt").write_text("stray")
        self.refused(r"the tree has changes \(stray\.txt\): commit or remove them first")

    def test_versions(self):
        self.refused("0.1 is no version", "0.1")
        self.refused("Cargo.toml says .* and not 99.0.0", "99.0.0")
        self.edit("pkg/package.json", lambda text: text.replace(f'"version": "{VERSION}"', '"version": "7.7.7"'))
        self.commit()
        self.refused("pkg/package.json says 7.7.7 and not")

    def test_a_changelog_without_the_section(self):
        self.edit("CHANGELOG.md", lambda text: text.replace(f"## {VERSION}", "## 7.7.7"))
        self.commit()
        self.refused(f"CHANGELOG.md has no section '## {re.escape(VERSION)}' with text")

    def test_a_file_that_is_not_in_the_package(self):
        self.edit("crates/cli/Cargo.toml", lambda text: text.replace(', "/presets"', ""))
        self.commit()
        self.refused("of archer-cli embeds presets/[a-z-]+.toml, which is not in its package")

    def test_a_dependency_that_is_not_published(self):
        self.edit("crates/world/Cargo.toml", lambda text: text.replace("repository.workspace", "publish = false\nrepository.workspace"))
        with self.assertRaisesRegex(Refusal, "needs archer-world, which is not: publish both or none"):
            checks.crates_can_be_packaged(Tree(self.root))

    def test_a_licence_that_is_not_allowed(self):
        self.edit("deny.toml", lambda text: text.replace('    "Unicode-3.0",\n', ""))
        with self.assertRaisesRegex(Refusal, "is under .*Unicode-3.0.*, which deny.toml does not allow"):
            checks.licences_are_allowed(Tree(self.root))

    def test_a_folder_that_holds_something_else(self):
        mine = Path(self.temporary.name) / "mine"
        mine.mkdir()
        (mine / "SHA256SUMS").write_text("of something else")
        command = [sys.executable, ROOT / "scripts/release", VERSION, "--out", mine, "--root", self.root]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, "mine is there and is no release: give --out a folder that is not there yet")
        self.assertEqual((mine / "SHA256SUMS").read_text(), "of something else")

    def test_licence_expressions(self):
        for said, allowed, expected in [
            ("MIT/Apache-2.0", ["MIT"], True),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", ["MIT"], False),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", ["MIT", "Unicode-3.0"], True),
            ("Apache-2.0 WITH LLVM-exception", ["Apache-2.0"], False),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", ["Apache-2.0 WITH LLVM-exception"], True),
        ]:
            self.assertEqual(checks.allows(said, allowed), expected, said)

    def test_what_a_program_asks_of_the_machine(self):
        def program(*kinds):
            """A file of which only the table of segments is true."""
            name = b"/lib64/ld-linux-x86-64.so.2\0"
            begin = 64 + 56 * len(kinds)
            segments = [struct.pack("<IIQQQQQQ", kind, 4, begin, 0, 0, len(name), len(name), 1) for kind in kinds]
            head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(kinds), 0, 0, 0)
            return head + b"".join(segments) + name

        self.assertEqual(elf.loader(program(6, elf.INTERPRETER, 1)), "/lib64/ld-linux-x86-64.so.2")
        self.assertIsNone(elf.loader(program(1, 2)))
        with self.assertRaisesRegex(ValueError, "no program of Linux"):
            elf.loader(b"MZ" + bytes(100))
        self.assertEqual(elf.newest_glibc(b"GLIBC_2.9 GLIBC_2.34 GLIBC_2.4"), "2.34")
        self.assertIsNone(elf.newest_glibc(b"none"))

    def test_a_static_program_is_made_where_its_target_is(self):
        self.assertEqual(targets.static("x86_64-unknown-linux-gnu"), "x86_64-unknown-linux-musl")
        self.assertIsNone(targets.static("aarch64-apple-darwin"))
        self.assertEqual(targets.lacking(HERE, "x86_64-unknown-nothing"), "Rust's target x86_64-unknown-nothing")

    def test_what_the_static_program_is_made_of(self):
        host, static = (dict(sbom.parts_of(HERE, "archer-cli", f"x86_64-unknown-linux-{c}", "normal")[1]) for c in ["gnu", "musl"])
        self.assertEqual({name for name, _ in static.keys() - host.keys()}, {"libmimalloc-sys", "mimalloc"})
        self.assertIn("Microsoft Corporation, Daan Leijen", sbom.notices(HERE, ["archer-cli"], "x86_64-unknown-linux-musl"))

    def test_nothing_to_compare_with(self):
        command = [sys.executable, ROOT / "scripts/semver", "--root", self.root]
        for tag in self.git("tag").split():
            self.git("tag", "--delete", tag)
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, "^semver: there is no tag vX.Y.Z before this commit, so there is nothing to compare with yet\n$")
        done = subprocess.run([*command, "v99.0.0"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, "there is no revision v99.0.0 here")

    def test_what_the_program_is_made_of(self):
        bom = sbom.cyclonedx(HERE, "archer-cli", "x86_64-unknown-linux-gnu")
        names = [part["name"] for part in bom["components"]]
        for expected in ["archer", "archer-games", "burn", "clap"]:
            self.assertIn(expected, names)
        for other in ["proptest", "archer-session", "ctrlc", "burn-wgpu"]:
            self.assertNotIn(other, names)
        references = {part["bom-ref"] for part in [*bom["components"], bom["metadata"]["component"]]}
        self.assertEqual(len(references), len(bom["components"]) + 1)
        for entry in bom["dependencies"]:
            self.assertLessEqual({entry["ref"], *entry["dependsOn"]}, references)
        for part in bom["components"]:
            self.assertTrue(part["name"].startswith("archer") or part.get("hashes"), part)

    def test_the_licences_of_what_is_in_the_modules(self):
        told = sbom.notices(HERE, ["archer-wasm", "archer-games-web"], "wasm32-unknown-unknown", "--all-features")
        for expected in ["archer-wasm and archer-games-web: built with", "wasm-bindgen ", "wgpu ", "colored ", "Mozilla Public License"]:
            self.assertIn(expected, told)
        self.assertNotIn("tokenizers ", told)


if __name__ == "__main__":
    unittest.main()
