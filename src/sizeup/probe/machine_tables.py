"""The tables of a machine file as nouns: processor, memory, cards, disks, links. What contradicts itself is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sizeup.errors import UserError
from sizeup.hardware import Cpu, Device, Disk, Link, Modules, Pool, Swap, Unused
from sizeup.units import show_bytes

from . import nvlink, table
from .assembled import backend, not_neural
from .machine_values import MOST_FLOPS, MOST_WATTS, Values, known
from .unified import metal_limit

SLOWEST_CARD_S = 2.0
"""No card takes longer to read its own memory once; the slowest of the table takes half a second."""
SLOWEST_HOST_S = 120.0


class Reader(Values):
    """Turns the tables of one file into nouns."""

    def cpu(self, given: Any) -> Cpu | None:
        if given is None:
            return None
        known(given, "cpu", self.where)
        cores = self.count(given, "cores", "cpu")
        threads = self.count(given, "threads", "cpu", cores)
        if threads < cores:
            raise UserError(f"{self.where}: [cpu] has {cores} cores but {threads} threads.", "threads = cores or more")
        usable = self.number(given, "usable", "cpu") or float(threads)
        if usable > threads:
            raise UserError(f"{self.where}: [cpu] usable = {usable:g} of {threads} threads.", f"between 0 and {threads}")
        fast = self.maybe_count(given, "fast_cores", "cpu")
        if fast > cores:
            raise UserError(f"{self.where}: [cpu] has {cores} cores but {fast} fast ones.", "fast_cores up to cores")
        features = self.words(given, "features", "cpu")
        return Cpu(
            str(given.get("name", "unnamed")), cores, threads, usable, str(given.get("architecture", "")), features, self.source,
            fast, str(given.get("part", "")), str(given.get("family", "")),
        )  # fmt: skip

    def modules(self, given: Any) -> Modules | None:
        if given is None:
            return None
        known(given, "modules", self.where)
        rate = self.rate(given, "modules", 1, float("inf"))
        transfers = self.number(given, "transfers", "modules")
        return Modules(str(given.get("kind", "")), self.count(given, "count", "modules"), int(transfers or 0), rate, self.source)

    def swap(self, given: Any) -> Swap | None:
        if given is None:
            return None
        known(given, "swap", self.where)
        size = self.size(given, "size", "swap")
        free = self.maybe_size(given, "free", "swap", size)
        return Swap(size, size if free is None else free, bool(given.get("compressed", False)), self.source)

    def unused(self, given: Any) -> tuple[Unused, ...]:
        found = []
        for entry in self.tables(given, "unused"):
            name, vendor, kind, why = (str(entry.get(key, "")) for key in ("name", "vendor", "kind", "why"))
            found.append(Unused(name, vendor, kind, why, self.source))
        return tuple(found)

    def host(self, given: dict[str, Any]) -> tuple[Pool, ...]:
        if "ram" in given and "unified" in given:
            raise UserError(
                f"{self.where} has both [ram] and [unified]; unified memory is the only memory of its machine.", "one of the two"
            )
        for name in ("ram", "unified"):
            if name in given:
                known(given[name], name, self.where)
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

    def cards(self, given: Any, host: tuple[Pool, ...], shared_limit: Any = None) -> tuple[tuple[Pool, ...], tuple[Device, ...]]:
        pools: list[Pool] = []
        devices: list[Device] = []
        for entry in self.tables(given, "gpu"):
            for _ in range(self.count(entry, "count", "gpu", 1)):
                pool, device = self.card(entry, len(pools), host, shared_limit)
                pools += pool
                devices.append(device)
        return tuple(pools), tuple(devices)

    def card(self, entry: dict[str, Any], index: int, host: tuple[Pool, ...], shared_limit: Any) -> tuple[tuple[Pool, ...], Device]:
        part = not_neural(table.part(str(entry["device"]))[0]) if "device" in entry else None
        name = str(entry.get("name") or (part.name if part else "unnamed card"))
        vendor = str(entry.get("vendor") or (part.vendor if part else ""))
        kind = str(entry.get("kind") or backend(vendor, part.kind if part else "gpu"))
        if "shares" in entry or (part and part.kind in ("soc", "igpu")):
            if entry.get("shares", "unified") != "unified" or not host or host[0].name != "unified":
                raise UserError(f"{self.where}: {name} shares memory, but there is no [unified] table.", "[unified] with memory = “64GiB”")
            of = host[0].bytes
            limit = self.maybe_size(entry, "limit", "gpu", of)
            if limit is None and shared_limit is not None:
                limit = self.maybe_size({"gpu_limit": shared_limit}, "gpu_limit", "unified", of)
            elif limit is None and kind == "metal":
                limit = metal_limit(of).bytes
            return (), replace(self.device(entry, name, vendor, kind, host[0]), limit_bytes=limit)
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
        pool = self.pool(f"vram:{index}", given, "gpu", SLOWEST_CARD_S)
        limit = self.maybe_size(entry, "limit", "gpu", pool.bytes)
        return (pool,), replace(self.device(entry, name, vendor, kind, pool), limit_bytes=limit)

    def device(self, entry: dict[str, Any], name: str, vendor: str, kind: str, pool: Pool) -> Device:
        """The device of a [[gpu]] table, on the pool that it has or shares."""
        capability = str(entry.get("compute_capability", ""))
        if kind == "cuda" and capability and not re.fullmatch(r"\d+\.\d+[a-z]?", capability):
            raise UserError(f"{self.where}: [gpu] compute_capability = {capability} is no version.", "compute_capability = “8.9”")
        return Device(
            name, vendor, kind, pool.name, capability, self.source,
            self.maybe_size(entry, "others", "gpu", pool.bytes), None, str(entry.get("family", "")),
            self.number(entry, "flops", "gpu", MOST_FLOPS), self.number(entry, "watts", "gpu", MOST_WATTS), str(entry.get("driver", "")),
            str(entry.get("address", "")), self.maybe_count(entry, "pcie_generation", "gpu"), self.maybe_count(entry, "pcie_lanes", "gpu"),
            self.number(entry, "power_limit", "gpu", MOST_WATTS), self.maybe_count(entry, "cores", "gpu"),
        )  # fmt: skip

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
            path, kind = str(entry.get("path", "/")), str(entry.get("kind", ""))
            found.append(Disk(path, size, free, str(entry.get("filesystem", "")), rate, self.source, kind))
        return tuple(found)

    def links(self, given: Any, pools: set[str], devices: tuple[Device, ...]) -> tuple[Link, ...]:
        found = []
        for entry in self.tables(given, "link"):
            ends = entry.get("ends")
            if not isinstance(ends, list) or len(ends) != 2 or ends[0] == ends[1] or any(end not in list(pools) for end in ends):
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
