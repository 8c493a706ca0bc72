"""Logs of engines as JSON: what was read, and what is predicted beside it. What a log does not say is null."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypedDict

from ..verification import Verified


class LoggedBufferJson(TypedDict):
    """One line of memory."""

    part: str
    pool: str
    bytes: int
    rounding_bytes: int
    name: str
    label: str
    estimated: bool


class LoggedCardJson(TypedDict):
    """A device as the log names it."""

    name: str
    backend: str
    total_bytes: int | None
    free_bytes: int | None
    driver: str


class LoggedModelJson(TypedDict):
    """The model as the log names it."""

    name: str | None
    file: str | None
    architecture: str | None
    parameters: int | None
    quant: str | None
    file_bytes: int | None
    layers: int | None
    hidden: int | None


class ComparedJson(TypedDict):
    """One part in one pool, measured and predicted."""

    part: str
    pool: str
    measured_bytes: int
    rounding_bytes: int
    predicted_bytes: int | None
    within: float
    difference_bytes: int | None
    verdict: str


class DriftJson(TypedDict):
    """A part that another version of the engine, or the formula, says otherwise."""

    machine: str
    engine: str
    model: str
    part: str
    pool: str
    older: str
    newer: str
    before_bytes: int
    after_bytes: int


class CountedJson(TypedDict):
    """A count that a server prints."""

    name: str
    logged: float
    predicted: float


class StartJson(TypedDict):
    """One start of an engine."""

    log: str
    line: int
    engine: str
    version: str | None
    facts_version: str
    model: LoggedModelJson
    settings: dict[str, Any]
    cards: list[LoggedCardJson]
    ram_bytes: int | None
    buffers: list[LoggedBufferJson]
    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    prompt_tokens: int | None
    decoded_tokens: int | None
    facts: dict[str, Any]
    failed: str | None
    predicted_model: str | None
    predicted_quant: str | None
    why_not: str
    parts: list[ComparedJson]
    counts: list[CountedJson]
    verdict: str
    machine: str | None
    number: int | None
    stored_before: bool
    drifts: list[DriftJson]


class LogsJson(TypedDict):
    """Every start of every log."""

    starts: list[StartJson]


def logs_json(starts: Sequence[Verified]) -> LogsJson:
    """Every start with its reading, its comparison and what it means."""
    return {"starts": [_start(one) for one in starts]}


def _start(one: Verified) -> StartJson:
    reading = dataclasses.asdict(one.reading)
    return {
        "log": one.log,
        "line": reading["line"],
        "engine": reading["engine"],
        "version": reading["version"],
        "facts_version": one.facts_version,
        "model": reading["model"],
        "settings": reading["settings"],
        "cards": list(reading["cards"]),
        "ram_bytes": reading["ram_bytes"],
        "buffers": list(reading["buffers"]),
        "prefill_tokens_per_s": reading["prefill_tokens_per_s"],
        "decode_tokens_per_s": reading["decode_tokens_per_s"],
        "prompt_tokens": reading["prompt_tokens"],
        "decoded_tokens": reading["decoded_tokens"],
        "facts": reading["facts"],
        "failed": reading["failed"],
        "predicted_model": one.model,
        "predicted_quant": one.quant,
        "why_not": one.why,
        "parts": [
            {
                "part": row.part,
                "pool": row.pool,
                "measured_bytes": row.measured_bytes,
                "rounding_bytes": row.rounding_bytes,
                "predicted_bytes": row.predicted_bytes,
                "within": row.within,
                "difference_bytes": row.difference_bytes,
                "verdict": row.verdict,
            }
            for row in one.rows
        ],
        "counts": [{"name": count.name, "logged": count.logged, "predicted": count.predicted} for count in one.counts],
        "verdict": one.verdict,
        "machine": one.machine,
        "number": one.number,
        "stored_before": one.again,
        "drifts": [
            {
                "machine": drift.machine,
                "engine": drift.engine,
                "model": drift.model,
                "part": drift.part,
                "pool": drift.pool,
                "older": drift.older,
                "newer": drift.newer,
                "before_bytes": drift.before_bytes,
                "after_bytes": drift.after_bytes,
            }
            for drift in one.drifts
        ],
    }
