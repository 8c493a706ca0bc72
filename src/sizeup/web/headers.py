"""Models of which only the start of a file was sent: read in memory, kept for later questions by their digest, never written."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import NamedTuple

from sizeup.errors import NotFound, Unreadable, UserError
from sizeup.model import ModelSpec
from sizeup.readers.gguf import HEADER_LIMIT, Reader
from sizeup.readers.gguf_model import spec_from_gguf
from sizeup.readers.ranges import Cursor

from .limits import LARGEST_BODY

PREFIX = "header:"
KEPT = 32
"""Models that are kept; of more, those asked about least recently are dropped."""
STEP = 1 << 20
"""More is asked for by at least so many bytes."""
UNKNOWN_SIZE = 1 << 50
"""Taken for the size of a file whose size nobody said."""


class Needs(NamedTuple):
    """The header goes on beyond what was sent."""

    bytes: int
    """To send, from the beginning of the file."""


class Sent:
    """The start of a file as a range source: `size` is the whole file's."""

    def __init__(self, name: str, data: bytes, size: int) -> None:
        self.name, self.data, self.size = name, data, size

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


def read_start(data: bytes, name: str, size: int | None) -> tuple[str, ModelSpec] | Needs:
    """(name for later questions, model) of the start of a GGUF file, or how much more of it is needed.

    Raises Unreadable for what is no model, UserError for a size that cannot be.
    """
    if size is not None and size < len(data):
        raise UserError(f"A file of {size:,} bytes cannot begin with {len(data):,}.", "bytes=… of the whole file")
    source = Sent(name, data, UNKNOWN_SIZE if size is None else size)
    cursor = Cursor(source, HEADER_LIMIT)
    try:
        header = Reader(cursor, name).header()
    except EOFError:
        return _more(cursor, data, source.size, name)
    parts = header.metadata.get("split.count", 1)
    if isinstance(parts, int) and parts > 1:
        raise UserError(
            f"{name} is one of {parts} parts, and a part alone does not tell the whole.", "the unsplit file, or the model's name"
        )
    spec = spec_from_gguf(header)
    return PREFIX + hashlib.sha256(data[: header.data_start]).hexdigest(), spec


def _more(cursor: Cursor, data: bytes, size: int, name: str) -> Needs:
    if len(data) >= size:
        raise Unreadable(f"{name} ends inside its header.", "download it again")
    if len(data) >= LARGEST_BODY:
        raise Unreadable(f"{name} has a header of more than {LARGEST_BODY:,} bytes.", "another copy of the file")
    return Needs(min(max(2 * len(data), cursor.offset + STEP), size, LARGEST_BODY))


class Shelf:
    """The models that were sent lately."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, ModelSpec] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, name: str, spec: ModelSpec) -> None:
        with self._lock:
            self._models[name] = spec
            self._models.move_to_end(name)
            while len(self._models) > KEPT:
                self._models.popitem(last=False)

    def model(self, name: str) -> ModelSpec:
        """The model of this name. Raises NotFound when it was dropped, or sent to another process."""
        with self._lock:
            spec = self._models.get(name)
            if spec is None:
                raise NotFound("This header is not kept any more.", "POST /api/header with the start of the file")
            self._models.move_to_end(name)
            return spec
