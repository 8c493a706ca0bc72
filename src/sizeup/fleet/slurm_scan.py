"""Looks at a Slurm cluster through its own programs: `scontrol` and `sinfo`. Release 22.05 has no `--json`, so that their text is read."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import NotFound, Unavailable, Unreadable
from .node import Inventory
from .slurm_node import node
from .slurm_text import nodes

TYPED = "scontrol -d -o show node > nodes.txt, then --slurm-file nodes.txt"
MOST_BYTES = 1 << 30


def scan(timeout: float = 60.0) -> Inventory:
    """The cluster of this machine. Raises Unavailable without Slurm's programs or when its controller does not answer."""
    if shutil.which("scontrol") is None:
        raise Unavailable("scontrol is not here: Slurm's programs are on its login nodes.", TYPED)
    # -d tells which cards are used, not only how many were granted.
    text = _told(["scontrol", "-d", "-o", "show", "node"], timeout)
    version = re.search(r"\d[\w.]*", _told(["scontrol", "--version"], timeout))
    controller = re.search(r"\) at (\S+) ", _told(["scontrol", "ping"], timeout, fails=True))
    rows = (line.split() for line in _told(["sinfo", "-h", "-o", "%R %a"], timeout).splitlines())
    closed = frozenset(row[0] for row in rows if len(row) == 2 and row[1] != "up")
    return inventory(text, controller[1] if controller else "scontrol", version[0] if version else "", closed)


def read(path: str) -> Inventory:
    """The same from what `scontrol show node` printed; “-” is what comes in. Raises NotFound, Unreadable."""
    try:
        raw = sys.stdin.buffer.read(MOST_BYTES) if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.", TYPED) from None
    return inventory(raw.decode("utf-8", "replace"), "" if path == "-" else Path(path).name)


def inventory(text: str, address: str, version: str = "", closed: frozenset[str] = frozenset()) -> Inventory:
    """The nodes of a text. Raises Unreadable where it names none."""
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    # Both forms of one node may stand in a text; the later one counts.
    found = {fields["NodeName"]: node(fields, date, closed) for fields in nodes(text)}
    if not found:
        raise Unreadable(f"{address} lists no node." if address else "What came in lists no node.", TYPED)
    return Inventory("slurm", address, tuple(found.values()), date, version)


def _told(command: list[str], timeout: float, fails: bool = False) -> str:
    """What a program printed. Raises Unavailable when it fails, unless it may."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"Slurm did not answer within {timeout:g} s.", "--timeout with more seconds") from None
    if done.returncode and not fails:
        said = (done.stderr.strip().splitlines() or ["no reason told"])[-1][:300].rstrip(".")
        raise Unavailable(f"Slurm does not answer: {said}.", "scontrol ping")
    return done.stdout
