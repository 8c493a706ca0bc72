"""What a person knows better than the probe or the table: memory, bandwidth, what other programs hold. Such values are labelled given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sizeup.errors import UserError
from sizeup.facts import Source
from sizeup.hardware import Device, Machine, Pool

from .machine_values import FASTEST_BYTES_PER_S

InPool = tuple[str, int]
"""A pool ("" for the one that is meant when none is named) and a number of bytes or bytes per second."""


def with_given(machine: Machine, vram: int | None = None, bandwidth: Sequence[InPool] = (), in_use: Sequence[InPool] = ()) -> Machine:
    """The machine with the user's own figures.

    `vram` is the memory of each card, `bandwidth` the read rate of a pool, `in_use` what other programs hold of one. A figure without a
    pool is of the first card's memory, of the host's where there is no card. Raises UserError for a pool that is not there and for what
    cannot be.
    """
    if vram is not None:
        machine = _with_vram(machine, vram)
    for name, rate in bandwidth:
        pool = _meant(machine, name)
        if not 0 < rate <= FASTEST_BYTES_PER_S:
            raise UserError(f"--bandwidth = {rate} bytes a second is no rate of a memory.", "--bandwidth 400GB/s")
        alike = [one for one in machine.pools if one is pool or (not name and _of_card(one) and _of_card(pool))]
        machine = _changed(
            machine, [replace(one, bytes_per_s=float(rate), bandwidth_source=Source("given", "--bandwidth")) for one in alike]
        )
    for name, held in in_use:
        machine = _held(machine, _meant(machine, name), held)
    return machine


def _with_vram(machine: Machine, size: int) -> Machine:
    cards = [pool for pool in machine.pools if _of_card(pool)]
    if not cards:
        raise UserError(f"{machine.name} has no card with memory of its own.", "--ram, or --on with a card")
    if size <= 0:
        raise UserError(f"A memory of {size} bytes holds nothing.", "--vram 24GiB")
    # What the driver keeps of it does not grow with it.
    kept = [replace(p, bytes=size, free_bytes=max(size - (p.bytes - p.free_bytes), 0), source=Source("given", "--vram")) for p in cards]
    return _changed(machine, kept)


def _held(machine: Machine, pool: Pool, held: int) -> Machine:
    if held > pool.bytes:
        raise UserError(f"{pool.name} has {pool.bytes:,} bytes, of which {held:,} cannot be in use.", "--in-use 2GiB")
    most = min((device.limit_bytes for device in machine.devices if device.pool == pool.name and device.limit_bytes), default=pool.bytes)
    free = replace(pool, free_bytes=min(pool.bytes - held, most), free_source=Source("given", "--in-use"))

    def told(device: Device) -> Device:
        return replace(device, others_bytes=held) if device.pool == pool.name and _of_card(pool) else device

    return replace(_changed(machine, [free]), devices=tuple(map(told, machine.devices)))


def _meant(machine: Machine, name: str) -> Pool:
    """The pool of this name; without one, the first card's, or the host's."""
    found = machine.pool(name) if name else next(iter(sorted(machine.pools, key=lambda pool: not _of_card(pool))), None)
    if found is None:
        raise UserError(f"{machine.name} has no memory called “{name}”.", ", ".join(pool.name for pool in machine.pools))
    return found


def _of_card(pool: Pool) -> bool:
    return pool.name.startswith("vram:")


def _changed(machine: Machine, pools: Sequence[Pool]) -> Machine:
    named = {pool.name: pool for pool in pools}
    return replace(machine, pools=tuple(named.get(pool.name, pool) for pool in machine.pools))
