"""What a program of Linux asks of the machine that runs it, as its file tells."""

import re
import struct

# The kind of a segment that names the loader of shared libraries.
INTERPRETER = 3


def loader(binary):
    """The program that loads a program's shared libraries, or None where it needs none: 64 bits, little-endian."""
    if binary[:6] != b"\x7fELF\x02\x01":
        raise ValueError("this is no program of Linux for 64 bits")
    (begin,) = struct.unpack_from("<Q", binary, 32)
    size, count = struct.unpack_from("<HH", binary, 54)
    for number in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", binary, begin + number * size)
        if kind == INTERPRETER:
            return binary[offset : offset + length].rstrip(b"\0").decode()
    return None


def newest_glibc(binary):
    """The newest version of glibc that a program asks for, or None."""
    found = {tuple(map(int, version.split(b"."))) for version in re.findall(rb"GLIBC_(\d+\.\d+)", binary)}
    return ".".join(map(str, max(found))) if found else None
