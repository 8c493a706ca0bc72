"""A machine from its name: presets (data/machines/*.toml), parts of the device table ("2x rtx-3090 nvlink"), or a TOML file."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from importlib import resources
from itertools import combinations
from pathlib import Path

from sizeup.errors import UserError
from sizeup.facts import Source, data_bytes, data_json
from sizeup.hardware import Cpu, Device, Link, Machine, Pool
from sizeup.units import parse_bytes, show_bytes

from . import machine_file, nvlink, table
from .unified import metal_limit

BACKENDS = {"NVIDIA": "cuda", "AMD": "rocm", "Apple": "metal", "Intel": "vulkan"}
"""The backend family that a vendor's cards are mostly run with; others can be named in a TOML file."""
MOST_CARDS = 64


def described(what: str, ram: int | str | None = None) -> Machine:
    """The machine that `what` names; `ram` is the memory of the host, in bytes or as a person writes it.

    A host memory that nobody gave is assumed and says so. Raises NotFound with the nearest names, UserError for a contradiction.
    """
    memory = parse_bytes(ram) if isinstance(ram, str) else ram
    if memory is not None and memory <= 0:
        raise UserError(f"A memory of {memory} bytes holds nothing.", "--ram 32GiB")
    preset = presets().get(_plain(what))
    if preset is not None:
        machine = machine_file.parse(data_bytes(f"machines/{preset}.toml"), f"machines/{preset}.toml", preset=True)
        return machine if memory is None else _with_memory(machine, memory)
    if table.compact(what) not in table.named() and (what.endswith(".toml") or "/" in what or "\\" in what or Path(what).is_file()):
        machine = machine_file.load(Path(what))
        return machine if memory is None else _with_memory(machine, memory)
    return _from_parts(what, memory)


@functools.cache
def presets() -> dict[str, str]:
    """What a preset may be called, plainly -> its file."""
    found: dict[str, str] = {}
    for file in resources.files("sizeup").joinpath("data", "machines").iterdir():
        stem = file.name.removesuffix(".toml")
        if stem == file.name:
            continue
        for name in (stem, *machine_file.names(data_bytes(f"machines/{file.name}"))):
            found[_plain(name)] = stem
    return found


def known() -> list[str]:
    """Every name that `described` knows: presets, then parts."""
    return [*sorted(set(presets().values())), *(part.name for part in table.parts())]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", name.lower())


def _from_parts(what: str, memory: int | None) -> Machine:
    text, linked = re.subn(r"[\s,+-]*\b(with\s+)?nvlink\b", "", what, flags=re.IGNORECASE)
    cards: list[table.Part] = []
    wanted = 0
    words: list[str] = []
    for piece in _pieces(text):
        count, name = _count(piece)
        part, asked, chosen = table.part(name)
        if part.kind != "gpu" and (count > 1 or cards):
            raise UserError(
                f"{part.name} is a whole machine, not a card; several of them need links that a name cannot say.",
                "a TOML file, docs/machines.md",
            )
        if cards and cards[0].kind != "gpu":
            raise UserError(f"{cards[0].name} is a whole machine, not a card beside {part.name}.", "a TOML file, docs/machines.md")
        cards += [part] * count
        wanted, words = asked or wanted, [*words, *dict.fromkeys(chosen)]
    if len(cards) > MOST_CARDS:
        raise UserError(f"{len(cards)} cards do not fit one machine.", f"up to {MOST_CARDS} cards, for example 8x h100")
    if cards[0].kind == "gpu":
        machine = _cards(what, cards, memory, bool(linked))
    elif linked:
        raise UserError(f"{cards[0].name} has no NVLink.", text.strip())
    elif cards[0].kind == "cpu":
        machine = _host(cards[0], memory)
    else:
        machine = _unified(cards[0], memory or wanted)
    return replace(machine, warnings=(*words, *machine.warnings))


def _pieces(text: str) -> list[str]:
    """The cards joined by "+": a whole name that is known is not cut ("2x EPYC 9754", "Xeon Platinum 8592+")."""
    if table.compact(text) in table.named():
        return [text.strip()]
    # "Ryzen AI Max+ 395": a plus that ends a word is part of a name.
    return [piece for piece in (p.strip() for p in re.split(r"\s+\+\s*|\+(?=\w)|,", text)) if piece] or [text]


def _count(piece: str) -> tuple[int, str]:
    if table.compact(piece) in table.named():
        return 1, piece
    found = re.fullmatch(r"(\d+)\s*(?:[x×*]\s*|\s)(?=\D|\d{4})(.+)", piece, re.IGNORECASE)
    if not found:
        return 1, piece
    if not 1 <= int(found[1]) <= 10 * MOST_CARDS:
        raise UserError(f"{found[1]} cards do not fit one machine.", f"up to {MOST_CARDS} cards, for example 8x h100")
    return int(found[1]), found[2]


def _cards(what: str, cards: list[table.Part], memory: int | None, linked: bool) -> Machine:
    pools = [_host_pool(memory)]
    for index, card in enumerate(cards):
        pools.append(Pool(f"vram:{index}", card.memory_bytes, card.memory_bytes, card.bytes_per_s, card.source, card.source))
    devices = tuple(
        Device(card.name, card.vendor, BACKENDS.get(card.vendor, "vulkan"), f"vram:{index}", "", card.source)
        for index, card in enumerate(cards)
    )
    warnings = [] if memory is not None else [f"The host's memory is assumed: {show_bytes(pools[0].bytes)}."]
    rough = dict.fromkeys(card.name for card in cards if not card.exact_memory)
    if rough:
        warnings.append(f"Memory of {', '.join(rough)} is the round figure of its name; the driver keeps up to 2 % of it.")
    links = tuple(_nvlink(cards, pair) for pair in combinations(range(len(cards)), 2)) if linked else ()
    if linked and len(cards) < 2:
        raise UserError(f"NVLink joins two cards; “{what}” names one.", f"2x {cards[0].name.lower()} nvlink")
    return Machine(what, None, tuple(pools), devices, (), links, "", (), tuple(warnings), (), Source("given", f"the name “{what}”"))


def _nvlink(cards: list[table.Part], pair: tuple[int, int]) -> Link:
    slower = min((nvlink.rate(cards[index].name) for index in pair), key=lambda found: found[0])
    return Link("nvlink", slower[0], (f"vram:{pair[0]}", f"vram:{pair[1]}"), slower[1])


def _host_pool(memory: int | None) -> Pool:
    facts = data_json("described.json")
    size = facts["host_memory_bytes"]["value"] if memory is None else memory
    source = Source("assumed", facts["host_memory_bytes"]["source"], facts["date"]) if memory is None else Source("given", "--ram")
    rate = Source("assumed", facts["host_bytes_per_s"]["source"], facts["date"])
    return Pool("ram", size, max(size - _system_bytes("desktop"), 0), facts["host_bytes_per_s"]["value"], source, rate)


def _host(part: table.Part, memory: int | None) -> Machine:
    size = memory or part.memory_bytes
    source = part.source if memory is None else Source("given", "--ram")
    pool = Pool("ram", size, max(size - _system_bytes("desktop"), 0), part.bytes_per_s, source, part.source)
    return Machine(part.name, None, (pool,), (), (), (), "", (), (), (), part.source)


def _unified(part: table.Part, memory: int) -> Machine:
    facts = data_json("described.json")
    warnings: list[str] = []
    size, source = memory, Source("given", "the name")
    if not size:
        size, source = part.memory_bytes, part.source
        if part.kind == "soc":
            warnings.append(
                f"The memory is taken as {size >> 30} GB, the most that {part.name} is sold with; name another as in m3-max-64gb."
            )
    if not size:
        size, source = facts["host_memory_bytes"]["value"], Source("assumed", facts["host_memory_bytes"]["source"], facts["date"])
        warnings.append(f"{part.name} shares the host's memory, which is assumed: {show_bytes(size)}.")
    free, held, limit_source = size - _system_bytes("desktop"), None, part.source
    limits: tuple[str, ...] = ()
    if part.vendor == "Apple":
        limit = metal_limit(size)
        free, limits, held, limit_source = min(free, limit.bytes), (limit.words,), limit.bytes, limit.source
    device = Device(part.name, part.vendor, BACKENDS.get(part.vendor, "vulkan"), "unified", "", limit_source, None, held)
    pool = Pool("unified", size, max(free, 0), part.bytes_per_s, source, part.source)
    name = f"{part.name}, {round(size / 2**30)} GB"
    system, cpu = "", None
    if part.vendor == "Apple":
        # Apple's cores run one thread each.
        chip, cores = part.name.partition(" (")[0], part.cpu_cores
        system, cpu = "macos", Cpu(chip, cores, cores, float(cores), "arm64", (), part.source) if cores else None
    return Machine(name, cpu, (pool,), (device,), (), (), system, limits, tuple(warnings), (), part.source)


def _with_memory(machine: Machine, memory: int) -> Machine:
    """The same machine with another amount of main memory, the system's share kept."""

    def changed(pool: Pool) -> Pool:
        if pool.name not in ("ram", "unified"):
            return pool
        free = (
            max(memory - (pool.bytes - pool.free_bytes), 0)
            if pool.name == "ram"
            else min(max(memory - _system_bytes("desktop"), 0), memory)
        )
        return replace(pool, bytes=memory, free_bytes=free, source=Source("given", "--ram"))

    return replace(machine, pools=tuple(changed(pool) for pool in machine.pools))


def _system_bytes(kind: str) -> int:
    return int(data_json("described.json")["system_bytes"][kind])
