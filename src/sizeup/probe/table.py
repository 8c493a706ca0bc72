"""The device table: memory, rates and generation of named parts, each row with its source; and finding one by what people call it."""

from __future__ import annotations

import csv
import functools
import re
from typing import NamedTuple

from sizeup.errors import NotFound, UserError, close_names
from sizeup.facts import Source, data_bytes

from .spelling import chip, compact, spellings, split_memory

ALONE = ("npu", "mcu")
"""Kinds of parts that are no machine for an engine: known, so that they can be refused with the reason."""

FILES = ("nvidia", "amd", "intel", "apple", "others")
"""data/devices/*.csv; a vendor without a file of its own is in "others"."""


class Part(NamedTuple):
    """One row: a card ("gpu"), a chip with unified memory ("soc"), a GPU inside a processor ("igpu"), a processor with its memory ("cpu"),
    an accelerator with its own software ("accelerator") a neural processor ("npu")
    or a microcontroller ("mcu"). Rates are dense, never the sparse figure."""

    name: str
    vendor: str
    kind: str
    family: str
    """The generation that speed constants are looked up by: "NVIDIA Ada", "Apple M2", "CPU: AMD Zen 4"."""
    memory_bytes: int
    """0 for a part that shares whatever memory the host has."""
    exact_memory: bool
    """Whether that is what the driver reports, not the round figure of its name."""
    most_sold: bool
    """Whether that is the most of several that a chip is sold with."""
    bytes_per_s: float | None
    measured_fraction: float | None
    """Share of that rate that a stream-like program was measured to get (FluidX3D, FP32 read and written); None when nobody did."""
    options_bytes: tuple[int, ...]
    """The memory sizes it is sold with, for a chip; empty when they are not all known."""
    cpu_cores: int
    fp32_flops: float | None
    fp16_flops: float | None
    """Of the matrix units, sums in FP16 on GeForce; of packed or plain shaders where there are no matrix units."""
    int8_ops: float | None
    tdp_watts: float | None
    links: str
    """Buses in words: "PCIe 4.0 x16"."""
    aliases: tuple[str, ...]
    grade: str
    """A: read at a primary source. B: a vendor's figure through a data set, or computed from one. C: a third party's data set."""
    source: Source
    notes: str
    launch_date: str = ""
    launch_usd: float | None = None
    """The maker's price on that day, of a Mac the cheapest with this chip; None when nobody says."""


@functools.cache
def _lines(file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Header and rows of one file, rows as text: most questions are about one row of hundreds."""
    header, *rows = data_bytes(f"devices/{file}.csv").decode().splitlines()
    return tuple(header.split(",")), tuple(rows)


@functools.cache
def _part(file: str, line: str) -> Part:
    row = dict(zip(_lines(file)[0], next(csv.reader([line])), strict=True))

    def rate(key: str, unit: float) -> float | None:
        return round(float(row[key]) * unit, 3) if row[key] else None

    return Part(
        row["name"],
        row["vendor"],
        row["kind"],
        row["family"],
        int(row["memory_bytes"] or 0),
        row["memory_is"] == "as the driver reports",
        row["memory_is"] == "the most sold",
        rate("bandwidth_GBs", 1e9),
        rate("measured_fraction", 1.0),
        tuple(int(float(option) * 2**30) for option in row["memory_options_GB"].split()),
        int(row["cpu_cores"] or 0),
        rate("fp32_TFLOPS", 1e12),
        rate("fp16_dense_TFLOPS", 1e12),
        rate("int8_TOPS", 1e12),
        rate("tdp_W", 1.0),
        row["links"],
        tuple(alias for alias in row["aliases"].split(";") if alias),
        row["grade"],
        Source("published", row["source"], row["date"]),
        row["notes"],
        row["launch_date"],
        rate("launch_price_USD", 1.0),
    )


@functools.lru_cache(maxsize=256)
def parts(holding: str = "", files: tuple[str, ...] = FILES) -> tuple[Part, ...]:
    """Every row of these files whose text holds this word in lower case."""
    return tuple(_part(file, line) for file in files for line in _lines(file)[1] if holding in line.lower())


def holding(words: str) -> tuple[Part, ...]:
    """The parts that have every word of a text in their names, vendor or family, in order of vendor and name."""
    wanted = words.lower().split()
    return tuple(
        part for part in parts() if all(word in " ".join((part.name, part.vendor, part.family, *part.aliases)).lower() for word in wanted)
    )


@functools.lru_cache(maxsize=256)
def named(holding: str = "", files: tuple[str, ...] = FILES) -> dict[str, tuple[Part, ...]]:
    """Compact name -> the parts it may mean, of the rows that hold a word."""
    found: dict[str, list[Part]] = {}
    for part in parts(holding, files):
        for key in spellings(part.name, part.kind, part.aliases):
            found.setdefault(key, []).append(part)
    return {key: tuple(dict.fromkeys(parts)) for key, parts in found.items()}


def meant(text: str) -> tuple[Part, ...]:
    """The parts that a text may mean as it stands. Only rows that hold its longest number are read: every name has it."""
    return named(max(re.findall(r"\d+", chip(text)) or [""], key=len)).get(compact(text), ())


def part(name: str) -> tuple[Part, int, tuple[str, ...]]:
    """The part of this name, the memory in bytes that the name asks for (0 when it names none), and what had to be chosen, in words.

    Raises NotFound with the nearest names, UserError when the part has no such memory.
    """
    bare, memory = split_memory(name)
    outside, inside = re.sub(r"\(.*?\)", "", bare), re.findall(r"\((.*?)\)", bare)
    candidates = next((found for text in (name, bare, outside, *inside) if (found := meant(text))), ())
    if not candidates:
        raise NotFound(f"No machine or device is called “{name}”.", nearest(name))
    if "tesla" not in name.lower():
        # "M4" is Apple's; the card of that number is a Tesla M4.
        candidates = tuple(p for p in candidates if p.kind == "soc") or candidates
    if whole := tuple(p for p in candidates if _called(p, name)):
        candidates = whole
    elif memory is not None:
        fitting = tuple(p for p in candidates if _has(p, memory))
        if not fitting:
            raise UserError(f"{candidates[0].name} does not come with {memory >> 30} GB.", _sold(candidates))
        candidates = fitting
    # A card by a short name is the smaller one, so that nothing is promised that may not be there; a chip is the full one.
    ordered = sorted(candidates, key=lambda p: (p.memory_bytes, p.bytes_per_s or 0, p.fp16_flops or 0), reverse=candidates[0].kind == "soc")
    chosen = ordered[0]
    words: tuple[str, ...] = ()
    if len(ordered) > 1:
        words = (f"“{name}” is taken as {chosen.name}; it could be {' or '.join(p.name for p in ordered[1:4])}.",)
    return chosen, memory or 0, words


def exact(name: str, memory_bytes: int = 0) -> Part | None:
    """The one part that a driver's own device name means, of this memory when it is known; None when several differ in bandwidth."""
    candidates = meant(name)
    for likely in (lambda p: memory_bytes and abs(p.memory_bytes / memory_bytes - 1) < 0.08, lambda p: _called(p, name)):
        candidates = tuple(filter(likely, candidates)) or candidates
    return candidates[0] if len({p.bytes_per_s for p in candidates}) == 1 else None


def processor(name: str) -> Part | None:
    """The row of a processor as the system names it: "13th Gen Intel(R) Core(TM) i9-13900K", "AMD Ryzen 9 5950X 16-Core Processor"."""
    text = re.sub(r"\d+th gen|\b(cpu|soc)\b|@.*|\bw/.*|with radeon.*|\d+-core( processor)?", " ", name.lower())
    found = [part for part in meant(text) if part.kind == "cpu"]
    return found[0] if len({part.family for part in found}) == 1 else None


def apple(name: str, cores: int) -> Part | None:
    """The row of an Apple chip by its name and number of processor cores; None unless all that fit have one bandwidth."""
    fitting = [p for p in parts(files=("apple",)) if p.name.partition(" (")[0] == name and p.cpu_cores in (cores, 0)]
    return fitting[0] if len({p.bytes_per_s for p in fitting}) == 1 else None


def nearest(name: str) -> str:
    """Names that look like this one, for a "Try" line."""
    close = close_names(compact(split_memory(name)[0]), named(), 4, 0.5)
    return ", ".join(dict.fromkeys(named()[key][0].name for key in close)) or "rtx-4090, m3-max-64gb, raspberry-pi-5-8gb or a TOML file"


def _called(part: Part, name: str) -> bool:
    return compact(name) in (compact(part.name), *map(compact, part.aliases))


def _has(part: Part, memory: int) -> bool:
    if part.kind in ("igpu", "cpu") or not part.memory_bytes:
        return True
    if part.options_bytes:
        return memory in part.options_bytes
    # The driver keeps a little of the round figure: 24564 MiB are a card of 24 GB. A chip has at most what it is sold with.
    if part.most_sold:
        return memory <= part.memory_bytes
    return abs(part.memory_bytes - memory) < 0.06 * memory or round(part.memory_bytes / 2**30) == memory >> 30


def _sold(candidates: tuple[Part, ...]) -> str:
    sizes = sorted({size for p in candidates for size in (p.options_bytes or (p.memory_bytes,))})
    return ", ".join(f"{round(size / 2**30)} GB" for size in sizes if size)
