"""Small reads below a root, so that a recorded tree can stand for a machine. Absent is None; garbled is for the caller to name."""

from __future__ import annotations

import os
from pathlib import Path

LIMIT_BYTES = 4 << 20
"""No file of /proc or /sys that we read is longer; a longer one is cut."""


def text(root: Path, path: str) -> str | None:
    """The content of `path` (absolute, as the machine names it) below `root`; None when it is absent or may not be read."""
    try:
        with (root / path.lstrip("/")).open("rb") as file:
            return file.read(LIMIT_BYTES).decode(errors="replace")
    except (OSError, ValueError):
        return None


def word(root: Path, path: str) -> str | None:
    """A file of one word, without the line end; None when absent or empty. Device-tree strings end in a NUL."""
    content = text(root, path)
    return (content.strip().strip("\0").strip() or None) if content is not None else None


def number(root: Path, path: str) -> int | None:
    """A file of one integer; None when absent or anything else ("max")."""
    content = word(root, path)
    if content is None:
        return None
    try:
        return int(content)
    except ValueError:
        return None


MOST_BYTES = 1 << 60
"""A larger size is a broken counter, not memory."""


def size(root: Path, path: str, least: int = 1) -> int | None:
    """A file of one number of bytes; None when it is absent, no number, below `least` or more than any machine has."""
    found = number(root, path)
    return found if found is not None and least <= found < MOST_BYTES else None


def digits(written: str) -> bool:
    """Whether it is a plain number that `int` takes: str.isdigit also says so of "²", and of numbers too long to be any."""
    return written.isascii() and written.isdigit() and len(written) <= 20


def hexadecimal(root: Path, path: str) -> int | None:
    """A file of one number such as 0x1002; None when absent or anything else."""
    content = word(root, path) or ""
    try:
        return int(content, 16)
    except ValueError:
        return None


def names(root: Path, path: str) -> tuple[str, ...]:
    """What lies in a folder, in order; nothing when it is absent, no folder or may not be read."""
    try:
        return tuple(sorted(os.listdir(root / path.lstrip("/"))))
    except (OSError, ValueError):
        return ()


def settings(content: str | None) -> dict[str, str]:
    """Lines of "NAME=value", as in uevent files."""
    return {name: value.strip() for line in (content or "").splitlines() for name, equals, value in [line.partition("=")] if equals}


def ids(words: str | None) -> frozenset[int] | None:
    """A kernel list of CPUs ("0-3,8"); None when it is empty or not such a list."""
    found: set[int] = set()
    for part in (words or "").strip().split(","):
        first, dash, last = part.partition("-")
        if not digits(first) or (dash and not digits(last)) or (dash and int(last) > 1 << 20):
            return None
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found) or None


def fields(content: str | None) -> dict[str, int]:
    """Lines of "name value" or "name: value kB" as integers; lines of any other shape are left out. kB become bytes."""
    found: dict[str, int] = {}
    for line in (content or "").splitlines():
        parts = line.replace(":", " ", 1).split()
        if len(parts) >= 2 and digits(parts[1]):
            found[parts[0]] = int(parts[1]) * (1024 if parts[2:] == ["kB"] else 1)
    return found
