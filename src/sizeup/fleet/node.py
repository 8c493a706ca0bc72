"""What a cluster is made of: nodes, each a machine with what is free of it now, and where every field is known from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..facts import Source
from ..hardware import Machine

System = Literal["ray", "kubernetes", "slurm", "file"]
State = Literal["ready", "down", "closed", "unknown"]
"""`closed`: it is up and takes no new work (cordoned, draining)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of a cluster, as its scheduler sees it. Read only: nothing here changes a cluster."""

    name: str
    machine: Machine
    """All of it: every card, and memory of which what others were granted is not free."""
    state: State = "unknown"
    free_cards: int = 0
    """Cards that nobody was granted. A scheduler counts them and does not say which: the last ones of the machine are taken as granted."""
    free_cpus: float = 0.0
    resource: str = ""
    """What the scheduler calls a card when one asks for it ("nvidia.com/gpu", "gpu:h100", "GPU"); "" without cards."""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()
    """What a pod must tolerate to come here; empty elsewhere."""
    groups: tuple[str, ...] = ()
    """Partitions (Slurm) or node groups that it is in."""
    shared: bool = True
    """Whether others use it too; False for a machine that its owner described."""
    evidence: tuple[tuple[str, Source], ...] = ()
    """Field -> where it is known from; what is missing here is assumed."""
    warnings: tuple[str, ...] = ()
    network: str = ""
    """What joins it with the other nodes, by its name in data/networks.json; "" where nobody says."""
    software: Mapping[str, str] = field(default_factory=dict)
    """What of what would be started it has: package -> version. Empty where nobody looked."""

    @property
    def cards(self) -> int:
        """All of its cards, granted or not."""
        return len(self.machine.devices)

    def free(self) -> Machine:
        """The machine that new work finds: without the cards that others were granted. A node that takes no work has none and no memory free."""
        kept = self.free_cards if self.state == "ready" else 0
        devices = self.machine.devices[:kept]
        gone = {device.pool for device in self.machine.devices[kept:]} - {device.pool for device in devices}
        pools = tuple(
            dataclasses.replace(pool, free_bytes=0) if self.state != "ready" else pool
            for pool in self.machine.pools
            if pool.name not in gone
        )
        links = tuple(link for link in self.machine.links if not gone & set(link.ends))
        return dataclasses.replace(self.machine, name=self.name, devices=devices, pools=pools, links=links)


@dataclass(frozen=True, slots=True)
class Inventory:
    """A cluster as it was seen."""

    system: System
    address: str
    """Where it was asked, without credentials; the file's name for a described one."""
    nodes: tuple[Node, ...]
    date: str
    """ISO date and time, UTC."""
    version: str = ""
    """Of the scheduler; "" when it does not say."""
    warnings: tuple[str, ...] = ()
