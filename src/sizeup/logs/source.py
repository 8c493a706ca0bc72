"""The bytes of a log: of a file or of what is piped in, and no more than is read of one."""

from __future__ import annotations

import sys
from pathlib import Path

from sizeup.errors import NotFound, Unreadable

from .text import MOST_BYTES

PIPED = "-"


def content(path: str, piped: bool = True) -> bytes:
    """The first MOST_BYTES of a log; `piped` lets “-” mean what comes in. Raises NotFound, or Unreadable for a folder and what may not be read."""
    if path == PIPED and piped:
        return sys.stdin.buffer.read(MOST_BYTES)
    try:
        if not Path(path).is_file():
            raise NotFound(f"There is no log {path}.", "the path of a file, or - for what is piped in")
        with open(path, "rb") as file:
            return file.read(MOST_BYTES)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.", "chmod u+r " + path) from None
