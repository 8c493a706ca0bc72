"""Where operations find models and machines. The command line reads anything that is named; a server keeps what it read, and refuses paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.hardware import Machine
from sizeup.model import ModelSpec

from .parameter import Values

if TYPE_CHECKING:
    from sizeup.fleet.node import Inventory
    from sizeup.fleet.targets_file import Wishes


def with_ram(machine: Machine, ram: int | None) -> Machine:
    """The machine with this much host memory, where a size is given."""
    if ram is None:
        return machine
    from sizeup.probe.described import with_memory

    return with_memory(machine, ram)


class World:
    """Everything that a person at this machine may name."""

    offline, online = True, False
    """A world that says nothing asks nobody: servers and assistants read no network for others."""

    def __init__(self, offline: bool = False, online: bool = False) -> None:
        """`offline` forbids to read online what is not here; `online` reads there also what the catalogue has."""
        self.offline, self.online = offline, online

    def model(self, name: str, assume: str | None = None) -> ModelSpec:
        """The model of this name or path; `assume` names the architecture to treat an unknown one as."""
        from sizeup.readers import read

        return read(name, assume=assume, offline=self.offline, online=self.online)

    def machine(self, name: str | None = None, ram: int | None = None) -> Machine:
        """The machine of this name or file, None this one; with this much host memory."""
        from sizeup.probe import machine

        return machine(name, ram=ram) if name is not None and ram is not None else with_ram(machine(name), ram)

    def detailed(self, name: str | None = None, ram: int | None = None) -> Machine:
        """The machine; this one with what takes a moment to ask: memory modules, the programs that hold most memory."""
        from sizeup.probe import details

        found = self.machine(name, ram)
        return details(found) if found.name == "this machine" else found

    def file(self, path: str) -> str:
        """The path itself, where files may be read."""
        return path

    def stores(self) -> bool:
        """Whether what is measured of disks may be kept and servers of this machine asked, where the models on it may be listed."""
        return True

    keeps = True
    """Whether what is learned may be stored."""

    def log(self, path: str) -> bytes:
        """The start of a log, as far as one is read; “-” is what comes in."""
        from sizeup.logs.source import content

        return content(path)

    def on(self, values: Values) -> Machine:
        """The machine that the parameters MACHINE_OPTIONS name."""
        return self.given(self.machine(values["on"], values["ram"]), values)

    def given(self, machine: Machine, values: Values) -> Machine:
        """The machine with what was said to be known better of it."""
        if values["vram"] is None and not values["bandwidth"] and not values["in_use"]:
            return machine
        from sizeup.probe.given import with_given

        return with_given(machine, values["vram"], values["bandwidth"], values["in_use"])

    most_nodes: int | None = None
    """Of a cluster; None where nothing but the fleet's own limit holds."""

    def cluster(self, nodes: str) -> Inventory:
        """The nodes of a file: described ones, or what a scan wrote down."""
        from sizeup.fleet.answer import cluster

        return cluster(nodes)

    def load(self, load: str) -> Wishes:
        """The models of a file and what is asked of each."""
        from sizeup.fleet.targets_file import load as read

        return read(load, self.model)

    def models(self, names: Sequence[str]) -> list[ModelSpec]:
        return [self.model(name) for name in names]
