"""Which machine a log is of: the one that is named, this one where the log shows it, else its cards by name. Unknown is an answer."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from sizeup.errors import SizeupError
from sizeup.hardware import Machine
from sizeup.logs import Reading

NEAR = 0.03
"""How far the memory of this machine may lie from the log's."""


def named(reading: Reading, here: Machine) -> str | None:
    """The name to keep a log's measurement under; None where it does not show its machine."""
    cards = [card.name for card in reading.cards if card.name]
    if cards:
        if Counter(map(_plain, cards)) == Counter(_plain(device.name) for device in here.devices):
            return "this machine"
        return _described(cards)
    cpu, ram = reading.facts.get("cpu"), reading.ram_bytes
    pool = here.pool("ram") or here.pool("unified")
    if cpu and ram and here.cpu is not None and pool is not None and not here.devices:
        return "this machine" if _plain(cpu) in _plain(here.cpu.name) and abs(ram - pool.bytes) <= NEAR * pool.bytes else None
    return None


def _described(cards: list[str]) -> str | None:
    from sizeup.probe import machine

    counted = Counter(cards)
    name = " + ".join(f"{count}x {card}" if count > 1 else card for card, count in counted.items())
    try:
        return machine(name, files=False).kept_as
    except SizeupError:
        return None


def _plain(name: str) -> str:
    return re.sub(r"nvidia|amd|intel|\(r\)|\(tm\)|processor|[^a-z0-9]", "", name.lower())


def hardware(reading: Reading, on: Machine | None = None) -> dict[str, Any]:
    """What the log says of its machine, for the report; the cards of the machine that was named where it says nothing of them."""
    cards = [
        {"name": card.name, "bytes": card.total_bytes, "driver": card.driver} for card in reading.cards if card.name or card.total_bytes
    ]
    if not cards and on is not None:
        cards = [
            {"name": one.name, "bytes": pool.bytes if (pool := on.pool(one.pool)) else None, "driver": one.driver} for one in on.devices
        ]
    said = {"cpu": reading.facts.get("cpu"), "ram_bytes": reading.ram_bytes, "cards": cards}
    return {key: value for key, value in said.items() if value}
