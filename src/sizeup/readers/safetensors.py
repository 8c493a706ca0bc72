"""The header of a safetensors file: the tensor list, never the weights. One file, or the shards that an index names.

Format: the safetensors README (8 bytes of length, a JSON header, the data). Own reader because headers come from strangers:
entries are read one by one, every offset is checked against the file, and no file outside the index's folder is opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import NotFound, Unreadable
from ..model import Tensor
from ..quant import quants
from ..units import show_bytes
from .json_pieces import NotJson, entries, flat, pairs, text
from .ranges import Cursor, FileSource, RangeSource, cut_short

HEADER_LIMIT = 100_000_000
"""Bytes that the format allows a header."""
TENSORS_LIMIT = 1 << 17
ENTRY_LIMIT = 1 << 23
"""Bytes of the longest entry; only `__metadata__` is ever long."""
KEPT_METADATA = 1 << 20
RECORD_LIMIT = 1 << 11
NAME_LIMIT = 1 << 8
AXES_LIMIT = 16
METADATA_LIMIT = 1 << 15
INDEX_LIMIT = 48 << 20
INDEX_ENTRIES = 1 << 18
SHARDS_LIMIT = 10_000

DTYPES = (
    *("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F4", "F6_E2M3", "F6_E3M2"),
    *("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F16", "BF16", "F32", "F64", "C64"),
)
"""The format's number types; each is a row of data/quants.json."""
SHARD_NAME = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors$")
INDEX_SUFFIX = ".safetensors.index.json"


@dataclass(frozen=True, slots=True)
class Header:
    """What one safetensors file says before its weights. Tensors stand in the order of their data; shapes are in ggml's order."""

    path: str
    metadata: dict[str, str]
    tensors: tuple[Tensor, ...]
    data_start: int
    """Offset of the first tensor byte."""
    file_bytes: int
    warnings: tuple[str, ...] = ()
    """What is odd but harms nothing: holes between tensors, bytes after the last."""


def read_header(path: str | Path) -> Header:
    """The header of one local file. Raises NotFound or Unreadable, in milliseconds, whatever the file holds."""
    with FileSource(path) as source:
        return header_from(source)


def header_from(source: RangeSource) -> Header:
    """The header behind a range source, checked against the source's size."""
    if source.size < 8:
        raise Unreadable(f"{source.name} ends inside its header: {show_bytes(source.size)} are here.", "download it again")
    length = int.from_bytes(source.read(0, 8), "little")
    if length > HEADER_LIMIT or length < 2:
        _refuse_other_kinds(source)
        raise _bad(source.name, f"it claims a header of {length:,} bytes")
    if 8 + length > source.size:
        raise Unreadable(
            f"{source.name} ends inside its header: {show_bytes(source.size)} of at least {show_bytes(8 + length)} are here.",
            "download it again",
        )
    cursor = Cursor(source, 8 + length)
    cursor.skip(8)
    metadata: dict[str, str] = {}
    tensors: list[Tensor] = []
    try:
        for _, key, value in entries(cursor, 8 + length, ENTRY_LIMIT):
            if key == "__metadata__":
                metadata = dict(pairs(value, METADATA_LIMIT)) if len(value) <= KEPT_METADATA else {}
            elif len(tensors) == TENSORS_LIMIT:
                raise NotJson(f"it has more than {TENSORS_LIMIT:,} tensors")
            else:
                tensors.append(_tensor(source.name, key, value))
    except NotJson as error:
        raise _bad(source.name, f"its header is damaged: {error}") from None
    except EOFError:
        raise Unreadable(f"{source.name} ends inside its header.", "download it again") from None
    tensors.sort(key=lambda tensor: (tensor.offset or 0, tensor.bytes))
    return Header(source.name, metadata, tuple(tensors), 8 + length, source.size, _check(source, tensors, 8 + length))


def _bad(name: str, what: str, hint: str = "download it again") -> Unreadable:
    return Unreadable(f"{name} is not a sound safetensors file: {what}.", hint)


def _refuse_other_kinds(source: RangeSource) -> None:
    """Say what the file is when it is something else that people have in its place."""
    from .local import KINDS, kind

    start = source.read(0, 64)
    if any(start[: len(magic)].lower() == magic.lower() for magic, *_ in KINDS):
        what, way_out = kind(start)
        raise Unreadable(f"{source.name} is {what}.", way_out)


def _tensor(path: str, name: str, value: bytes) -> Tensor:
    if len(name) > NAME_LIMIT or len(value) > RECORD_LIMIT or value[:1] != b"{":
        raise NotJson(f"the entry of {name[:60]!r} describes no tensor")
    record = flat(value)
    kind, shape, span = record.get("dtype"), record.get("shape"), record.get("data_offsets")
    if not isinstance(kind, str) or kind not in DTYPES:
        raise _bad(path, f"the tensor {name} has the unknown type {str(kind)[:40]!r}", "a newer sizeup")
    elements = 1
    if not isinstance(shape, list) or len(shape) > AXES_LIMIT:
        raise _bad(path, f"the tensor {name} has no shape")
    for side in shape:
        elements *= side if type(side) is int and side >= 0 else 1 << 63
        if elements > 1 << 62:
            raise _bad(path, f"the tensor {name} has the shape {str(shape)[:80]}")
    if not isinstance(span, list) or len(span) != 2 or not all(type(edge) is int and 0 <= edge < 1 << 62 for edge in span):
        raise _bad(path, f"the tensor {name} lies nowhere: its data_offsets are {str(span)[:60]}")
    # A scalar has no axes; here it is a row of one.
    tensor = Tensor(name, tuple(reversed(shape)) or (1,), quants()[kind.lower()].name, span[0])
    if span[1] - span[0] != tensor.bytes:
        raise _bad(path, f"the tensor {name} needs {tensor.bytes:,} bytes and has {span[1] - span[0]:,}")
    return tensor


def _check(source: RangeSource, tensors: Sequence[Tensor], start: int) -> tuple[str, ...]:
    """Tensors apart and inside the file; what is odd in words."""
    end, holes, before = 0, 0, ""
    for place, tensor in enumerate(tensors):
        offset = tensor.offset or 0
        if offset < end:
            raise _bad(source.name, f"the tensors {before} and {tensor.name} overlap")
        holes += offset - end
        end, before = offset + tensor.bytes, tensor.name
        if start + end > source.size:
            whole = start + max((t.offset or 0) + t.bytes for t in tensors)
            raise cut_short(source, place + 1, len(tensors), whole)
    after = source.size - start - end
    said = [f"{source.name} has {show_bytes(holes)} between its tensors that no tensor uses"] if holes else []
    return (*said, *([f"{source.name} has {show_bytes(after)} after its last tensor"] if after else []))


def read_headers(path: str | Path) -> tuple[Header, ...]:
    """The headers of a checkpoint in order of its shards: a file, any shard of a split one, or an index, whichever is named."""
    path = Path(path)
    if path.name.endswith(".json"):
        return _by_index(path)
    if SHARD_NAME.match(path.name) is None:
        return (read_header(path),)
    for index in sorted(path.parent.glob(f"*{INDEX_SUFFIX}")):
        if path.name in set(weight_map(index).values()):
            return _by_index(index)
    return _numbered(shards(path))


def shards(path: Path) -> list[Path]:
    """Every shard that the numbers in one shard's name promise."""
    match = SHARD_NAME.match(path.name)
    count = int(match["count"]) if match else 0
    if match is None or not 0 < int(match["number"]) <= count <= SHARDS_LIMIT:
        raise Unreadable(f"{path.name} is numbered as no shard can be.", "the names that the files were published under")
    return [path.with_name(f"{match['stem']}-{number:05}-of-{count:05}.safetensors") for number in range(1, count + 1)]


def _numbered(paths: Sequence[Path]) -> tuple[Header, ...]:
    headers = []
    for number, path in enumerate(paths):
        try:
            headers.append(read_header(path))
        except NotFound:
            raise NotFound(
                f"Shard {number + 1} of {len(paths)} is missing: {path.name}.", "download the missing shard into the same folder"
            ) from None
    return joined(headers, str(paths[0].parent))


def joined(headers: Sequence[Header], where: str) -> tuple[Header, ...]:
    """The headers of one checkpoint's shards, each tensor knowing its shard. Raises Unreadable when two hold the same one."""
    names = [tensor.name for header in headers for tensor in header.tensors]
    if len(set(names)) != len(names):
        raise Unreadable(f"Two shards of {where} hold the same tensor.", "download the shards again")
    return tuple(replace(h, tensors=tuple(replace(t, file=n) for t in h.tensors)) if n else h for n, h in enumerate(headers))


def weight_map(index: Path) -> dict[str, str]:
    """Tensor -> file name, as an index says. Raises Unreadable for a file outside the index's folder, and for what is no index."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    with FileSource(index) as source:
        if source.size > INDEX_LIMIT:
            raise Unreadable(f"{index} is {show_bytes(source.size)}; an index has some megabytes.", "download it again")
        cursor = Cursor(source, INDEX_LIMIT)
        try:
            for section, key, value in entries(cursor, source.size, KEPT_METADATA, inside="weight_map"):
                if not section:
                    continue
                name = text(value) if value[:1] == b'"' else ""
                if "/" in name or "\\" in name or "\0" in name or name in ("", ".", "..") or len(name) > NAME_LIMIT:
                    raise Unreadable(
                        f"{index} sends the tensor {key[:60]} to {name[:60]!r}, which is no file beside it.", "the index as published"
                    )
                if not name.endswith(".safetensors"):
                    raise Unreadable(
                        f"{index} sends the tensor {key[:60]} to {name[:60]!r}, which is no safetensors file.", "the index as published"
                    )
                if len(found) == INDEX_ENTRIES or len(key) > NAME_LIMIT or len(names) > SHARDS_LIMIT:
                    raise NotJson(f"it has more than {INDEX_ENTRIES:,} tensors or {SHARDS_LIMIT:,} files, or a name without end")
                found[key] = names.setdefault(name, name)
        except (NotJson, EOFError) as error:
            raise Unreadable(f"{index} is not a sound index of shards: {error}.", "download it again") from None
    if not found:
        raise Unreadable(f"{index} has no “weight_map”, so it names no shard.", "download it again")
    return found


def _by_index(index: Path) -> tuple[Header, ...]:
    """The shards that an index names, and the index proved true of them."""
    listed = weight_map(index)
    headers = _numbered([index.with_name(name) for name in sorted(set(listed.values()))])
    for header in headers:
        file = Path(header.path).name
        for tensor in header.tensors:
            if listed.pop(tensor.name, None) != file:
                raise Unreadable(f"{index.name} does not say that {tensor.name} is in {file}.", "download the index and the shards again")
    for name, file in listed.items():
        raise Unreadable(f"{index.name} says that {name} is in {file}, where it is not.", "download the index and the shards again")
    return headers
