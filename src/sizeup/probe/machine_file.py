"""A machine described in TOML (docs/machines.md). What contradicts itself is refused in one sentence that names both facts."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from sizeup.errors import NotFound, Unreadable, UserError, close_names
from sizeup.facts import Source
from sizeup.hardware import Cpu, Device, Disk, Link, Machine, Pool
from sizeup.units import parse_bytes, show_bytes

from . import nvlink, table
from .assembled import backend, not_neural
from .unified import metal_limit

LARGEST_FILE_BYTES = 1 << 20
SLOWEST_CARD_S = 2.0
"""No card takes longer to read its own memory once; the slowest of the table takes half a second."""
SLOWEST_HOST_S = 120.0
FASTEST_BYTES_PER_S = 1e14
KEYS = {
    "": {"name", "aliases", "system", "source", "date", "notes", "cpu", "ram", "unified", "gpu", "disk", "link"},
    "cpu": {"name", "cores", "threads", "usable", "architecture", "features"},
    "ram": {"memory", "free", "bandwidth"},
    "unified": {"memory", "free", "bandwidth", "gpu_limit"},
    "gpu": {"device", "count", "name", "vendor", "kind", "memory", "free", "bandwidth", "compute_capability", "shares"},
    "disk": {"path", "size", "free", "filesystem", "bandwidth"},
    "link": {"kind", "ends", "bandwidth"},
}
"""Every table of the format and its keys."""


def load(path: Path) -> Machine:
    """The machine that a file describes. Raises NotFound, Unreadable for what is not TOML, UserError for a contradiction."""
    try:
        if path.is_dir():
            raise Unreadable(f"{path} is a folder, not a machine file.", f"{path}/NAME.toml")
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise Unreadable(
                f"{path} is {show_bytes(path.stat().st_size)}; a machine file has a few lines.", "docs/machines.md for the format"
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", "a name such as rtx-4090, or the path of a .toml file") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.", "a file that you may read") from None
    return parse(content, str(path))


def names(content: bytes) -> tuple[str, ...]:
    """What else a preset may be called."""
    return tuple(tomllib.loads(content.decode()).get("aliases", ()))


def parse(content: bytes, where: str, preset: bool = False) -> Machine:
    """The machine in these bytes; `where` names them in errors and sources. A preset's figures are published, a user's are given."""
    try:
        given = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unreadable(f"{where} is not TOML: {error}.", "docs/machines.md for the format") from None
    _known(given, "", where)
    said = given.get("source", "")
    source = (
        Source("published", str(said), str(given.get("date", "")))
        if preset
        else Source("given", str(said) or where, str(given.get("date", "")))
    )
    reader = _Reader(where, source)
    host = reader.host(given)
    cards, devices = reader.cards(given.get("gpu", []), host)
    pools = (*map(_rated_by, host, [given.get("gpu", [])] * len(host)), *cards)
    if not pools:
        raise UserError(f"{where} names no memory at all.", "a [ram] table with memory = “32GiB”")
    if "unified" in given and not devices:
        raise UserError(
            f"{where} has [unified] memory but nothing that shares it with the processor.", "[[gpu]] with shares = “unified”, or [ram]"
        )
    limits, pools = _limited(devices, pools)
    return Machine(
        str(given.get("name") or Path(where).stem),
        reader.cpu(given.get("cpu")),
        pools,
        devices,
        reader.disks(given.get("disk", [])),
        reader.links(given.get("link", []), {pool.name for pool in pools}, devices),
        str(given.get("system", "")),
        limits,
        (),
        (),
        source,
    )


def _rated_by(pool: Pool, gpus: list[dict[str, Any]]) -> Pool:
    """Unified memory whose rate the file leaves out, with that of the chip it names."""
    chips = [table.part(str(entry["device"]))[0] for entry in gpus if "device" in entry]
    chip = next((part for part in chips if part.kind in ("soc", "igpu") and part.bytes_per_s), None)
    if pool.name != "unified" or pool.bytes_per_s or chip is None:
        return pool
    return replace(pool, bytes_per_s=chip.bytes_per_s, bandwidth_source=chip.source)


def _limited(devices: tuple[Device, ...], pools: tuple[Pool, ...]) -> tuple[tuple[str, ...], tuple[Pool, ...]]:
    limits = [device.limit_bytes for device in devices if device.limit_bytes is not None]
    if not limits:
        return (), pools
    least = min(limits)
    cut = tuple(replace(pool, free_bytes=min(pool.free_bytes, least)) if pool.name == "unified" else pool for pool in pools)
    return (f"the GPU may hold {show_bytes(least)} of the unified memory",), cut


def _known(given: Any, name: str, where: str) -> None:
    if not isinstance(given, dict):
        raise UserError(f"{where}: “{name}” is not a table.", f"[{name}] on a line of its own, docs/machines.md")
    for key in given:
        if key not in KEYS[name]:
            near = close_names(key, KEYS[name], 1) or sorted(KEYS[name])[:6]
            raise UserError(f"{where}: {f'[{name}] has' if name else 'there is'} no “{key}”.", ", ".join(near))


class _Reader:
    """Turns the tables of one file into nouns, naming the file in every error."""

    def __init__(self, where: str, source: Source) -> None:
        self.where = where
        self.source = source

    def cpu(self, given: Any) -> Cpu | None:
        if given is None:
            return None
        _known(given, "cpu", self.where)
        cores = self.count(given, "cores", "cpu")
        threads = self.count(given, "threads", "cpu", cores)
        if threads < cores:
            raise UserError(f"{self.where}: [cpu] has {cores} cores but {threads} threads.", "threads = cores or more")
        usable = float(given.get("usable", threads))
        if not 0 < usable <= threads:
            raise UserError(f"{self.where}: [cpu] usable = {usable:g} of {threads} threads.", f"between 0 and {threads}")
        features = tuple(str(word) for word in given.get("features", ()))
        return Cpu(str(given.get("name", "unnamed")), cores, threads, usable, str(given.get("architecture", "")), features, self.source)

    def host(self, given: dict[str, Any]) -> tuple[Pool, ...]:
        if "ram" in given and "unified" in given:
            raise UserError(
                f"{self.where} has both [ram] and [unified]; unified memory is the only memory of its machine.", "one of the two"
            )
        for name in ("ram", "unified"):
            if name in given:
                _known(given[name], name, self.where)
                return (self.pool(name, given[name], name, SLOWEST_HOST_S),)
        return ()

    def pool(self, name: str, given: dict[str, Any], table_name: str, slowest_s: float) -> Pool:
        size = self.size(given, "memory", table_name)
        free = self.size(given, "free", table_name, size, least=0)
        if free > size:
            raise UserError(
                f"{self.where}: [{table_name}] has {show_bytes(size)}, of which {show_bytes(free)} are said to be free.",
                "free up to memory",
            )
        return Pool(name, size, free, self.rate(given, table_name, size, slowest_s), self.source, self.source)

    def cards(self, given: Any, host: tuple[Pool, ...]) -> tuple[tuple[Pool, ...], tuple[Device, ...]]:
        pools: list[Pool] = []
        devices: list[Device] = []
        for entry in self.tables(given, "gpu"):
            for _ in range(self.count(entry, "count", "gpu", 1)):
                pool, device = self.card(entry, len(pools), host)
                pools += pool
                devices.append(device)
        return tuple(pools), tuple(devices)

    def card(self, entry: dict[str, Any], index: int, host: tuple[Pool, ...]) -> tuple[tuple[Pool, ...], Device]:
        part = not_neural(table.part(str(entry["device"]))[0]) if "device" in entry else None
        name = str(entry.get("name") or (part.name if part else "unnamed card"))
        vendor = str(entry.get("vendor") or (part.vendor if part else ""))
        kind = str(entry.get("kind") or backend(vendor, part.kind if part else "gpu"))
        capability = str(entry.get("compute_capability", ""))
        if "shares" in entry or (part and part.kind in ("soc", "igpu")):
            if entry.get("shares", "unified") != "unified" or not host or host[0].name != "unified":
                raise UserError(f"{self.where}: {name} shares memory, but there is no [unified] table.", "[unified] with memory = “64GiB”")
            limit = metal_limit(host[0].bytes).bytes if kind == "metal" else None
            return (), Device(name, vendor, kind, "unified", capability, self.source, None, limit)
        given = dict(entry)
        if part is not None:
            if "memory" in given and abs(self.size(given, "memory", "gpu") - part.memory_bytes) > part.memory_bytes // 20:
                raise UserError(
                    f"{self.where}: {part.name} has {show_bytes(part.memory_bytes)}, the file says {given['memory']}.",
                    "name = “…” in place of device",
                )
            given.setdefault("memory", part.memory_bytes)
            if part.bytes_per_s:
                given.setdefault("bandwidth", part.bytes_per_s)
        return (self.pool(f"vram:{index}", given, "gpu", SLOWEST_CARD_S),), Device(
            name, vendor, kind, f"vram:{index}", capability, self.source
        )

    def disks(self, given: Any) -> tuple[Disk, ...]:
        found = []
        for entry in self.tables(given, "disk"):
            size = self.size(entry, "size", "disk")
            free = self.size(entry, "free", "disk", size, least=0)
            if free > size:
                raise UserError(
                    f"{self.where}: [disk] has {show_bytes(size)}, of which {show_bytes(free)} are said to be free.", "free up to size"
                )
            rate = self.rate(entry, "disk", size, float("inf"))
            found.append(Disk(str(entry.get("path", "/")), size, free, str(entry.get("filesystem", "")), rate, self.source))
        return tuple(found)

    def links(self, given: Any, pools: set[str], devices: tuple[Device, ...]) -> tuple[Link, ...]:
        found = []
        for entry in self.tables(given, "link"):
            ends = entry.get("ends")
            if not isinstance(ends, list) or len(ends) != 2 or any(end not in pools for end in ends):
                raise UserError(
                    f"{self.where}: a [[link]] joins two of {', '.join(sorted(pools))}, not {ends}.", "ends = [“vram:0”, “vram:1”]"
                )
            if str(entry.get("kind", "")).lower() == "nvlink":
                for device in devices:
                    if device.pool in ends:
                        nvlink.check(device.name)
            rate = self.rate(entry, "link", 1, float("inf"))
            if rate is None:
                raise UserError(f"{self.where}: a [[link]] has no bandwidth.", "bandwidth = “32 GB/s”")
            found.append(Link(str(entry.get("kind", "")), rate, (str(ends[0]), str(ends[1])), self.source))
        return tuple(found)

    def tables(self, given: Any, name: str) -> list[dict[str, Any]]:
        if not isinstance(given, list):
            raise UserError(f"{self.where}: “{name}” is not a list of tables.", f"[[{name}]] with two brackets")
        for entry in given:
            _known(entry, name, self.where)
        return given

    def count(self, given: dict[str, Any], key: str, name: str, otherwise: int | None = None) -> int:
        value = given.get(key, otherwise)
        if type(value) is not int or not 1 <= value <= 4096:
            raise UserError(f"{self.where}: [{name}] {key} = {value} is not a count.", f"{key} = 8")
        return value

    def size(self, given: dict[str, Any], key: str, name: str, otherwise: int | None = None, least: int = 1) -> int:
        value = given.get(key, otherwise)
        if isinstance(value, str):
            try:
                value = parse_bytes(value)
            except UserError as error:
                raise UserError(f"{self.where}: [{name}] {key}: {error.message}", error.hint) from None
        if type(value) is not int or value < least:
            said = "is missing" if value is None else f"= {value} is not a size"
            raise UserError(f"{self.where}: [{name}] {key} {said}.", f"{key} = “24GiB”")
        return value

    def rate(self, given: dict[str, Any], name: str, size: int, slowest_s: float) -> float | None:
        value = given.get("bandwidth")
        if value is None:
            return None
        if isinstance(value, str):
            text, slash, unit = value.partition("/")
            if not slash or unit.strip() != "s":
                raise UserError(f"{self.where}: [{name}] bandwidth “{value}” has no “/s”.", "bandwidth = “1008 GB/s”")
            value = self.size({"bandwidth": text}, "bandwidth", name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= FASTEST_BYTES_PER_S:
            raise UserError(f"{self.where}: [{name}] bandwidth = {value} is not a rate.", "bandwidth = “1008 GB/s”")
        if size / value > slowest_s:
            what = "card" if name == "gpu" else "memory"
            raise UserError(
                f"{self.where}: a {what} of {show_bytes(size)} at {show_bytes(value, 'si')}/s takes {size / value:.0f} s to be read once; none is that slow.",
                "bandwidth = “1008 GB/s” as in the data sheet",
            )
        return float(value)
