"""How much memory a tab may come to hold, as an interval: no browser tells, so most of it is assumed and said to be."""

from __future__ import annotations

from typing import NamedTuple

from . import limits
from .device import Device

GIB = 2**30


class Range(NamedTuple):
    """Lowest and highest value; None where nobody knows an end."""

    low: float | None
    high: float | None


def ram(device: Device) -> tuple[Range, tuple[str, ...]]:
    """RAM of the machine in bytes, from deviceMemory: a rounded and capped figure, or none at all."""
    if device.memory_gib is None:
        name = "memory_unknown_mobile_bytes" if device.mobile else "memory_unknown_desktop_bytes"
        return Range(limits.value(name), None), (name,)
    row = limits.fact("memory_rounding")
    told = device.memory_gib * GIB
    if device.memory_gib < _top_gib(device):
        return Range(told * row["low"], told * row["high"]), ("memory_rounding",)
    if device.mobile:
        return Range(told * row["low"], limits.value("memory_most_mobile_bytes")), ("memory_rounding", "memory_most_mobile_bytes")
    return Range(told * row["low"], None), ("memory_rounding",)


def _top_gib(device: Device) -> float:
    """The largest value that this browser reports, which means so much or more."""
    if device.mobile:
        name = "memory_top_mobile_gib"
    elif device.browser_major is not None and device.browser_major >= limits.value("memory_top_since_chrome"):
        name = "memory_top_gib"
    else:
        name = "memory_top_before_gib"
    return float(limits.value(name))


def tab_room(device: Device) -> tuple[Range, tuple[str, ...]]:
    """Bytes that a tab may hold on the processor's side."""
    if device.platform == "ios":
        row = limits.fact("tab_ios_bytes")
        return Range(row["low"], row["high"]), ("tab_ios_bytes",)
    name = "tab_share_android" if device.platform == "android" else "tab_share_desktop"
    row = limits.fact(name)
    whole, facts = ram(device)
    low = None if whole.low is None else whole.low * row["low"]
    return Range(low, None if whole.high is None else whole.high * row["high"]), (name, *facts)


def gpu_room(device: Device) -> tuple[Range, tuple[str, ...]]:
    """Bytes that a tab may hold on the GPU: phones share their RAM; elsewhere only what a trial really took is known."""
    if device.mobile:
        room, facts = tab_room(device)
    else:
        whole, facts = ram(device)
        share = limits.fact("gpu_share_desktop")["low"]
        high = None
        if device.platform == "macos" and whole.high is not None:
            high, facts = whole.high * limits.fact("gpu_share_macos")["high"], ("gpu_share_macos", *facts)
        room, facts = Range(None if whole.low is None else whole.low * share, high), ("gpu_share_desktop", *facts)
    took = device.gpu_allocated_bytes
    if took is None:
        return room, facts
    high = took + limits.value("gpu_step_bytes") if device.gpu_allocation_failed else room.high
    # What was really taken settles it from below; a trial that failed does from above too.
    low = took if device.gpu_allocation_failed else max(took, room.low or 0)
    return Range(low, None if high is None else max(high, low)), ("gpu_step_bytes", *facts)
