"""Formats that numbers are stored in, as facts: a block of values and the bytes of that block. No bits-per-weight floats.

`Quant` covers every ggml type and every Hugging Face scheme whose scales lie inside or beside the block; schemes whose
scale tensors depend on the matrix shape (per tensor, per channel, 128x128 tiles) say so in `scales`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from .errors import NotFound
from .facts import Source, data_json
from .figure import Number, ceil_div


@dataclass(frozen=True, slots=True)
class Quant:
    """One storage format: `block` values take `block_bytes` bytes."""

    name: str
    block: int
    block_bytes: int
    source: Source
    scales: str = "block"
    """Where scales live: "none", "block" (inside block_bytes), "row", "tensor" or "tile" (see `scale_bytes`)."""
    scale_bytes: int = 0
    """Bytes of one scale (with its zero point) outside the blocks, for scales = "row", "tensor" or "tile"."""
    tile: int = 0
    """Side of a square tile for scales = "tile"."""

    def row_bytes(self, values: Number) -> Number:
        """Bytes of one row of `values` numbers; exact when `values` is a multiple of the block. Scales outside blocks not counted."""
        return values // self.block * self.block_bytes

    def tensor_bytes(self, row: Number, rows: Number) -> Number:
        """Bytes of a matrix of `rows` rows of `row` values, with every scale and zero point."""
        stored = ceil_div(row, self.block) * self.block_bytes * rows
        if self.scales == "row":
            return stored + rows * self.scale_bytes
        if self.scales == "tensor":
            return stored + self.scale_bytes
        if self.scales == "tile":
            return stored + ceil_div(row, self.tile) * ceil_div(rows, self.tile) * self.scale_bytes
        return stored


@functools.cache
def quants() -> dict[str, Quant]:
    """Every known format by its lower-case name (data/quants.json)."""
    table = data_json("quants.json")
    return {
        row["name"].lower(): Quant(
            row["name"],
            row["block"],
            row["block_bytes"],
            Source("published", row["source"], row["date"]),
            row.get("scales", "block"),
            row.get("scale_bytes", 0),
            row.get("tile", 0),
        )
        for row in table["quants"]
    }


def quant(name: str) -> Quant:
    """The format of this name in any case; raises NotFound with the nearest names."""
    found = quants().get(name.lower())
    if found is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), quants(), 3, 0.3)
        raise NotFound(f"No number format is called “{name}”.", ", ".join(quants()[n].name for n in near) or "F16, Q8_0, Q4_K")
    return found
