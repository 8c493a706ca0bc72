"""Whether everything that answers rest on works here, and what to do where it does not."""

from __future__ import annotations

import importlib.util
import locale
import platform
import shutil
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from . import calibration, probe, store
from .drift import drifts
from .engines.llamacpp.library import installed_version
from .errors import SizeupError
from .facts import data_json
from .ghost.prove import prove
from .ghost.room import folder, has_holes, room
from .hardware import Machine
from .home import data_file
from .search import fit

SYSTEMS = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}

SAMPLE = "HuggingFaceTB/SmolLM2-135M"
"""The model that the engine is tried with: small, and a proof of it reads no weights."""


class Check(NamedTuple):
    """One thing that was looked at. What is said of it are the messages `doctor.NAME.STATE` and `doctor.NAME.STATE.try`."""

    name: str
    state: str
    """"ok"; "note": something better is possible; "bad": answers are worse or missing without it."""
    values: dict[str, Any]
    """What the message has places for; sizes in bytes end in `_bytes`."""
    said: str = ""
    """A sentence of an error instead of the message."""
    hint: str = ""


def examine(machine: Machine | None = None) -> list[Check]:
    """Everything that can be looked at in about a second. Trouble in a check is its finding, never an error."""
    box = machine if machine is not None else probe.machine()
    looks: tuple[Callable[[], Check], ...] = (
        _python,
        _engine,
        _proof,
        _programs,
        lambda: _gpu(box),
        lambda: _memory(box),
        lambda: _rates(box),
        _logs,
        _disk,
        _extras,
        _letters,
    )
    return [_tried(look) for look in looks]


def _tried(look: Callable[[], Check]) -> Check:
    try:
        return look()
    except SizeupError as error:
        name = look.__name__.strip("_")
        return Check(name, "bad", {}, error.message, error.hint)


def _python() -> Check:
    from . import __version__

    return Check("python", "ok", {"sizeup": __version__, "python": platform.python_version(), "system": platform.system()})


def _engine() -> Check:
    return Check("engine", "ok", {"version": installed_version()})


def _proof() -> Check:
    found = prove(fit(SAMPLE, probe.machine(), quant="Q8_0", context_tokens=4096, gpu_layers=0)[0])
    apart = {part: bytes for part, bytes in found.difference_bytes.items() if bytes}
    return Check("proof", "bad" if apart else "ok", {"model": SAMPLE, "parts": ", ".join(apart) or str(len(found.difference_bytes))})


def _programs() -> Check:
    facts, system = data_json("install.json"), SYSTEMS.get(platform.system(), "linux")
    missing = [program for program in facts["programs"] if shutil.which(program["name"]) is None]
    if not missing:
        return Check("programs", "ok", {"names": ", ".join(program["name"] for program in facts["programs"])})
    first = missing[0]
    return Check("programs", "note", {"names": first["name"]}, hint=" | ".join(first[system]))


def _gpu(box: Machine) -> Check:
    if box.devices:
        return Check("gpu", "ok", {"names": ", ".join(device.name for device in box.devices)})
    if box.unused:
        return Check("gpu", "note", {"names": ", ".join(one.name for one in box.unused), "why": box.unused[0].why})
    return Check("gpu", "ok", {"names": ""}, "No GPU was found: models run on the processor.")


def _memory(box: Machine) -> Check:
    pool = box.pool("ram") or box.pool("unified")
    if pool is None:
        return Check("memory", "bad", {})
    values = {"free_bytes": pool.free_bytes, "total_bytes": pool.bytes, "limits": "; ".join(box.limits)}
    return Check("memory", "note" if box.limits else "ok", values)


def _rates(box: Machine) -> Check:
    found = calibration.kept(box.cpu.name) if box.cpu is not None else None
    if found is None:
        return Check("rates", "note", {}, hint="sizeup machine --measure")
    return Check("rates", "note" if found.busy else "ok", {"date": found.date}, hint="sizeup machine --measure" if found.busy else "")


def _logs() -> Check:
    """What logs taught, and whether an engine does something else than it did."""
    if not data_file("sizeup.db").exists():
        return Check("logs", "ok", {"count": 0})
    rows = [row for row in store.measurements() if row.source]
    found = drifts(rows)
    if not found:
        return Check("logs", "ok", {"count": len(rows)})
    first = found[0]
    sizes = {"before_bytes": first.before_bytes, "after_bytes": first.after_bytes}
    values = {
        "engine": first.engine,
        "newer": first.newer,
        "older": first.older,
        "model": first.model,
        "part": first.part,
        "count": len(found),
    }
    return Check("logs", "note", {**values, **sizes}, hint="sizeup verify LOG --json")


def _disk() -> Check:
    where = folder()
    values = {"path": str(where), "free_bytes": room(where)}
    return Check("disk", "ok" if has_holes(where) else "note", values)


def _extras() -> Check:
    rows = data_json("install.json")["extras"]
    missing = [row["name"] for row in rows if any(importlib.util.find_spec(module) is None for module in row["modules"])]
    have = [row["name"] for row in rows if row["name"] not in missing]
    values = {"have": ", ".join(have) or "–", "missing": ", ".join(missing) or "–"}
    return Check(
        "extras",
        "note" if missing else "ok",
        values,
        hint=f'pip install ".[{",".join(missing)}]" in the folder of sizeup' if missing else "",
    )


def _letters() -> Check:
    encoding = (sys.stdout.encoding or locale.getpreferredencoding()).lower()
    return Check(
        "letters", "ok" if encoding.startswith("utf") else "note", {"encoding": encoding}, hint="" if "utf" in encoding else "PYTHONUTF8=1"
    )
