"""GGUF files byte by byte: sound ones, and every way to break one."""

from __future__ import annotations

import struct


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def entry(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}q", len(shape), *shape) + struct.pack("<IQ", kind, offset)


def file(entries: list[bytes], listed: list[bytes] | None = None, data: int = 0, **claims: int) -> bytes:
    """A GGUF file; `claims` says other counts than there are."""
    listed = listed or []
    counts = struct.pack("<qq", claims.get("tensors", len(listed)), claims.get("keys", len(entries)))
    raw = b"GGUF" + struct.pack("<I", claims.get("version", 3)) + counts + b"".join(entries) + b"".join(listed)
    return raw + bytes(-len(raw) % 32) + bytes(data)


ARCH = entry("general.architecture", 8, text("llama"))
TWO = [tensor("a", (64,)), tensor("b", (64,), offset=256)]

BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing in it": (b"", "ends inside its header"),
    "wrong magic": (b"PK\x03\x04" + bytes(100), "not with GGUF"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + bytes(64), "big-endian"),
    "version 1": (file([ARCH], version=1), "its version is 1"),
    "version 99": (file([ARCH], version=99), "its version is 99"),
    "2^60 tensors": (file([ARCH], tensors=1 << 60), "claims 1,152,921,504,606,846,976 tensors"),
    "-1 tensors": (file([ARCH], tensors=-1), "claims -1 tensors"),
    "2^60 keys": (file([ARCH], keys=1 << 60), "metadata keys"),
    "a key of 2^62 bytes": (file([struct.pack("<Q", 1 << 62) + b"x"] * 3), "a key claims 4,611,686,018,427,387,904 bytes"),
    "a text of 2^62 bytes": (file([ARCH, text("k") + struct.pack("<IQ", 8, 1 << 62)]), "the text of k claims"),
    "a text of 16 MB in 100 bytes": (file([ARCH, text("k") + struct.pack("<IQ", 8, 1 << 24)]), "ends inside its header"),
    "an array of 2^62": (file([ARCH, text("k") + struct.pack("<IIQ", 9, 4, 1 << 62)]), "the array k claims"),
    "a token of 2^62 bytes": (
        file([ARCH, text("k") + struct.pack("<IIQ", 9, 8, 100) + text("x") * 5 + struct.pack("<Q", 1 << 62) + bytes(900)]),
        "an element of k claims",
    ),
    "a token of 2^64 - 1 bytes": (
        file([ARCH, text("k") + struct.pack("<IIQ", 9, 8, 100) + text("x") * 5 + bytes([255] * 8) + bytes(900)]),
        "an element of k claims",
    ),
    "an array of arrays": (file([ARCH, text("k") + struct.pack("<IIQ", 9, 9, 1) + bytes(40)]), "unsupported type 9"),
    "an unknown value type": (file([ARCH, entry("k", 77, bytes(16))]), "unknown type 77"),
    "a key twice": (file([ARCH, ARCH]), "stands twice"),
    "an alignment of 3": (file([ARCH, entry("general.alignment", 4, struct.pack("<I", 3))]), "not a power of two"),
    "an alignment of 0": (file([ARCH, entry("general.alignment", 4, bytes(4))]), "not a power of two"),
    "an unknown tensor type": (file([ARCH], [tensor("a", (64,), kind=999)], 512), "unknown type 999"),
    "a side of 0": (file([ARCH], [tensor("a", (0,))], 512), "the shape 0"),
    "a side of -1": (file([ARCH], [tensor("a", (-1, 4))], 512), "the shape -1x4"),
    "2^62 x 2^62": (file([ARCH], [tensor("a", (1 << 62, 1 << 62))], 512), "the shape"),
    "nine axes": (file([ARCH], [tensor("a", (1,) * 9)], 512), "has 9 axes"),
    "half a block": (file([ARCH], [tensor("a", (33,), kind=2)], 512), "not a multiple of Q4_0's block of 32"),
    "a name twice": (file([ARCH], [TWO[0], TWO[0]], 512), "two tensors have one name"),
    "overlapping": (file([ARCH], [tensor("a", (64,)), tensor("b", (64,), offset=32)], 512), "the tensors a and b overlap"),
    "not aligned": (file([ARCH], [tensor("a", (64,), offset=5)], 512), "does not begin at a multiple of 32"),
    "outside of the file": (file([ARCH], [tensor("a", (64,), offset=1 << 62)], 512), "into the file"),
    "the end is missing": (file([ARCH], TWO, 300), "ends in the middle of tensor 2 of 2"),
    "no data at all": (file([ARCH], TWO), "ends in the middle of tensor 1 of 2"),
}
