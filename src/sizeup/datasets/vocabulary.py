"""The vocabulary that a GGUF file carries: texts, merges or scores, and how a text is cut before merging."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from sizeup.errors import Unreadable
from sizeup.readers.gguf import HEADER_LIMIT, SCALARS, STRING_LIMIT, Reader
from sizeup.readers.ranges import Cursor, FileSource

PREFIX = "tokenizer.ggml."


class _VocabularyReader(Reader):
    """Keeps the tokenizer's arrays, which an ordinary reading passes over."""

    def array(self, key: str) -> Any:
        if not key.startswith(PREFIX):
            return super().array(key)
        kind, length = struct.unpack("<IQ", self.cursor.take(12))
        self.sized(length, key)
        if kind in SCALARS:
            layout = f"<{length}{SCALARS[kind]}"
            return list(struct.unpack(layout, self.cursor.take(struct.calcsize(layout))))
        if kind != 8:
            raise self.bad(f"the array {key} holds the unsupported type {kind}")
        return [self.text(STRING_LIMIT, f"an element of {key}") for _ in range(length)]


def vocabulary(path: str | Path) -> dict[str, Any]:
    """The tokenizer's part of a file's metadata, keys without their prefix. Raises NotFound or Unreadable."""
    with FileSource(path) as source:
        reader = _VocabularyReader(Cursor(source, HEADER_LIMIT), source.name)
        try:
            metadata = reader.header().metadata
        except (EOFError, struct.error):
            raise Unreadable(f"{source.name} has a damaged header.", "download it again") from None
    return {key.removeprefix(PREFIX): value for key, value in metadata.items() if key.startswith(PREFIX)}
