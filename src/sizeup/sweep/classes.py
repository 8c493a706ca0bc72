"""Machines by class: two that start the engine alike and have the same memory free get the same answers."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..engine import Engine
from ..errors import SizeupError, UserError
from ..hardware import Machine
from ..model import ModelSpec
from ..plan import Breakdown
from ..trial import settle

CARD, HOST = "card", "host"
"""Placements: every layer on the cards, or everything in host memory. Splits between them are `sizeup fit`'s work."""


class Way(NamedTuple):
    """One way to start the engine: its placement and its settings (context and cache types are the cell's)."""

    placement: str
    settings: Any
    machine: Machine | None = None
    """One whose pools are not the engine's own: memory that host and device share, cards of joined machines."""

    @property
    def key(self) -> str:
        """Equal where the engine takes the same bytes of every model from the same pools."""
        pools = [pool.name for pool in self.machine.pools] if self.machine else ""
        lent = [(device.pool, device.node) for device in self.machine.devices] if self.machine else ""
        return f"{self.placement} {self.settings!r} {pools} {lent}"


class Settled(NamedTuple):
    """An engine whose claims are settled on a machine's pools, as a plan's are."""

    engine: Engine
    machine: Machine | None

    def account(self, model: ModelSpec, quant: str | None, settings: Any) -> Breakdown:
        claimed = self.engine.account(model, quant, settings)
        return settle(claimed, self.machine) if self.machine else claimed


class DeviceClass(NamedTuple):
    """Machines that no cell can tell apart."""

    key: str
    ways: tuple[Way, ...]
    """In the order that they are preferred."""
    free_bytes: dict[str, int]
    """By pool; empty when there is no machine to fit into."""


def without_machines(engine: Engine) -> tuple[DeviceClass, ...]:
    """Both placements with nothing to fit into: bytes alone. One CUDA card; a host that rearranges no weights."""
    return tuple(
        DeviceClass(placement, (Way(placement, engine.Settings(cpu_features=(), gpu_layers=layers)),), {})
        for placement, layers in ((CARD, "all"), (HOST, 0))
    )


def device_class(machine: Machine, engine: Engine) -> DeviceClass:
    """The class of a machine. A card that the engine has no backend for counts as none."""
    ways = []
    for placement, layers in ((CARD, "all"), (HOST, 0)):
        if placement == CARD and not any(machine.pool(device.pool) for device in machine.devices):
            continue
        try:
            chosen = engine.on(engine.Settings(gpu_layers=layers), machine, ("gpu_layers",))
        except SizeupError:
            continue
        own = machine.pool("ram") is not None and not machine.nodes
        ways.append(Way(placement, _plain(chosen), None if own else machine))
    free = {pool.name: pool.free_bytes for pool in machine.pools if pool.name != "disk"}
    text = repr(([way.key for way in ways], sorted(free.items())))
    return DeviceClass(hashlib.blake2b(text.encode(), digest_size=6).hexdigest(), tuple(ways), free)


def _plain(settings: Any) -> Any:
    """Settings without what changes nothing: equal cards split the layers as cards of which nothing is known, a host has no cards."""
    free = settings.gpu_free_bytes
    if settings.gpu_layers == 0:
        return dataclasses.replace(settings, gpus=1, gpu_free_bytes=None, gpu_kind="cuda")
    return dataclasses.replace(settings, gpu_free_bytes=None) if free and len(set(free)) == 1 else settings


def classes(machines: Iterable[tuple[str, Machine]], engine: Engine) -> tuple[tuple[DeviceClass, ...], dict[str, str]]:
    """The classes by key, and machine name -> key."""
    found: dict[str, DeviceClass] = {}
    names: dict[str, str] = {}
    for name, machine in machines:
        kind = device_class(machine, engine)
        found.setdefault(kind.key, kind)
        names[name] = kind.key
    return tuple(found[key] for key in sorted(found)), names


def named(names: Sequence[str]) -> list[tuple[str, Machine]]:
    """Machines by name; "all" is every part of the device table that can be a machine, and every machine named whole."""
    from ..probe import machine

    if list(names) != ["all"]:
        return [(name, machine(name)) for name in dict.fromkeys(names)]
    from ..probe.described import known

    found = []
    for name in dict.fromkeys(known()):
        try:
            found.append((name, machine(name)))
        except SizeupError:
            continue  # a neural processor, or an accelerator without a runtime here
    if not found:
        raise UserError("No machine is described here.", "--machines rtx-4090")
    return found
