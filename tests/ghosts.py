"""Sparse model files with true headers and no weights: the files that the truth table was measured on.

`tests/data/ghost_headers/NAME-FTYPE.head.z` holds the file's true size (8 bytes, little endian) and its header, compressed.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "ghost_headers"
SUFFIX = ".head.z"


def names() -> list[str]:
    """Every ghost, as `NAME-FTYPE`."""
    return sorted(path.name[: -len(SUFFIX)] for path in FOLDER.glob(f"*{SUFFIX}"))


def ghost(name: str, folder: Path) -> Path:
    """Write the sparse file of this ghost into `folder` and return its path: full apparent size, a few KB of disk."""
    target = folder / f"{name}.gguf"
    if not target.exists():
        content = (FOLDER / f"{name}{SUFFIX}").read_bytes()
        (size,) = struct.unpack_from("<Q", content)
        partial = folder / f".{name}.{os.getpid()}"
        partial.write_bytes(zlib.decompress(content[8:]))
        os.truncate(partial, size)
        partial.rename(target)
    return target
