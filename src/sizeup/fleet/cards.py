"""The cards of a node by the name that a scheduler knows them by: looked up in the device table, doubtful names told, slices of a card as such."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from ..errors import SizeupError
from ..facts import Source
from ..hardware import Cpu, Device, Link, Machine, Pool
from ..probe import nvlink, table
from ..probe.assembled import CARDS, backend
from ..units import parse_bytes

SLICE = re.compile(r"(?:MIG[-_ ])?(\d)g\.(\d+)gb(?:\.\w+)?", re.IGNORECASE)
"""A slice of an NVIDIA card as it is called: 3g.40gb has 3 of its 7 parts that compute, and 40 GB of its memory."""
COMPUTING_SLICES = 7
BOARDS = {"sxm", "sxm2", "sxm4", "sxm5", "hgx", "nvlink", "nvswitch"}
"""Words of a feature or label that say how a card is fitted: on a board with NVLink."""
UNKNOWN = "unnamed card"


class Card(NamedTuple):
    """One card or slice, as many of which a node has."""

    name: str
    vendor: str
    kind: str
    memory_bytes: int
    """0 when nobody says."""
    bytes_per_s: float | None
    flops_per_s: float | None
    family: str
    sliced: bool
    boarded: bool
    """Whether it surely sits on a board with NVLink."""
    source: Source
    warnings: tuple[str, ...] = ()


def card(name: str, where: Source, memory_bytes: int = 0, words: Sequence[str] = (), vendor: str = "NVIDIA") -> Card:
    """The card that a scheduler calls `name`; `memory_bytes` is what it says of its memory, `words` what else it says of the node.

    A name that several cards have is taken as the smallest one that the words allow, and says so.
    """
    plain = re.sub(r"[-_]SHARED$", "", name)
    part_of = SLICE.search(plain)
    whole = re.sub(r"[-_\s]+$", "", plain[: part_of.start()]) if part_of else plain
    slice_bytes = memory_bytes or (parse_bytes(f"{part_of[2]}GiB") if part_of else 0)
    likely = _likely(whole, 0 if part_of else memory_bytes, words)
    if not likely:
        unknown = (f"No card is called “{whole}” here; what it can do is not known.",) if whole else ()
        told = name.strip("-_ ") or UNKNOWN
        return Card(told, vendor, backend(vendor, "gpu"), slice_bytes, None, None, "", bool(part_of), False, where, unknown)
    found = likely[0]
    warnings: tuple[str, ...] = ()
    if alike := [part.name for part in likely[1:] if (part.memory_bytes, part.bytes_per_s) != (found.memory_bytes, found.bytes_per_s)]:
        warnings = (f"“{whole}” is taken as {found.name}; it could be {' or '.join(alike)}.",)
    whole_card = Card(
        found.name,
        found.vendor,
        backend(found.vendor, found.kind),
        # Of cards that differ by what the driver keeps, the least.
        memory_bytes or min(part.memory_bytes for part in likely),
        found.bytes_per_s,
        found.fp16_flops,
        found.family,
        False,
        all("SXM" in part.name for part in likely),
        where,
        warnings,
    )
    if part_of is None:
        return whole_card
    # Memory and its bandwidth are cut alike (eighths), the parts that compute in sevenths.
    share = min(1.0, round(8 * slice_bytes / found.memory_bytes) / 8) if found.memory_bytes else 1.0
    return whole_card._replace(
        name=f"{found.name} {part_of[1]}g.{part_of[2]}gb",
        memory_bytes=slice_bytes,
        bytes_per_s=found.bytes_per_s * share if found.bytes_per_s else None,
        flops_per_s=found.fp16_flops * int(part_of[1]) / COMPUTING_SLICES if found.fp16_flops else None,
        sliced=True,
        boarded=False,
    )


def _likely(name: str, memory_bytes: int, words: Sequence[str]) -> list[table.Part]:
    """The rows of the device table that a name may mean, the one that promises least first."""
    text = re.sub(r"[-_]+", " ", name).strip()
    candidates = [part for part in _meant(text) if part.kind in CARDS] if text else []
    for narrower in (_of_memory(candidates, memory_bytes), *(_of_words(candidates, word) for word in words)):
        candidates = [part for part in candidates if part in narrower] or candidates
    # 79.6 GiB as the driver has it and 80 as the name has it are one size.
    return sorted(candidates, key=lambda part: (round(part.memory_bytes / 2**32), part.bytes_per_s or 0, part.fp16_flops or 0))


def _meant(text: str) -> tuple[table.Part, ...]:
    if exact := table.exact(text):
        return (exact,)
    if found := table.meant(text):
        return found
    try:
        part, _, _ = table.part(text)
    except SizeupError:
        return ()
    return (part,)


def _of_memory(candidates: Iterable[table.Part], memory_bytes: int) -> list[table.Part]:
    return [part for part in candidates if memory_bytes and abs(part.memory_bytes / memory_bytes - 1) < 0.08]


def _of_words(candidates: Iterable[table.Part], word: str) -> list[table.Part]:
    """Those that a feature of the node allows: the fitting, the memory, or a longer name of the card."""
    text = word.lower()
    if text in BOARDS:
        return [part for part in candidates if "SXM" in part.name]
    if text == "pcie":
        return [part for part in candidates if "PCIe" in part.name]
    if size := re.fullmatch(r"(?:.*[-_])?[a-z]*?(\d{1,3})g(?:i?b)?", text):
        return [part for part in candidates if round(part.memory_bytes / 2**30) == int(size[1])]
    named = table.meant(re.sub(r"[-_]+", " ", word)) if re.search(r"\d", word) else ()
    return [part for part in candidates if part in named]


def host(
    name: str, memory_bytes: int, free_bytes: int, cpus: float, cards: Sequence[Card], where: Source, architecture: str = ""
) -> Machine:
    """A node with these cards, the free ones first; `cpus` are what the scheduler grants of, threads mostly.

    Cards on a board with NVLink are joined by it, a pair each; what the cards are in doubt about is told once.
    """
    pools = [Pool("ram", memory_bytes, max(0, min(free_bytes, memory_bytes)), source=where)]
    devices: list[Device] = []
    for index, one in enumerate(cards):
        pools.append(Pool(f"vram:{index}", one.memory_bytes, one.memory_bytes, one.bytes_per_s, one.source, one.source))
        devices.append(
            Device(one.name, one.vendor, one.kind, f"vram:{index}", source=one.source, family=one.family, flops_per_s=one.flops_per_s)
        )
    threads = max(1, int(cpus))
    cpu = Cpu("", threads, threads, float(cpus), architecture, source=where) if cpus else None
    warnings = tuple(dict.fromkeys(said for one in cards for said in one.warnings))
    return Machine(name, cpu, tuple(pools), tuple(devices), (), _links(cards), "linux", (), warnings, (), where)


def _links(cards: Sequence[Card]) -> tuple[Link, ...]:
    """A board for SXM cards joins every pair by NVLink; slices of a card are not joined."""
    rates = {}
    for name in {one.name for one in cards if one.boarded}:
        try:
            rates[name] = nvlink.rate(name)
        except SizeupError:
            continue
    joined = [index for index, one in enumerate(cards) if one.boarded and one.name in rates]
    return tuple(
        Link("nvlink", *_slower(rates[cards[a].name], rates[cards[b].name], (f"vram:{a}", f"vram:{b}"))) for a, b in combinations(joined, 2)
    )


def _slower(one: tuple[float, Source], other: tuple[float, Source], ends: tuple[str, str]) -> tuple[float, tuple[str, str], Source]:
    rate, where = min(one, other, key=lambda found: found[0])
    return rate, ends, Source("derived", f"SXM cards sit on a board with NVLink; {where.where}", where.date)
