"""What was measured here, to be shared: figures, settings and the class of the machine, and nothing that names a person or a place.

Everything is let through by its form, not taken out by it: what is not known to be harmless stays here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NotRequired, TypedDict

from . import __version__, probe, store
from .hardware import Machine
from .home import data_file
from .plan import PARTS, Measurement

SCHEMA, SCHEMA_VERSION = "sizeup-report", 1

ENGINES = ("llama.cpp", "ollama", "vllm", "sglang")
WORDS = ("auto", "all", "server", "library", "cuda", "rocm", "vulkan", "metal", "sycl", "cpu", "bfloat16", "float16", "float32", "fp8", "fp8_e4m3", "fp8_e5m2", "nvfp4", "awq", "gptq", "f32", "f16", "bf16")  # fmt: skip
"""Words that settings may be."""
VENDORS = r"(?:NVIDIA|AMD|Intel|Apple|Radeon|GeForce|Tesla|Quadro|RTX|GTX|Ryzen|EPYC|Xeon|Core|Snapdragon|Cortex|Neoverse|ARM|Ampere|Orin|Moore Threads|Ascend|Arc|Instinct)"
"""How names of processors and cards begin or what they hold; anything else may be the name of a host."""

_VERSION = re.compile(r"b\d{1,7}|\d{1,3}\.\d{1,4}(?:\.\d{1,6})?(?:-?(?:rc|dev|post|a|b|alpha|beta)\.?\d{0,6})?")
_CACHE = re.compile(r"(?:i?q\d_\w{1,3}|mxfp4)", re.IGNORECASE)
_MIX = re.compile(r"(?:I?Q\d(?:_[KS01])?(?:_(?:XXS|XS|S|M|L|NL))?|Q\d_K|F16|BF16|F32|MXFP4(?:_MOE)?|TQ\d_\d|as stored|mixed)")
_CHIP = re.compile(rf"(?=.*\b{VENDORS}\b)[A-Za-z][\w ()+.,/-]{{1,70}}(?: @ [\d.]{{1,5}} ?GHz)?")
_DRIVER = re.compile(r"(?:NVIDIA |amdgpu|i915|xe|nvidia|radv|mesa|Mesa |CUDA |ROCm |v)?[\d.]{0,20}(?:, (?:CUDA|ROCm|Mesa) [\d.]{1,12})?")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|::|[0-9a-f]{2}(?::[0-9a-f]{2}){3}", re.IGNORECASE)


class CardClassJson(TypedDict):
    """A card by its kind; nothing of this very one."""

    name: str | None
    memory_bytes: int | None
    driver: str | None


class MachineClassJson(TypedDict):
    """A machine by its kind."""

    cpu: str | None
    ram_bytes: int | None
    cards: list[CardClassJson]


class SharedJson(TypedDict):
    """One measurement."""

    level: str
    engine: str
    version: str | None
    date: str
    model: str | None
    quant: str | None
    settings: dict[str, int | float | bool | str]
    machine: MachineClassJson
    parts: list[dict[str, Any]]
    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    prompt_tokens: int


class ReportJson(TypedDict):
    """The whole report."""

    schema: str
    schema_version: int
    sizeup: str
    measurements: list[SharedJson]
    note: NotRequired[str]


def report(machine: Machine | None = None) -> ReportJson:
    """Everything that was measured here, as it may be shared; `machine` is this one, looked at when it is not given."""
    rows = [row for row in store.measurements() if row.level in ("measured", "rehearsed")] if data_file("sizeup.db").exists() else []
    here = _machine_class(machine if machine is not None else probe.machine()) if rows else None
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "sizeup": __version__,
        "measurements": [one for row in rows if (one := _shared(row, here)) is not None],
    }


def _shared(row: Measurement, here: MachineClassJson | None) -> SharedJson | None:
    engine, version = _engine(row)
    if engine is None:
        return None
    return {
        "level": row.level,
        "engine": engine,
        "version": version,
        "date": row.date[:10] if re.fullmatch(r"\d{4}-\d\d-\d\d", row.date[:10]) else "",
        "model": _model(row.model),
        "quant": row.quant if _MIX.fullmatch(row.quant) else None,
        "settings": {name: value for name, value in row.settings.items() if re.fullmatch(r"[a-z][a-z_]{0,40}", name) and _harmless(value)},
        "machine": _logged_class(row) if row.source else here or {"cpu": None, "ram_bytes": None, "cards": []},
        "parts": list(_parts(row)),
        "prefill_tokens_per_s": _rate(row.prefill_tokens_per_s),
        "decode_tokens_per_s": _rate(row.decode_tokens_per_s),
        "prompt_tokens": row.prompt_tokens,
    }


def _engine(row: Measurement) -> tuple[str | None, str | None]:
    if found := re.fullmatch(r"llama\.cpp \(xllamacpp \d{4}\.\d{1,2}\.(\d{1,7})\)", row.engine):
        return "llama.cpp", f"b{found[1]}"
    known = row.engine if row.engine in ENGINES else None
    return known, row.version if _VERSION.fullmatch(row.version) else None


def _model(name: str) -> str | None:
    """The name where it is one that everybody knows; a file of somebody's own stays here."""
    from .readers.names import by_id

    return name if by_id(name) is not None else None


def _harmless(value: object) -> bool:
    return isinstance(value, (bool, int, float)) or value in WORDS or (isinstance(value, str) and _CACHE.fullmatch(value) is not None)


def _parts(row: Measurement) -> Iterable[dict[str, Any]]:
    if row.compared:
        for one in row.compared:
            if one["part"] in PARTS and re.fullmatch(r"ram|unified|vram(?::\d{1,3})?", one["pool"]):
                numbers = ("measured_bytes", "rounding_bytes", "predicted_bytes", "within")
                yield {"part": one["part"], "pool": one["pool"], **{name: _number(one.get(name)) for name in numbers}}
        return
    for part, count in row.buffers.items():
        if part in PARTS:
            off = row.difference_bytes.get(part)
            yield {"part": part, "pool": None, "measured_bytes": count, "rounding_bytes": 0, "predicted_bytes": None if off is None else count - off, "within": 0.0}  # fmt: skip


def _number(value: object) -> float | int | None:
    return value if isinstance(value, (int, float)) else None


def _rate(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _machine_class(machine: Machine) -> MachineClassJson:
    pool = machine.pool("ram") or machine.pool("unified")
    cards = [(device.name, found.bytes if (found := machine.pool(device.pool)) else None, device.driver) for device in machine.devices]
    return _class(machine.cpu.name if machine.cpu else None, pool.bytes if pool else None, cards)


def _logged_class(row: Measurement) -> MachineClassJson:
    said = row.hardware
    cards = [(card.get("name"), card.get("bytes"), card.get("driver")) for card in said.get("cards", ()) if isinstance(card, dict)]
    return _class(said.get("cpu"), said.get("ram_bytes"), cards)


def _class(cpu: object, ram: object, cards: Iterable[tuple[object, object, object]]) -> MachineClassJson:
    return {
        "cpu": _chip(cpu),
        "ram_bytes": ram if isinstance(ram, int) else None,
        "cards": [
            {"name": _chip(name), "memory_bytes": size if isinstance(size, int) else None, "driver": _driver(driver)}
            for name, size, driver in cards
        ],
    }


def _chip(name: object) -> str | None:
    if not isinstance(name, str) or _ADDRESS.search(name):
        return None
    # Every word must be one of a maker's: a host may be called after its card.
    return (
        name
        if _CHIP.fullmatch(name)
        and re.match(VENDORS, name)
        and not re.search(r"[a-z]-[a-z]|'s\b|\.(?:local|lan|com|net|home)\b|/home", name)
        else None
    )


def _driver(text: object) -> str | None:
    return text if isinstance(text, str) and text and _DRIVER.fullmatch(text) and not _ADDRESS.search(text) else None


__all__ = ["SCHEMA", "SCHEMA_VERSION", "ReportJson", "report"]
