"""Everything that is here with what it means for this machine: what it is, whether it fits, how fast, from which disk, how often."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sizeup.errors import NotFound, SizeupError, Unreadable
from sizeup.hardware import Disk, Machine
from sizeup.model import ModelSpec
from sizeup.plan import Plan
from sizeup.readers.local import read_path
from sizeup.search import fit
from sizeup.throughput import load_s

from . import folders, hub, ollama
from .entry import SPARE, STORES, Entry, Kind, Leftover, Shelf, Store
from .places import disks_of, measured, under
from .running import Running, running
from .same import Copies, copies, files_once

WHOLE_NUMBERS = {"F32": "F32", "F16": "F16", "BF16": "BF16"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One model that is here."""

    entry: Entry
    spec: ModelSpec
    plan: Plan | None
    """How it runs on this machine; None when the engine has no way to run it, for the `reason`."""
    reason: str
    disk: Disk | None
    loaded: bool
    """A server that was asked holds it in memory now."""

    @property
    def quant(self) -> str | None:
        """The mix that its files say or, of a checkpoint, that means it as it lies there; None when nobody says."""
        return self.spec.mix or stored_mix(self.spec)

    @property
    def load_s(self) -> float | None:
        """Seconds to read its weights from the disk they lie on, and to where they are computed; None without a measured rate."""
        if self.disk is None or not self.disk.bytes_per_s:
            return None
        if self.plan is None:
            return self.entry.bytes / self.disk.bytes_per_s
        return load_s(replace(self.plan.machine, disks=(self.disk,)), self.plan.breakdown)


@dataclass(frozen=True, slots=True)
class Installed:
    """What is on this machine. `bytes` counts each file once, whatever names it has."""

    machine: Machine
    models: tuple[Judged, ...]
    leftovers: tuple[Leftover, ...]
    copies: tuple[Copies, ...]
    disks: tuple[Disk, ...]
    roots: tuple[Path, ...]
    running: tuple[Running, ...]
    bytes: int

    @property
    def spare_bytes(self) -> int:
        """What second copies take and files that nothing refers to. Nothing is ever removed here."""
        return sum(group.spare_bytes for group in self.copies) + sum(one.bytes for one in self.leftovers if one.kind in SPARE)

    @property
    def slow(self) -> tuple[tuple[Judged, Disk], ...]:
        """Models that fit this machine and lie on a slower disk than one with room for them, each with that disk; the longest to load first."""
        found = []
        for one in self.models:
            if one.plan is not None and one.plan.fits and one.disk is not None and one.disk.bytes_per_s:
                better = [d for d in self.disks if (d.bytes_per_s or 0) > 2 * one.disk.bytes_per_s and d.free_bytes > one.entry.bytes]
                if better:
                    found.append((one, max(better, key=lambda disk: disk.bytes_per_s or 0)))
        return tuple(sorted(found, key=lambda pair: -(pair[0].load_s or 0)))

    @property
    def too_large(self) -> tuple[Judged, ...]:
        """Models that this machine cannot run however they are placed, the largest first."""
        found = [one for one in self.models if one.plan is not None and not one.plan.fits]
        return tuple(sorted(found, key=lambda one: -one.entry.bytes))


def shelf(stores: Iterable[Store], named: Iterable[Path], environment: Mapping[str, str], home: Path) -> Shelf:
    """What the stores and the named folders hold. Raises NotFound for a folder that is none."""
    found = Shelf()
    wanted = set(stores)
    if "ollama" in wanted:
        # An unusual home is a test's or another user's: the service's own store is then not looked into.
        ollama.find(environment, None if home == Path.home() else home, found)
    if "lmstudio" in wanted:
        folders.lmstudio(home, found)
    if "hub" in wanted:
        hub.find(environment, home, found)
    if "llama.cpp" in wanted:
        folders.llamacpp(environment, home, found)
    folders.named(named, found)
    return found


def installed(
    machine: Machine,
    *,
    stores: Iterable[Store] = STORES,
    folders: Iterable[Path] = (),
    context_tokens: int | None = None,
    engine: str = "llama.cpp",
    measure: bool = True,
    ask: bool = True,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
    tell: Callable[[int, int, str], None] = lambda done, whole, name: None,
) -> Installed:
    """Everything that is on this machine, the smallest wait first; nothing is changed.

    `measure` reads for half a second from each disk whose rate is not known and keeps the rate; `ask` asks Ollama and LM Studio, where
    they run, what they have loaded. `tell(done, of, name)` before each model. Raises NotFound for a folder that is none.
    """
    home = home or Path.home()
    stores = tuple(stores)
    found = shelf(stores, folders, environment, home)
    files = files_once(file for entry in found.entries for file in entry.files)
    disks = disks_of([*found.roots, *(file.path for file in files)])
    if measure:
        disks = measured(disks, files)
    servers = running(stores, environment, home) if ask else ()
    read: dict[tuple[tuple[int, int], ...], ModelSpec | SizeupError] = {}
    models, leftovers = [], list(found.leftovers)
    for number, entry in enumerate(found.entries):
        tell(number, len(found.entries), entry.name)
        key = tuple(file.inode for file in entry.files)
        if key not in read:
            read[key] = _read(entry)
        spec = read[key]
        if isinstance(spec, SizeupError):
            kind: Kind = "unreadable" if isinstance(spec, Unreadable | NotFound) else "unknown"
            leftovers.append(Leftover(entry.store, kind, entry.path, entry.bytes, entry.name, reason=spec.message))
            continue
        plan, reason = _plan(spec, machine, engine, context_tokens)
        loaded = any(entry.store == server.store and server.holds(entry.name) for server in servers)
        models.append(Judged(entry, spec, plan, reason, under(entry.files[0].path, disks), loaded))
    models.sort(key=lambda one: (one.entry.bytes, one.entry.name))
    whole = files_once([*files])
    taken = sum(file.bytes for file in whole) + sum(one.bytes for one in found.leftovers)
    return Installed(machine, tuple(models), tuple(leftovers), tuple(copies(whole)), disks, tuple(found.roots), tuple(servers), taken)


def _read(entry: Entry) -> ModelSpec | SizeupError:
    try:
        return read_path(entry.path)
    except SizeupError as error:
        return error


def _plan(spec: ModelSpec, machine: Machine, engine: str, context_tokens: int | None) -> tuple[Plan | None, str]:
    """The best plan for what is stored, as it is stored; the reason where the engine cannot run it."""
    try:
        return fit(spec, machine, engine=engine, quant=stored_mix(spec), context_tokens=context_tokens)[0], ""
    except SizeupError as error:
        return None, error.message


def stored_mix(spec: ModelSpec) -> str | None:
    """The mix that means a checkpoint as it lies there; None for a GGUF, and where the engine has no such format."""
    if spec.stored != "safetensors":
        return None
    sizes: dict[str, int] = {}
    for tensor in spec.tensors:
        if tensor.type:
            sizes[tensor.type.upper()] = sizes.get(tensor.type.upper(), 0) + tensor.bytes
    most = max(sizes, key=sizes.__getitem__, default="")
    return WHOLE_NUMBERS.get(most)
