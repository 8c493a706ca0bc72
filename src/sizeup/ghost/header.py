"""The bytes of a GGUF header (version 3): metadata and tensor list. The `gguf` package is the oracle in tests.

Format: ggml's docs/gguf.md. Numbers are written as the converter does: counts as u32, other numbers as f32.
"""

from __future__ import annotations

import array
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sizeup.model import Tensor
from sizeup.quant import quant

ALIGNMENT = 32
U16, U32, I32, F32, BOOL, STRING, ARRAY, U64 = 2, 4, 5, 6, 7, 8, 9, 10


class Short(int):
    """A count that a reader wants in two bytes."""


class Signed(int):
    """A count that a reader wants with a sign."""


def header(metadata: Mapping[str, Any], tensors: Sequence[Tensor]) -> bytes:
    """A whole header up to the first tensor's byte. Tensors need a type and an offset (`placed`)."""
    keys = b"".join(_text(key) + _value(value) for key, value in metadata.items())
    listed = b"".join(map(_record, tensors))
    bare = b"GGUF" + struct.pack("<Iqq", 3, len(tensors), len(metadata)) + keys + listed
    return bare + bytes(-len(bare) % ALIGNMENT)


def data_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes behind the header: up to the end of the last tensor, padded."""
    end = max(((tensor.offset or 0) + tensor.bytes for tensor in tensors), default=0)
    return end + -end % ALIGNMENT


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _record(tensor: Tensor) -> bytes:
    number = quant(str(tensor.type)).id
    assert number is not None, f"{tensor.name} has no ggml type"
    axes = len(tensor.shape)
    return _text(tensor.name) + struct.pack(f"<I{axes}qIQ", axes, *tensor.shape, number, tensor.offset or 0)


def _value(value: Any) -> bytes:
    if isinstance(value, array.array):
        return struct.pack("<IIQ", ARRAY, {"i": I32, "f": F32}[value.typecode], len(value)) + value.tobytes()
    kind = _kind(value)
    if kind != ARRAY:
        return struct.pack("<I", kind) + _bare(kind, value)
    # A list takes the kind of its widest element; an empty one has none.
    inner = max(map(_kind, value), default=U32)
    return struct.pack("<IIQ", ARRAY, inner, len(value)) + b"".join(_bare(inner, entry) for entry in value)


def _kind(value: Any) -> int:
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, (Short, Signed)):
        return U16 if isinstance(value, Short) else I32
    if isinstance(value, int):
        return I32 if value < 0 else U32 if value < 1 << 32 else U64
    if isinstance(value, float):
        return F32
    return STRING if isinstance(value, str) else ARRAY


def _bare(kind: int, value: Any) -> bytes:
    if kind == STRING:
        return _text(value)
    return struct.pack({U16: "<H", U32: "<I", I32: "<i", F32: "<f", BOOL: "<?", U64: "<Q"}[kind], value)
