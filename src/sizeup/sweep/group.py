"""One group of shapes against every class of machines: a pure function from configs to columns of an answer.

It touches no file and no clock, so that any executor may call it anywhere and gets the same rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from ..columns import Column, Terms, terms
from ..engine import Engine
from ..engines import engine as find_engine
from ..errors import SizeupError
from ..facts import Source
from ..model import ModelSpec
from .cells import Batch, batch, room
from .classes import CARD, HOST, DeviceClass, Settled, Way
from .shapes import Config

GIVEN = Source("read", "a row of the sweep's table")

PLACEMENTS = ("", CARD, HOST)

Table = dict[str, Any]
"""Column name -> numpy array; all of one length."""


class Asked(NamedTuple):
    """What a sweep is about, beside its models."""

    quants: tuple[str, ...]
    contexts: tuple[int, ...]
    kv: tuple[tuple[str, str], ...]
    """Cache types: (keys, values)."""
    classes: tuple[DeviceClass, ...]
    engine: str = "llama.cpp"

    @property
    def cells_a_shape(self) -> int:
        return len(self.quants) * len(self.contexts) * len(self.kv) * len(self.classes)


class Found(NamedTuple):
    """The answer for one group."""

    shapes: list[dict[str, Any]]
    """One row a shape: what was read, or why it could not be."""
    cells: Table | None
    """One row a cell, in the order shape, class, k/v, mix, context; None when no shape could be read."""


def answer(group: Sequence[tuple[str, str, Config]], asked: Asked) -> Found:
    """Every cell of the shapes in `group` (key, name, config)."""
    engine = find_engine(asked.engine)
    rows: list[dict[str, Any]] = []
    models: list[tuple[str, dict[tuple[str, int], Terms]]] = []
    for key, name, config in group:
        row = {"shape": key, "first": name, "error": ""}
        try:
            spec = _read(config, name)
            models.append((key, _terms(spec, engine, asked)))
            row |= _facts(spec)
        except SizeupError as error:
            row["error"] = error.message
        except Exception as error:  # one config of a million may be stranger than any rule: it must not end the sweep
            row["error"] = f"{type(error).__name__}: {error}"
        rows.append(row)
    return Found(rows, _cells(models, asked) if models else None)


def _read(config: Config, name: str) -> ModelSpec:
    from ..readers.config import spec_from_config

    return spec_from_config(config, name, GIVEN)


def _facts(spec: ModelSpec) -> dict[str, Any]:
    return {
        "architecture": spec.architecture,
        "parameters": spec.parameters,
        "active_parameters": spec.active_parameters,
        "layers": spec.layers,
        "model_context_tokens": spec.context_tokens,
    }


def _terms(spec: ModelSpec, engine: Engine, asked: Asked) -> dict[tuple[str, int], Terms]:
    """(way, index of the cache types) -> terms; ways that several classes share are worked out once."""
    found: dict[tuple[str, int], Terms] = {}
    for way in _ways(asked):
        settled = Settled(engine, way.machine)
        for index, (k, v) in enumerate(asked.kv):
            settings = dataclasses.replace(way.settings, k=k, v=v)
            found[way.key, index] = terms(spec, settled, asked.quants, asked.contexts, settings)
    forget = getattr(engine, "forget", None)
    if forget is not None:
        forget(spec)
    return found


def _ways(asked: Asked) -> list[Way]:
    return list({way.key: way for kind in asked.classes for way in kind.ways}.values())


def _cells(models: list[tuple[str, dict[tuple[str, int], Terms]]], asked: Asked) -> Table:
    """The columns of every cell; axes (shapes, classes, cache types, mixes, contexts), flattened."""
    quants, contexts = len(asked.quants), len(asked.contexts)
    size = (len(models), len(asked.classes), len(asked.kv), quants, contexts)
    batches = {key: batch([found[key] for _, found in models]) for key in models[0][1]}
    needs = {key: _needed(each) for key, each in batches.items()}
    columns = {name: numpy.zeros(size, numpy.int64) for name in ("card_bytes", "host_bytes", "room_bytes")}
    columns |= {"placement": numpy.zeros(size, numpy.int8), "refused": numpy.zeros(size, numpy.bool_)}
    for c, kind in enumerate(asked.classes):
        for index in range(len(asked.kv)):
            at = (slice(None), c, index)
            _place(kind, [(way, batches[way.key, index], needs[way.key, index]) for way in kind.ways], columns, at)
    axes = numpy.indices(size, numpy.int32, sparse=True)
    places = {
        name: numpy.broadcast_to(axis, size).ravel() for name, axis in zip(("shape", "class", "kv", "quant", "context"), axes, strict=True)
    }
    keys = numpy.array([key for key, _ in models], object)
    return {"shape": keys[places.pop("shape")], **places, **{name: column.ravel() for name, column in columns.items()}}


def _needed(each: Batch) -> tuple[Column, Column]:
    """Bytes on the cards and in host memory; a memory that both share counts as the cards'."""
    cards = sum((each.needed_bytes(pool) for pool in each.pools if pool != "ram"), numpy.zeros(each.shape, numpy.int64))
    return cards, each.needed_bytes("ram")


def _place(kind: DeviceClass, ways: list[tuple[Way, Batch, tuple[Column, Column]]], columns: Table, at: Any) -> None:
    """The first way that fits; where none does, the one that misses least."""
    best: Column | None = None
    for way, each, (cards, host) in ways:
        left = room(each, kind.free_bytes)
        left = numpy.where(each.refused, numpy.iinfo(numpy.int64).min, left)
        take = numpy.ones(left.shape, numpy.bool_) if best is None else (best < 0) & (left > best)
        best = left if best is None else numpy.where(take, left, best)
        for name, column in (("card_bytes", cards), ("host_bytes", host), ("room_bytes", left), ("refused", each.refused)):
            columns[name][at] = numpy.where(take, column, columns[name][at])
        columns["placement"][at] = numpy.where(take, PLACEMENTS.index(way.placement), columns["placement"][at])
