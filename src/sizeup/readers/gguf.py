"""The header of a GGUF file: metadata and the tensor list. Weights are never read; cost follows the header, not the file.

Own reader because headers come from strangers: every count is checked against what is left before anything is kept,
and token texts are passed over. Format: ggml's docs/gguf.md, versions 2 and 3; the `gguf` package is the oracle in tests.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import NotFound, Unreadable
from ..model import Tensor
from ..quant import ggml_types
from ..units import show_bytes
from .ranges import Cursor, FileSource, RangeSource, cut_short

HEADER_LIMIT = 1 << 28
"""Bytes a header may take; the largest vocabularies need 15 MB."""
KEYS_LIMIT = 1 << 16
TENSORS_LIMIT = 1 << 17
ELEMENTS_LIMIT = 1 << 22
"""Elements of one array; the longest known have about 500,000 (merges of a tokenizer)."""
KEPT_ELEMENTS = 4096
"""Longer number arrays are summarised; per-layer arrays are far shorter."""
NAME_LIMIT = 1 << 10
STRING_LIMIT = 1 << 24
KEPT_STRING = 1 << 16
AXES_LIMIT = 4

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9

SPLIT_NAME = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")


class ArraySummary(NamedTuple):
    """An array that was passed over: how many elements, how many bytes in the file."""

    length: int
    bytes: int


class Header(NamedTuple):
    """What one GGUF file says before its weights."""

    path: str
    version: int
    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]
    data_start: int
    """Offset of the first tensor byte."""
    file_bytes: int

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))


def read_header(path: str | Path) -> Header:
    """The header of one local file. Raises NotFound or Unreadable, in milliseconds, whatever the file holds."""
    with FileSource(path) as source:
        return header_from(source)


def header_from(source: RangeSource) -> Header:
    """The header behind a range source, checked against the source's size."""
    cursor = Cursor(source, HEADER_LIMIT)
    reader = Reader(cursor, source.name)
    try:
        return reader.header()
    except EOFError:
        if cursor.limited:
            raise Unreadable(f"{source.name} has a header of more than {show_bytes(HEADER_LIMIT)}.", "another copy of the file") from None
        raise Unreadable(f"{source.name} ends inside its header: {show_bytes(source.size)} are here.", "download it again") from None
    except struct.error:
        raise Unreadable(f"{source.name} has a damaged header.", "download it again") from None


def begun(start: bytes) -> str:
    """The first four bytes as a person reads them: letters where they are some, else their hexadecimal digits."""
    word = start[:4].decode("ascii", "replace")
    return word if word.isascii() and word.isprintable() else start[:4].hex(" ")


class Reader:
    """Walks one header."""

    def __init__(self, cursor: Cursor, name: str) -> None:
        self.cursor, self.name = cursor, name

    def bad(self, what: str, hint: str = "download it again") -> Unreadable:
        return Unreadable(f"{self.name} is not a sound GGUF file: {what}.", hint)

    def header(self) -> Header:
        magic = self.cursor.take(4)
        if magic != b"GGUF":
            raise self.bad(f"it begins with “{begun(magic)}”, not with GGUF", "a .gguf file")
        (version,) = struct.unpack("<I", self.cursor.take(4))
        if version & 0xFFFF == 0 and version:
            raise self.bad("it is big-endian, which no engine on this kind of machine reads", "the little-endian file")
        if version not in (2, 3):
            raise self.bad(f"its version is {version}; 2 and 3 are known", "a file from a current converter")
        tensors, keys = self.counts()
        metadata = self.metadata(keys)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 8 or alignment & (alignment - 1) or alignment > 1 << 20:
            raise self.bad(f"its alignment is {str(alignment)[:40]}, not a power of two")
        raw = [self.tensor() for _ in range(tensors)]
        start = -(-self.cursor.offset // alignment) * alignment
        self.check(raw, start, alignment)
        return Header(self.name, version, metadata, tuple(raw), start, self.cursor.source.size)

    def counts(self) -> tuple[int, int]:
        tensors, keys = struct.unpack("<qq", self.cursor.take(16))
        left = self.cursor.source.size - self.cursor.offset
        # The shortest key takes 13 bytes, the shortest tensor record 33.
        for count, smallest, limit, what in ((keys, 13, KEYS_LIMIT, "metadata keys"), (tensors, 33, TENSORS_LIMIT, "tensors")):
            if not 0 <= count <= limit or count * smallest > left:
                raise self.bad(f"it claims {count:,} {what} in {show_bytes(self.cursor.source.size)}")
        return tensors, keys

    def metadata(self, keys: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(keys):
            key = self.text(NAME_LIMIT, "a key")
            if key in found:
                raise self.bad(f"the key “{key[:80]}” stands twice")
            (kind,) = struct.unpack("<I", self.cursor.take(4))
            found[key] = self.value(kind, key)
        return found

    def text(self, limit: int, what: str) -> str:
        (length,) = struct.unpack("<Q", self.cursor.take(8))
        if length > limit:
            raise self.bad(f"{what} claims {length:,} bytes")
        return self.cursor.take(length).decode("utf-8", "replace")

    def value(self, kind: int, key: str) -> Any:
        if kind in SCALARS:
            layout = "<" + SCALARS[kind]
            return struct.unpack(layout, self.cursor.take(struct.calcsize(layout)))[0]
        if kind == STRING:
            (length,) = struct.unpack("<Q", self.cursor.take(8))
            if length > STRING_LIMIT:
                raise self.bad(f"the text of {key} claims {length:,} bytes")
            if length > KEPT_STRING:
                self.cursor.skip(length)
                return ArraySummary(length, length)
            return self.cursor.take(length).decode("utf-8", "replace")
        if kind == ARRAY:
            return self.array(key)
        raise self.bad(f"the value of {key} has the unknown type {kind}")

    def array(self, key: str) -> Any:
        kind, length = struct.unpack("<IQ", self.cursor.take(12))
        self.sized(length, key)
        if kind in SCALARS:
            layout = f"<{length}{SCALARS[kind]}"
            bytes = struct.calcsize(layout)
            if length > KEPT_ELEMENTS:
                self.cursor.skip(bytes)
                return ArraySummary(length, bytes)
            return list(struct.unpack(layout, self.cursor.take(bytes)))
        if kind == STRING:
            return self.strings(length, key)
        raise self.bad(f"the array {key} holds the unsupported type {kind}")

    def sized(self, length: int, key: str) -> None:
        """Refuse an array that no header holds."""
        if length > ELEMENTS_LIMIT:
            raise self.bad(f"the array {key} claims {length:,} elements")

    def strings(self, length: int, key: str) -> Any:
        """Pass over texts; the first few dozen of a short array are kept (names of languages, tags)."""
        if length <= 64:
            return [self.text(STRING_LIMIT, f"an element of {key}") for _ in range(length)]
        cursor, start = self.cursor, self.cursor.offset
        size_of = struct.Struct("<Q").unpack_from
        left = length
        # The hot loop of every header: a quarter of a million tokens, so one step each and the bounds left to unpack_from.
        while left:
            buffer, at, passed = cursor.buffer, cursor.at, 0
            try:
                for passed in range(left):  # noqa: B007  how far it came is read below
                    at += 8 + size_of(buffer, at)[0]
                passed = left
            except (struct.error, OverflowError):
                pass  # the next size lies outside of this chunk
            if at > len(buffer) + STRING_LIMIT:
                raise self.bad(f"an element of {key} claims {at - len(buffer):,} bytes")
            cursor.skip(at - cursor.at)
            left -= passed
            if left:
                cursor.need(8)
        return ArraySummary(length, cursor.offset - start)

    def tensor(self) -> Tensor:
        name = self.text(NAME_LIMIT, "a tensor's name")
        (axes,) = struct.unpack("<I", self.cursor.take(4))
        if not 1 <= axes <= AXES_LIMIT:
            raise self.bad(f"the tensor {name} has {axes} axes")
        shape = struct.unpack(f"<{axes}q", self.cursor.take(8 * axes))
        (kind,) = struct.unpack("<I", self.cursor.take(4))
        (offset,) = struct.unpack("<Q", self.cursor.take(8))
        elements = 1
        for side in shape:
            elements *= side
            if side < 1 or elements > 1 << 62:
                raise self.bad(f"the tensor {name} has the shape {'x'.join(map(str, shape))}")
        found = ggml_types().get(kind)
        if found is None:
            raise self.bad(f"the tensor {name} has the unknown type {kind}", "a newer sizeup")
        if shape[0] % found.block:
            raise self.bad(f"rows of {name} have {shape[0]} values, not a multiple of {found.name}'s block of {found.block}")
        return Tensor(name, shape, found.name, offset)

    def check(self, tensors: Sequence[Tensor], start: int, alignment: int) -> None:
        """Names unique; offsets aligned, apart and inside the file."""
        if len({t.name for t in tensors}) != len(tensors):
            raise self.bad("two tensors have one name")
        size = self.cursor.source.size
        order = sorted(range(len(tensors)), key=lambda i: tensors[i].offset or 0)
        end, before = 0, ""
        for place, index in enumerate(order):
            tensor = tensors[index]
            offset = tensor.offset or 0
            if offset % alignment:
                raise self.bad(f"the tensor {tensor.name} does not begin at a multiple of {alignment}")
            if offset < end:
                raise self.bad(f"the tensors {before} and {tensor.name} overlap")
            end, before = offset + tensor.bytes, tensor.name
            if start + end > size:
                whole = start + max((t.offset or 0) + t.bytes for t in tensors)
                if whole > 1 << 60:
                    raise self.bad(f"the tensor {tensor.name} would end {show_bytes(start + end)} into the file")
                raise cut_short(self.cursor.source, place + 1, len(tensors), whole)


def read_headers(path: str | Path) -> tuple[Header, ...]:
    """The headers of a model's files in order: one, or every part of a split file, whichever part is named."""
    path = Path(path)
    match = SPLIT_NAME.match(path.name)
    first = read_header(path)
    said = first.metadata.get("split.count", 1 if not match else int(match["count"]))
    if not match or said in (0, 1):
        if isinstance(said, int) and said > 1:
            raise Unreadable(f"{path} is one part of {said}, but its name does not say which.", f"{path.stem}-00001-of-{said:05}.gguf")
        return (first,)
    count = int(match["count"])
    if said != count or count > 10_000:
        raise Unreadable(f"{path.name} says {count} parts in its name and {said} inside.", "download it again")
    paths = [path.with_name(f"{match['stem']}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1)]
    headers: list[Header] = []
    for number, part in enumerate(paths):
        try:
            header = first if part == path else read_header(part)
        except NotFound:
            raise NotFound(
                f"Part {number + 1} of {count} is missing: {part.name}.", "download the missing part into the same folder"
            ) from None
        headers.append(header)
    return joined(headers, [part.name for part in paths], match["stem"])


def joined(headers: Sequence[Header], names: Sequence[str], stem: str) -> tuple[Header, ...]:
    """The headers of a split file's parts in order, when they are that. Raises Unreadable for parts of something else."""
    count = len(headers)
    for number, header in enumerate(headers):
        if header.metadata.get("split.no", number) != number or header.metadata.get("split.count", count) != count:
            raise Unreadable(
                f"{names[number]} says it is part {header.metadata.get('split.no')} of {header.metadata.get('split.count')}.",
                "download it again",
            )
    total = headers[0].metadata.get("split.tensors.count")
    found = sum(len(header.tensors) for header in headers)
    if isinstance(total, int) and total != found:
        raise Unreadable(f"Tensors in the {count} parts: {found:,}, not {total:,} as the first says.", "download the parts again")
    tensors = [tensor.name for header in headers for tensor in header.tensors]
    if len(set(tensors)) != len(tensors):
        raise Unreadable(f"Two parts of {stem} hold the same tensor.", "download the parts again")
    return tuple(headers)
