"""A machine from its name: presets (data/machines/*.toml), whole machines (data/instances.csv), parts of the device table, or a TOML file."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

from sizeup.errors import NotAllowed, NotFound, UserError, close_names
from sizeup.facts import Source, data_bytes
from sizeup.hardware import Cpu, Machine, Pool
from sizeup.units import parse_bytes

from . import joined, machine_file, table
from .apps import SYSTEMS
from .assembled import CARDS, not_neural, system_bytes, with_cards, with_processor, with_shared_memory
from .instances import Instance, instances, plain
from .spelling import slug

MOST_CARDS = 64


def described(what: str, ram: int | str | None = None, files: bool = True) -> Machine:
    """The machine that `what` names; `ram` is the memory of the host, in bytes or as a person writes it; `files` False reads none.

    A host memory that nobody gave is assumed and says so. Raises NotFound with the nearest names, UserError for a contradiction.
    """
    if not table.meant(what) and (several := joined.split(what)) is not None:
        names, network = several
        return joined.joined([described(names[0], ram, files), *(described(name, None, files) for name in names[1:])], network)
    memory = parse_bytes(ram) if isinstance(ram, str) else ram
    if memory is not None and memory <= 0:
        raise UserError(f"A memory of {memory} bytes holds nothing.", "--ram 32GiB")
    if (preset := presets().get(plain(what))) is not None:
        machine = machine_file.parse(data_bytes(f"machines/{preset}.toml"), f"machines/{preset}.toml", preset=True)
        return machine if memory is None else with_memory(machine, memory)
    if (whole := instances().get(plain(what))) is not None:
        machine = _instance(whole)
        return machine if memory is None else with_memory(machine, memory)
    if not table.meant(what) and (what.endswith(".toml") or "/" in what or "\\" in what or (files and Path(what).is_file())):
        if not files:
            raise NotAllowed("A machine is named by a file, and this server reads no files for others.", "sizeup serve --allow-files")
        machine = machine_file.load(Path(what))
        return machine if memory is None else with_memory(machine, memory)
    try:
        return _from_parts(what, memory)
    except NotFound:
        wholes = {plain(name): name for name in whole_machines()}
        near = [wholes[name] for name in close_names(plain(what), wholes, 4, 0.85)]
        if not near:
            raise
        raise NotFound(f"No machine or device is called “{what}”.", ", ".join(near)) from None


@functools.cache
def presets() -> dict[str, str]:
    """What a preset may be called, plainly -> its file."""
    found: dict[str, str] = {}
    for file in resources.files("sizeup").joinpath("data", "machines").iterdir():
        stem = file.name.removesuffix(".toml")
        if stem == file.name:
            continue
        for name in (stem, *machine_file.names(data_bytes(f"machines/{file.name}"))):
            found[plain(name)] = stem
    return found


def known() -> list[str]:
    """Every name that `described` knows: presets, whole machines, then parts."""
    return [*whole_machines(), *(part.name for part in table.parts() if part.kind not in table.ALONE)]


def whole_machines(words: str = "") -> list[str]:
    """Names of presets and whole machines that hold every word of a text."""
    names = dict.fromkeys((*sorted(set(presets().values())), *(one.name for one in instances().values())))
    return [name for name in names if all(word in name.lower() for word in words.lower().split())]


def typed(start: str) -> list[str]:
    """Names that begin so, as one types them, for a shell to complete."""
    names = dict.fromkeys([*known(), *(alias for part in table.parts() for alias in part.aliases if part.kind not in table.ALONE)])
    slugs = (name if name.islower() and " " not in name else slug(name) for name in names)
    return sorted({name for name in slugs if name.startswith(start.lower())}, key=lambda name: (len(name), name))


def _instance(whole: Instance) -> Machine:
    """A rented or bought machine: its parts and its memory are published; a host's bandwidth is assumed."""
    part = table.part(whole.device)[0] if whole.device else None
    if part is not None and part.kind == "cpu":
        machine = with_processor(part, whole.memory_bytes or None)
        # Nothing of this kind has a desktop.
        host = replace(machine.pools[0], source=whole.source, free_bytes=max(machine.pools[0].bytes - system_bytes("board"), 0))
        return replace(machine, name=whole.name, system=whole.system, pools=(host,), source=whole.source)
    if part is not None and part.kind not in CARDS:
        machine = with_shared_memory(part, whole.memory_bytes, whole.system if whole.system in (*SYSTEMS, "macos") else "")
        pools = _sourced(machine.pools, whole) if whole.memory_bytes else machine.pools
        return replace(machine, name=whole.name, system=machine.system or whole.system, pools=pools)
    machine = with_cards(whole.name, [part] * whole.cards if part else [], whole.memory_bytes, whole.linked)
    host = replace(machine.pools[0], source=whole.source, free_bytes=max(whole.memory_bytes - system_bytes("board"), 0))
    # A vCPU of these clouds is one of a core's two threads.
    cpu = Cpu("unnamed", max(1, whole.threads // 2), whole.threads, float(whole.threads), "x86_64", (), whole.source)
    return replace(machine, cpu=cpu, pools=(host, *machine.pools[1:]), system=whole.system, source=whole.source)


def _sourced(pools: tuple[Pool, ...], whole: Instance) -> tuple[Pool, ...]:
    """Its memory as the row says it."""
    return tuple(replace(pool, source=whole.source) for pool in pools)


def _from_parts(what: str, memory: int | None) -> Machine:
    text, linked = re.subn(r"[\s,+-]*\b(with\s+)?nvlink\b", "", what, flags=re.IGNORECASE)
    cards: list[table.Part] = []
    wanted = 0
    words: list[str] = []
    for piece in _pieces(text):
        count, name = _count(piece)
        part, asked, chosen = table.part(name)
        not_neural(part)
        if part.kind not in CARDS and (count > 1 or cards):
            raise UserError(
                f"{part.name} is a whole machine, not a card; several of them need links that a name cannot say.",
                "a TOML file, docs/machines.md",
            )
        if cards and cards[0].kind not in CARDS:
            raise UserError(f"{cards[0].name} is a whole machine, not a card beside {part.name}.", "a TOML file, docs/machines.md")
        cards += [part] * count
        wanted, words = asked or wanted, [*words, *dict.fromkeys(chosen)]
    if len(cards) > MOST_CARDS:
        raise UserError(f"{len(cards)} cards do not fit one machine.", f"up to {MOST_CARDS} cards, for example 8x h100")
    if cards[0].kind in CARDS:
        machine = with_cards(what, cards, memory, bool(linked))
    elif linked:
        raise UserError(f"{cards[0].name} has no NVLink.", text.strip())
    elif cards[0].kind == "cpu":
        machine = with_processor(cards[0], memory or wanted or None)
    else:
        machine = with_shared_memory(cards[0], memory or wanted)
    return replace(machine, warnings=(*words, *machine.warnings))


def _pieces(text: str) -> list[str]:
    """The cards joined by "+": a whole name that is known is not cut ("2x EPYC 9754", "Xeon Platinum 8592+")."""
    if table.meant(text):
        return [text.strip()]
    # "Ryzen AI Max+ 395": a plus that ends a word is part of a name.
    return [piece for piece in (p.strip() for p in re.split(r"\s+\+\s*|\+(?=\w)|,", text)) if piece] or [text]


def _count(piece: str) -> tuple[int, str]:
    if table.meant(piece):
        return 1, piece
    # "3090 x2" is two of them, not 3,090 of the second generation.
    after = re.fullmatch(r"(.+?)\s*[\s-][x×*]\s*(\d+)", piece, re.IGNORECASE)
    if after and table.meant(after[1]):
        piece = f"{after[2]}x {after[1]}"
    found = re.fullmatch(r"(\d+)\s*(?:[x×*]\s*|\s)(?=\D|\d{4})(.+)", piece, re.IGNORECASE)
    if not found:
        return 1, piece
    if not 1 <= int(found[1]) <= 10 * MOST_CARDS:
        raise UserError(f"{found[1]} cards do not fit one machine.", f"up to {MOST_CARDS} cards, for example 8x h100")
    return int(found[1]), found[2]


def with_memory(machine: Machine, memory: int) -> Machine:
    """The same machine with another amount of main memory, the system's share kept."""

    def changed(pool: Pool) -> Pool:
        if pool.name not in ("ram", "unified"):
            return pool
        free = (
            max(memory - (pool.bytes - pool.free_bytes), 0) if pool.name == "ram" else min(max(memory - system_bytes("desktop"), 0), memory)
        )
        return replace(pool, bytes=memory, free_bytes=free, source=Source("given", "--ram"))

    return replace(machine, pools=tuple(changed(pool) for pool in machine.pools))
