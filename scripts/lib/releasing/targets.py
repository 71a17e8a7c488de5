"""Which targets a machine can build the program for."""

import shutil
from pathlib import Path


def static(host):
    """The target whose programs need nothing of the system's libraries and run on a host, or None."""
    return "x86_64-unknown-linux-musl" if host == "x86_64-unknown-linux-gnu" else None


def lacking(tree, target):
    """What this machine lacks for a static target, or None."""
    sysroot = Path(tree.run("rustc", "--print", "sysroot", quiet=True).strip())
    if not (sysroot / "lib/rustlib" / target / "lib").is_dir():
        return f"Rust's target {target}"
    return None if shutil.which("musl-gcc") else "musl-gcc"
