"""What one device probe found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from sizeup.hardware import Device, Link, Pool, Unused


class Found(NamedTuple):
    """Devices and their pools. A device without memory of its own names the pool "unified"."""

    pools: tuple[Pool, ...] = ()
    devices: tuple[Device, ...] = ()
    links: tuple[Link, ...] = ()
    warnings: tuple[str, ...] = ()
    unused: tuple[Unused, ...] = ()
    limits: tuple[str, ...] = ()
    """What keeps a device from memory that it shares, in words."""

    def renumbered(self, first: int) -> Found:
        """The same with `vram:0` called `vram:{first}` and so on."""
        if first == 0:
            return self
        names = {pool.name: f"vram:{first + index}" for index, pool in enumerate(self.pools)}
        return Found(
            tuple(replace(pool, name=names[pool.name]) for pool in self.pools),
            tuple(replace(device, pool=names.get(device.pool, device.pool)) for device in self.devices),
            tuple(
                replace(link, ends=(names.get(link.ends[0], link.ends[0]), names.get(link.ends[1], link.ends[1]))) for link in self.links
            ),
            self.warnings,
            self.unused,
            self.limits,
        )


def together(parts: Iterable[Found]) -> Found:
    """What several probes found, their pools numbered on in one row."""
    whole = Found()
    for part in parts:
        one = part.renumbered(len(whole.pools))
        whole = Found(
            whole.pools + one.pools,
            whole.devices + one.devices,
            whole.links + one.links,
            whole.warnings + one.warnings,
            whole.unused + one.unused,
            whole.limits + one.limits,
        )
    return whole
