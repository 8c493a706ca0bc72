"""Safetensors files that hold a header and, behind it, nothing: a checkpoint's shards and the index that names them.

Format: the safetensors README (8 bytes of length, a JSON header padded with spaces, the data); names as save_pretrained gives them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sizeup.readers.safetensors import SHARDS_LIMIT

from .skeleton import Entry

SHARD_BYTES = 5 * 10**9
"""Bytes of a shard unless told otherwise; a tensor that is larger has a shard of its own."""
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Shard:
    """One file: what is written of it, and how long it is said to be."""

    name: str
    header: bytes
    file_bytes: int


def shards(entries: Sequence[Entry], shard_bytes: int = SHARD_BYTES) -> list[Shard]:
    """The files of a checkpoint in order. Every tensor is in exactly one, whole."""
    parts = list(_parts(entries, shard_bytes))
    made = []
    for number, part in enumerate(parts, 1):
        raw, size = header(part)
        made.append(Shard(f"model-{number:05}-of-{len(parts):05}.safetensors", raw, size))
    return made


def index(entries: Sequence[Entry], shard_bytes: int = SHARD_BYTES) -> bytes:
    """The index of the same files: tensor -> file, and the bytes of all tensors."""
    parts = list(_parts(entries, shard_bytes))
    where = {entry.name: f"model-{number:05}-of-{len(parts):05}.safetensors" for number, part in enumerate(parts, 1) for entry in part}
    content = {"metadata": {"total_size": sum(entry.bytes for entry in entries)}, "weight_map": where}
    return json.dumps(content, indent=0).encode()


def header(entries: Sequence[Entry]) -> tuple[bytes, int]:
    """The header of a file with these tensors one behind the other, and the bytes of the whole file."""
    listed: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for entry in entries:
        start, end = end, end + entry.bytes
        listed[entry.name] = {"dtype": entry.dtype, "shape": list(entry.shape), "data_offsets": [start, end]}
    text = json.dumps(listed, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, 8 + len(text) + end


def _parts(entries: Sequence[Entry], shard_bytes: int) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    size = 0
    # More shards than a reader allows would be of no use.
    shard_bytes = max(shard_bytes, sum(entry.bytes for entry in entries) // (SHARDS_LIMIT // 2))
    for entry in entries:
        if part and size + entry.bytes > shard_bytes:
            yield part
            part, size = [], 0
        part.append(entry)
        size += entry.bytes
    if part:
        yield part
