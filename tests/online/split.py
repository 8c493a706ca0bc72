"""A GGUF file cut into parts, as llama.cpp's gguf-split does it (tools/gguf-split, b11549)."""

from __future__ import annotations

import struct
from pathlib import Path

from gguf import GGUFReader

UINT16, INT32 = 2, 5


def split(path: Path, count: int) -> dict[str, bytes]:
    """The parts of a file by name: the metadata in the first, the tensors shared out in order, and in each which one it is."""
    reader, content = GGUFReader(path), path.read_bytes()
    tensors = reader.tensors
    first_info = min(tensor.field.offset for tensor in tensors)
    (fields,) = struct.unpack_from("<Q", content, 16)
    found = {}
    for number in range(count):
        mine = tensors[number * len(tensors) // count : (number + 1) * len(tensors) // count]
        said = {"split.no": (UINT16, "H", number), "split.count": (UINT16, "H", count), "split.tensors.count": (INT32, "i", len(tensors))}
        metadata, entries = (content[24:first_info], fields) if number == 0 else (b"", 0)
        for key, (kind, form, value) in said.items():
            metadata += struct.pack("<Q", len(key)) + key.encode() + struct.pack(f"<I{form}", kind, value)
        infos, data = b"", b""
        for tensor in mine:
            at = tensor.field.offset
            info = content[at : at + sum(part.nbytes for part in tensor.field.parts)]
            infos += info[:-8] + struct.pack("<Q", len(data))
            raw = content[tensor.data_offset : tensor.data_offset + int(tensor.n_bytes)]
            data += raw + bytes(-len(raw) % 32)
        head = b"GGUF" + struct.pack("<IQQ", 3, len(mine), entries + len(said)) + metadata + infos
        found[f"{path.stem}-{number + 1:05}-of-{count:05}.gguf"] = head + bytes(-len(head) % 32) + data
    return found
