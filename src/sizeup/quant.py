"""Formats that numbers are stored in, as facts: a block of values and the bytes of that block. No bits-per-weight floats.

A ggml type is one block that repeats along each row, scales inside. A Hugging Face format stores a matrix as several
arrays (codes, scales, zero points, …); each of them is a `Piece` and `tensor_bytes` is their sum.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from .errors import NotFound, close_names
from .facts import Source, data_json
from .figure import Number, ceil_div, total


@dataclass(frozen=True, slots=True)
class Piece:
    """One array that belongs to a stored matrix: `bytes` for every tile of `row` values of `rows` rows; 0 spans that whole side."""

    name: str
    bytes: int
    row: int = 1
    rows: int = 1

    def stored_bytes(self, row: Number, rows: Number) -> Number:
        """Bytes of this array beside a matrix of `rows` rows of `row` values."""
        # A side that one tile spans must not enter the product: a tile of width 0 has no count.
        across = ceil_div(row, self.row) * self.bytes if self.row else self.bytes
        return across * ceil_div(rows, self.rows) if self.rows else across


@dataclass(frozen=True, slots=True)
class FlatPiece(Piece):
    """An array that sees the matrix as one long row: `bytes` for every `values` values, wherever rows end."""

    values: int = 1

    def stored_bytes(self, row: Number, rows: Number) -> Number:
        return ceil_div(row * rows, self.values) * self.bytes


@dataclass(frozen=True, slots=True)
class Quant:
    """One storage format: `block` values along a row take `block_bytes` bytes."""

    name: str
    block: int
    block_bytes: int
    source: Source
    id: int | None = None
    """ggml's number of the type, as GGUF files store it; None for formats that ggml does not have."""
    parts: str = ""
    """The block spelled as the sum of its members, scales first: "2 + 32/2"."""
    pieces: tuple[Piece, ...] = ()
    """The arrays of a format whose scales lie outside the block; empty when a block holds everything."""
    note: str = ""

    def row_bytes(self, values: Number) -> Number:
        """Bytes of one row of `values` numbers; exact when `values` is a multiple of the block. Pieces outside blocks not counted."""
        return values // self.block * self.block_bytes

    def tensor_bytes(self, row: Number, rows: Number) -> Number:
        """Bytes of a matrix of `rows` rows of `row` values, with every scale and zero point. Not counted: file headers, padding."""
        if self.pieces:
            return total(piece.stored_bytes(row, rows) for piece in self.pieces)
        return ceil_div(row, self.block) * self.block_bytes * rows


def _piece(row: dict[str, Any]) -> Piece:
    if "values" in row:
        return FlatPiece(row["name"], row["bytes"], values=row["values"])
    return Piece(row["name"], row["bytes"], row["row"], row["rows"])


@functools.cache
def quants() -> dict[str, Quant]:
    """Every known format by its lower-case name (data/quants.json)."""
    return {
        row["name"].lower(): Quant(
            row["name"],
            row["block"],
            row["block_bytes"],
            Source("published", row["source"], row["date"]),
            row.get("id"),
            row.get("parts", ""),
            tuple(map(_piece, row.get("pieces", ()))),
            row.get("note", ""),
        )
        for row in data_json("quants.json")["quants"]
    }


@functools.cache
def quant(name: str) -> Quant:
    """The format of this name in any case; raises NotFound with the nearest names."""
    found = quants().get(name.lower())
    if found is None:
        near = close_names(name.lower(), quants(), 3, 0.3)
        raise NotFound(f"No number format is called “{name}”.", ", ".join(quants()[n].name for n in near) or "F16, Q8_0, Q4_K")
    return found


@functools.cache
def ggml_types() -> dict[int, Quant]:
    """ggml's types by the number that GGUF files store."""
    return {q.id: q for q in quants().values() if q.id is not None}


def ggml_type(id: int) -> Quant:
    """The ggml type with this number; raises NotFound for numbers that no type has or that were withdrawn (Q4_2, Q4_0_4_4, …)."""
    found = ggml_types().get(id)
    if found is None:
        raise NotFound(f"No tensor type of llama.cpp has the number {id}.", "a newer sizeup, or a file written by a current converter")
    return found
