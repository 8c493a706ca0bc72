"""Which files are the same: names of one file, and copies of one content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from .entry import Stored

LEAST_BYTES = 1 << 20
"""Smaller files are not worth a comparison."""
SAMPLES = 33
SAMPLE_BYTES = 64 << 10


class Copies(NamedTuple):
    """One content that lies here several times: a file each, with all its names."""

    files: tuple[Stored, ...]
    certain: bool
    """By the SHA-256 that stores name them by; otherwise by size and by samples from beginning to end, not read whole."""

    @property
    def spare_bytes(self) -> int:
        """What one copy alone would free."""
        return sum(file.bytes for file in self.files[1:])


def files_once(files: Iterable[Stored]) -> list[Stored]:
    """Each file once, however many names it has; of its names the first, with the digest that any of them tells."""
    found: dict[tuple[int, int], Stored] = {}
    for file in files:
        known = found.get(file.inode)
        if known is None:
            found[file.inode] = file
        elif file.digest and not known.digest:
            found[file.inode] = known._replace(digest=file.digest)
    return list(found.values())


def copies(files: Iterable[Stored]) -> list[Copies]:
    """Contents that take room more than once, most room first."""
    sizes: dict[int, list[Stored]] = {}
    for file in files_once(files):
        if file.bytes >= LEAST_BYTES:
            sizes.setdefault(file.bytes, []).append(file)
    found = []
    for alike in sizes.values():
        if len(alike) > 1:
            found += _groups(alike)
    return sorted(found, key=lambda group: -group.spare_bytes)


def _groups(alike: list[Stored]) -> list[Copies]:
    """Files of one size by content. Digests decide where both tell one; samples where one does not."""
    contents: dict[str, list[Stored]] = {}
    if all(file.digest for file in alike):
        for file in alike:
            contents.setdefault(file.digest, []).append(file)
    else:
        for file in alike:
            key = sampled(file)
            if key is not None:
                contents.setdefault(key, []).append(file)
    found = []
    for group in contents.values():
        digests = {file.digest for file in group}
        # Two digests under one sample: contents that differ where nothing was sampled. Nobody is told to drop one.
        if len(group) > 1 and len(digests - {""}) <= 1:
            found.append(Copies(tuple(group), "" not in digests))
    return found


def sampled(file: Stored) -> str | None:
    """A sum over pieces of a file from its beginning to its end; None when it cannot be read."""
    seen = hashlib.sha256(str(file.bytes).encode())
    try:
        with file.path.open("rb", buffering=0) as opened:
            for index in range(SAMPLES):
                opened.seek(max(file.bytes - SAMPLE_BYTES, 0) * index // (SAMPLES - 1))
                seen.update(opened.read(SAMPLE_BYTES))
    except OSError:
        return None
    return seen.hexdigest()
