"""Writes data/catalogue/columns.bin: the terms of every catalogue model. Takes some minutes. Run: python -m tools.columns."""

from __future__ import annotations

from typing import Any

import numpy

from sizeup.catalogue_columns import FILE, SIDES, CatalogueColumns, packed
from sizeup.columns import Column, Terms, terms
from sizeup.engines import engine as find_engine
from sizeup.errors import SizeupError
from sizeup.facts import DATA
from sizeup.model import ModelSpec
from sizeup.readers import catalogue, catalogue_data

QUANTS = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K", "IQ2_XXS", "MXFP4_MOE")
CONTEXTS = (2048, 4096, 8192, 16384, 32768, 65536, 131072)
SETTINGS: dict[str, dict[str, Any]] = {"host": {"repack": False}, "card": {"gpu_layers": "all", "gpu_kind": "cuda"}}
POOLS = {"host": ("host", "ram"), "card_card": ("card", "vram:0"), "card_host": ("card", "ram")}
WEIGHTS = ("weights", "repacked")

Row = tuple[dict[str, Column], dict[str, Column], Column, Any]
"""Weights and the rest by side, bytes of a step, refused: one model's."""


def model_row(model: ModelSpec) -> Row:
    """One model's terms; a placement whose terms are no sum of the two sorts would stop the tool."""
    engine = find_engine("llama.cpp")
    found = {name: terms(model, engine, QUANTS, CONTEXTS, engine.Settings(cpu_features=(), **given)) for name, given in SETTINGS.items()}
    refused = numpy.any([each.refused.any(axis=1) for each in found.values()], axis=0)
    weights = {side: numpy.where(refused, 0, _kind(found[name], pool, True)[:, 0]) for side, (name, pool) in POOLS.items()}
    rest = {side: _kind(found[name], pool, False)[0] for side, (name, pool) in POOLS.items()}
    return weights, rest, numpy.array([0 if no else _step(model, quant) for quant, no in zip(QUANTS, refused, strict=True)]), refused


def _kind(found: Terms, pool: str, weights: bool) -> Column:
    chosen = [term for (part, where), term in found.needed.items() if where == pool and (part in WEIGHTS) == weights]
    spread = (len(QUANTS), 1) if weights else (1, len(CONTEXTS))
    return sum((numpy.broadcast_to(term, spread) for term in chosen), numpy.zeros(spread, numpy.int64))


def _step(model: ModelSpec, quant: str) -> int:
    engine = find_engine("llama.cpp")
    work = engine.work(model, quant, engine.Settings(gpu_layers="all", cpu_features=()))
    return round(sum(float(part.weight_bytes) for part in work))


def made() -> CatalogueColumns:
    """The columns of the whole catalogue."""
    ids = catalogue_data.index().ids
    nothing = numpy.zeros(len(QUANTS), numpy.int64), numpy.zeros(len(CONTEXTS), numpy.int64)
    rows: list[Row] = []
    for number in range(len(ids)):
        try:
            rows.append(model_row(catalogue.spec(number)))
        except SizeupError:
            every = numpy.ones(len(QUANTS), numpy.bool_)
            rows.append((dict.fromkeys(SIDES, nothing[0]), dict.fromkeys(SIDES, nothing[1]), nothing[0], every))
    weights = {side: numpy.array([row[0][side] for row in rows]) for side in SIDES}
    rest = {side: numpy.array([row[1][side] for row in rows]) for side in SIDES}
    return CatalogueColumns(
        ids, QUANTS, CONTEXTS, weights, rest, numpy.array([row[2] for row in rows]), numpy.array([row[3] for row in rows])
    )


if __name__ == "__main__":
    (DATA / FILE).write_bytes(packed(made()))
