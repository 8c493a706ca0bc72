"""The verdict on a model in a tab: downloaded, loaded, how fast, and the single reason when not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import limits
from .device import Device
from .download import Download, download
from .load import Answer, Load, Reason, load
from .model import Model
from .room import Range
from .speed import Pace, pace

FITS = "fits"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The three answers and what comes of them."""

    model: Model
    answer: Answer
    reason: Reason
    download: Download
    load: Load
    speed: Pace


def judge(model: Model, device: Device) -> Verdict:
    """Whether this tab can download and run the model in its engine, and how fast."""
    if model.engine == "builtin":
        return _builtin(model, device)
    fetched, loaded = download(model, device), load(model, device)
    speed = pace(model, device, loaded.runs_on, loaded.build, loaded.threads)
    answer, reason = _worst(fetched, loaded, speed)
    return Verdict(model, answer, reason, fetched, loaded, speed)


def _worst(fetched: Download, loaded: Load, speed: Pace) -> tuple[Answer, Reason]:
    """The first cause of the worst answer: what blocks before what is doubtful, the machine before the download."""
    kinds: tuple[Answer, ...] = ("no", "maybe", "unknown")
    for kind in kinds:
        for part in (loaded, fetched):
            if part.answer == kind and part.reason is not None:
                return kind, part.reason
        if kind == "no" and speed.upper is not None and speed.upper < limits.value("slow_tokens_per_s"):
            return "maybe", Reason("slow", {"upper": speed.upper})
    return "yes", Reason(FITS)


_BUILTIN: Mapping[str, tuple[Answer, str]] = {
    "no-api": ("no", "no_prompt_api"),
    "unavailable": ("no", "prompt_unavailable"),
    "downloadable": ("yes", "prompt_downloadable"),
    "downloading": ("yes", "prompt_downloadable"),
    "available": ("yes", FITS),
}


def _builtin(model: Model, device: Device) -> Verdict:
    """The browser's own model: it says itself whether it is there, and no page chooses which one it is."""
    answer, key = _BUILTIN.get(device.builtin or "", ("unknown", "prompt_unknown"))
    reason = Reason(key)
    cause = None if key == FITS else reason
    there = device.builtin == "available"
    needed = 0 if there else limits.value("builtin.bytes")
    fetched = Download(
        answer, cause, needed, 0, None if there else "rounded", None, False, None, False, None, ("builtin.bytes", "builtin.disk_bytes")
    )
    loaded = Load(answer, cause, "gpu", None, None, Range(None, None), Range(None, None))
    return Verdict(model, answer, reason, fetched, loaded, Pace(why="never_measured"))


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict by the names that the page uses; unknown is null, evidence names facts of limits.json."""
    fetched, loaded, speed = verdict.download, verdict.load, verdict.speed
    return {
        "model": verdict.model.id,
        "engine": verdict.model.engine,
        "verdict": verdict.answer,
        "reason": _reason(verdict.reason),
        "download": {
            "verdict": fetched.answer,
            "reason": _reason(fetched.reason),
            "bytes": fetched.bytes,
            "engineBytes": fetched.engine_bytes,
            "precision": fetched.precision,
            "seconds": fetched.seconds,
            "gated": fetched.gated,
            "quota": {"bytes": fetched.room_bytes, "floor": fetched.room_is_floor, "enough": fetched.enough},
            "evidence": list(fetched.evidence),
        },
        "load": {
            "verdict": loaded.answer,
            "reason": _reason(loaded.reason),
            "runsOn": loaded.runs_on,
            "build": loaded.build,
            "threads": loaded.threads,
            "peakBytes": {"lower": loaded.peak.low, "upper": loaded.peak.high},
            "roomBytes": {"lower": loaded.room.low, "upper": loaded.room.high},
            "evidence": list(loaded.evidence),
        },
        "speed": {
            "lower": speed.lower,
            "upper": speed.upper,
            "feel": speed.feel,
            "boundBy": speed.bound_by,
            "why": speed.why,
            "evidence": list(speed.evidence),
        },
    }


def _reason(reason: Reason | None) -> dict[str, Any] | None:
    return None if reason is None else {"key": reason.key, "figures": dict(reason.figures)}
