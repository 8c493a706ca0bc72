"""The terms of every catalogue model, ready made: ranking the whole catalogue for a machine is then a few additions of columns.

`python -m tools.columns` asks the engine's accounting for every model, mix and context below and writes data/catalogue/columns.bin;
a test asks it again for a sample.
"""

from __future__ import annotations

import functools
import json
import zlib
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from .columns import Column
from .facts import data_bytes

FILE = "catalogue/columns.bin"
SIDES = ("host", "card_card", "card_host")
"""Placements and their pools: everything in host memory ("host"); all layers on one CUDA card, its own memory ("card_card") and
what then stays in the host's ("card_host")."""


@dataclass(frozen=True, slots=True)
class CatalogueColumns:
    """Bytes that must be free for catalogue models x mixes x contexts, as terms: a cell is `weights[side][n, q] + rest[side][n, c]`.

    Exact: a cell equals `Breakdown.needed_bytes` of that plan, to the byte, for one sequence, f16 keys and values, llama.cpp's own
    batch sizes, `mmap` on, and on the host without rearranged weights (`repack=False`). Unified memory takes the sum of both pools
    of the card. Not in here: layers or experts split between card and host, several cards, other engines; ask `account`.
    """

    ids: tuple[str, ...]
    """Hub ids in the order of the catalogue; row n of every array."""
    quants: tuple[str, ...]
    contexts: tuple[int, ...]
    """Tokens. A model may have been made for fewer."""
    weights: dict[str, Column]
    """Side -> (models, quants)."""
    rest: dict[str, Column]
    """Side -> (models, contexts): cache, state, compute, output and process, at the upper end of their bands."""
    step_bytes: Column
    """(models, quants): weights that one token reads, all pools. Exact but for routed experts, of which it is the expected share."""
    refused: NDArray[numpy.bool_]
    """(models, quants): what llama.cpp or its quantiser will not do; the numbers of such a cell are 0."""

    def needed_bytes(self, side: str, context_tokens: int) -> Column:
        """(models, quants) bytes that must be free on this side. Between the contexts kept the next longer one answers: never too little.

        Raises ValueError beyond the longest one kept.
        """
        at = int(numpy.searchsorted(self.contexts, context_tokens))
        if at == len(self.contexts):
            raise ValueError(f"{context_tokens} tokens are more than {self.contexts[-1]}")
        return self.weights[side] + self.rest[side][:, at : at + 1]


@functools.cache
def catalogue_columns() -> CatalogueColumns:
    """The shipped columns, read once; numpy is imported with this module."""
    raw = zlib.decompress(data_bytes(FILE))
    length = int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4 : 4 + length])
    numbers = numpy.frombuffer(raw, "<i8", offset=4 + length)
    arrays: dict[str, Column] = {}
    at = 0
    for name, shape in header["arrays"]:
        size = int(numpy.prod(shape))
        arrays[name] = numbers[at : at + size].reshape(shape)
        at += size
    return CatalogueColumns(
        tuple(header["ids"]),
        tuple(header["quants"]),
        tuple(header["contexts"]),
        {side: arrays[f"weights_{side}"] for side in SIDES},
        {side: arrays[f"rest_{side}"] for side in SIDES},
        arrays["step_bytes"],
        arrays["refused"].astype(numpy.bool_),
    )


def packed(columns: CatalogueColumns) -> bytes:
    """The columns as the file keeps them: a JSON header after its length, then 64-bit numbers; compressed."""
    arrays = {f"weights_{side}": columns.weights[side] for side in SIDES} | {f"rest_{side}": columns.rest[side] for side in SIDES}
    arrays |= {"step_bytes": columns.step_bytes, "refused": columns.refused.astype(numpy.int64)}
    header = {
        "what": "Bytes of every catalogue model as terms; python -m tools.columns writes it anew from the engine's accounting.",
        "ids": columns.ids,
        "quants": columns.quants,
        "contexts": columns.contexts,
        "arrays": [(name, array.shape) for name, array in arrays.items()],
    }
    text = json.dumps(header).encode()
    body = b"".join(array.astype("<i8").tobytes() for array in arrays.values())
    return zlib.compress(len(text).to_bytes(4, "little") + text + body, 9)
