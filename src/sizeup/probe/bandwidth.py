"""How fast this machine reads its memory: the measurement as it is kept in the user's data folder, dated."""

from __future__ import annotations

import json
from typing import NamedTuple

from sizeup.facts import Source
from sizeup.home import data_dir, write_atomically

FILE = "bandwidth.json"


class Bandwidth(NamedTuple):
    """A measured rate in bytes per second and how it was found."""

    bytes_per_s: float
    how: str
    date: str
    threads: int
    cpu: str
    """The processor it was measured on; a data folder may travel."""

    @property
    def source(self) -> Source:
        return Source("measured", self.how, self.date)


def keep(bandwidth: Bandwidth) -> None:
    """Store a measurement for the next answers."""
    content = bandwidth._asdict()
    write_atomically(data_dir() / FILE, (json.dumps(content) + "\n").encode())


def kept(cpu: str) -> Bandwidth | None:
    """The stored measurement of this processor; None when there is none, or it is of another one or unreadable."""
    try:
        found = Bandwidth(**json.loads((data_dir() / FILE).read_bytes()))
    except Exception:  # a damaged file is as good as none: it is measured again
        return None
    return found if found.cpu == cpu and found.bytes_per_s > 0 else None
