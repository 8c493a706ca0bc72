"""Whether a page can download a model: the gate, the quota, the time at a measured rate."""

from __future__ import annotations

from dataclasses import dataclass

from . import limits
from .device import Device
from .load import Answer, Reason, compat
from .model import Model


@dataclass(frozen=True, slots=True)
class Download:
    """What has to be fetched and whether it may be and has room."""

    answer: Answer
    reason: Reason | None
    bytes: int | None
    """Weights alone."""
    engine_bytes: int
    """The engine itself, before it is compressed for the way."""
    precision: str | None
    seconds: float | None
    """At the measured rate; None without one."""
    gated: bool | None
    room_bytes: int | None
    """Quota less usage, as the browser reports them."""
    room_is_floor: bool
    """Chrome reports no more than 10 GiB: so much or more."""
    enough: bool | None
    evidence: tuple[str, ...] = ()


def download(model: Model, device: Device) -> Download:
    """The whole of the first question: can it be downloaded?"""
    one = limits.engines()[model.engine]
    engine_bytes = one.engine_bytes
    if compat(model.engine, device) == "compat" and one.compat_bytes is not None:
        engine_bytes = one.compat_bytes
    room = None if device.quota_bytes is None else device.quota_bytes - (device.usage_bytes or 0)
    floor = room is not None and device.browser == "chrome" and room >= limits.value("quota_floor_bytes")
    whole = None if model.bytes is None else model.bytes + engine_bytes
    needed = None if whole is None else whole * limits.value("download_margin")
    enough = None if needed is None or room is None else True if needed <= room else None if floor else False
    rate = device.network_bytes_per_s
    seconds = whole / rate if whole is not None and rate else None
    answer, reason = _answer(model, needed, room, floor, enough)
    facts = ("download_margin", *(("quota_floor_bytes",) if floor else ()))
    return Download(answer, reason, model.bytes, engine_bytes, model.precision, seconds, model.gated, room, floor, enough, facts)


def _answer(model: Model, needed: float | None, room: int | None, floor: bool, enough: bool | None) -> tuple[Answer, Reason | None]:
    if model.gated:
        return "no", Reason("gated")
    if needed is None:
        return "unknown", Reason("bytes_unknown")
    if enough is False and room is not None:
        return "no", Reason("quota", {"need": needed, "have": room})
    if enough is None and floor and room is not None:
        return "maybe", Reason("quota_floor", {"need": needed, "have": room})
    # A browser that reports no quota has one all the same; that alone makes nothing doubtful.
    return "yes", None
