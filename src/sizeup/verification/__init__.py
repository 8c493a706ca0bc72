"""A log beside what is predicted for its settings, and what is learned from the difference."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from sizeup import probe, store
from sizeup.drift import Drift, drifts
from sizeup.engines import engine as find_engine
from sizeup.errors import SizeupError
from sizeup.hardware import Machine
from sizeup.logs import Reading, readings
from sizeup.memory import make_settings
from sizeup.model import ModelSpec
from sizeup.plan import Breakdown, Measurement
from sizeup.search import learn, make_plan

from . import asked, box, serving
from . import model as models
from .compare import FACTS_VERSION as FACTS_VERSION
from .compare import Compared as Compared
from .compare import Verdict, compared, verdict
from .serving import Counted as Counted

ENOUGH_TOKENS = 32
"""Decoded in a run that says something of a machine's pace."""

Here = Callable[[], Machine]


class Verified(NamedTuple):
    """One start of an engine: what was read, what was predicted, what it means."""

    log: str
    reading: Reading
    model: str | None
    """The model that was predicted; None where the log names none that is known."""
    quant: str | None
    rows: tuple[Compared, ...]
    verdict: Verdict
    why: str
    """Why nothing was predicted, a sentence; "" where something was."""
    machine: str | None
    number: int | None = None
    """Of its row in the store; None when it was not kept."""
    again: bool = False
    """Whether this very start was stored before."""
    drifts: tuple[Drift, ...] = ()
    counts: tuple[Counted, ...] = ()
    """What a server counts, beside what is predicted."""
    facts_version: str = FACTS_VERSION
    """The version that the facts of the engine are of."""


def verify(
    raw: bytes, name: str = "it", *, model: ModelSpec | None = None, on: Machine | None = None, here: Here | None = None, keep: bool = True
) -> list[Verified]:
    """Every start in a log beside its prediction, stored unless `keep` is off.

    `model` is what to predict where the log's names are not enough; `on` the machine that it ran on, else the one that the log shows.
    Raises Unreadable for what is no log.
    """
    look = here if here is not None else probe.machine
    source = f"log sha256:{hashlib.sha256(raw).hexdigest()}"
    found = [_verified(name, reading, model, on, look) for reading in readings(raw, name)]
    return [_kept(one, f"{source}:{one.reading.line}", on, model, look) for one in found] if keep else found


def _verified(log: str, reading: Reading, model: ModelSpec | None, on: Machine | None, here: Here) -> Verified:
    machine = on.kept_as if on is not None else box.named(reading, here())
    spec = model or models.found(reading.model)
    quant = None
    breakdown: Breakdown | None = None
    why, weights = "", None
    counts: tuple[Counted, ...] = ()
    facts = serving.facts_version(reading.engine) if reading.engine in serving.ENGINES else FACTS_VERSION
    if not [b for b in reading.buffers if not b.estimated]:
        why = "The log tells no buffers."
    elif model is not None and not models.agrees(model, reading.model):
        why = f"The log is of a model of another shape than {model.name}."
        spec = None
    elif spec is not None and reading.engine in serving.ENGINES:
        try:
            breakdown, counts = serving.predicted(spec, reading, on)
        except SizeupError as error:
            why = error.message
    elif spec is None:
        why = "The catalogue has no model of the name and shape that the log tells."
    else:
        quant = None if spec.stored == "gguf" else models.quant(reading.model) or spec.mix
        if spec.stored != "gguf" and quant is None:
            why = "The log names no mix that is known."
        else:
            breakdown, weights, why = _predicted(spec, quant, reading)
    rows = compared(reading, breakdown, weights, () if reading.engine in serving.ENGINES else asked.untold(reading))
    name = spec.name if spec is not None else None
    told = verdict(reading, rows, facts, any(one.logged != one.predicted for one in counts))
    quant = quant or (spec.mix if spec else None)
    return Verified(log, reading, name, quant, rows, told, why, machine, counts=counts, facts_version=facts)


def _predicted(spec: ModelSpec, quant: str | None, reading: Reading) -> tuple[Breakdown | None, int | None, str]:
    engine = find_engine("llama.cpp")
    try:
        settings = make_settings(engine.Settings, engine.name, asked.asked(reading))
        breakdown = engine.account(spec, quant, settings)
        weights = sum(tensor.bytes for tensor in engine.tensors(spec, quant))
    except SizeupError as error:
        return None, None, error.message
    except NotImplementedError:
        return None, None, "No graph of this architecture is known."
    return breakdown, weights, ""


def _kept(one: Verified, source: str, on: Machine | None, model: ModelSpec | None, here: Here) -> Verified:
    """The same, stored: a start that was stored before counts once."""
    reading = one.reading
    if not (one.rows or reading.decode_tokens_per_s or reading.prefill_tokens_per_s):
        return one
    number = store.known(source)
    again = number is not None
    measured = measurement(one, source, on)
    if number is None:
        number = store.keep(measured, {f"{row.part} {row.pool}".strip(): row.predicted_bytes for row in one.rows})
        _pace(one, measured, model, here)
    alike = [
        row
        for row in drifts(store.measurements(measured.model or None))
        if (row.machine, row.engine) == (measured.machine, measured.engine)
    ]
    return one._replace(number=number, again=again, drifts=tuple(alike))


def _pace(one: Verified, measured: Measurement, model: ModelSpec | None, here: Here) -> None:
    """This machine's pace, from a run of some length that was predicted."""
    spec = model or models.found(one.reading.model)
    if one.machine != "this machine" or one.verdict == "read" or spec is None or (one.reading.decoded_tokens or 0) < ENOUGH_TOKENS:
        return
    engine, machine, given = find_engine("llama.cpp"), here(), asked.asked(one.reading)
    if given["gpu_layers"]:
        return  # lessons are of the processor
    try:
        chosen = engine.on(make_settings(engine.Settings, engine.name, given), machine, given)
        plan = make_plan(spec, machine, engine, None if spec.stored == "gguf" else one.quant, chosen, timed=False)
    except SizeupError:
        return
    learn(plan, measured)


def measurement(one: Verified, source: str, on: Machine | None = None) -> Measurement:
    """What a start measured, as the store keeps it."""
    reading = one.reading
    sums: dict[str, int] = {}
    off: dict[str, int] = {}
    for row in one.rows:
        part = "cache" if row.part == "state" else row.part
        sums[part] = sums.get(part, 0) + row.measured_bytes
        if row.difference_bytes is not None:
            # What rounds to the same print is the same.
            off[part] = off.get(part, 0) + (0 if row.verdict == "equal" else row.difference_bytes)
    return Measurement(
        level="measured",
        engine=reading.engine,
        model=one.model or reading.model.name or reading.model.file or "",
        settings={key: value for key, value in settings(reading).items() if isinstance(value, (int, str, bool, float))},
        buffers=sums,
        difference_bytes=off,
        quant=one.quant or reading.model.quant or "",
        prompt_tokens=reading.prompt_tokens or 0,
        prefill_tokens_per_s=reading.prefill_tokens_per_s,
        decode_tokens_per_s=reading.decode_tokens_per_s,
        load_s=reading.facts.get("load_s"),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=one.machine or "",
        version=reading.version or "",
        source=source,
        compared=tuple({**row._asdict(), "difference_bytes": row.difference_bytes} for row in one.rows),
        hardware=box.hardware(reading, on),
    )


def settings(reading: Reading) -> dict[str, Any]:
    """The settings that a start is known by, by the engine's keywords where it has such here."""
    return asked.asked(reading) if reading.engine in ("llama.cpp", "ollama") else dict(reading.settings)
