"""Machines put together from parts of the device table: what the table says is published, what nobody said is assumed and says so."""

from __future__ import annotations

from itertools import combinations

from sizeup.errors import UserError
from sizeup.facts import Source, data_json
from sizeup.hardware import Cpu, Device, Link, Machine, Pool
from sizeup.units import show_bytes

from . import nvlink, table
from .apps import SYSTEMS, app_limit
from .families import instruction_sets
from .unified import metal_limit

BACKENDS = {"NVIDIA": "cuda", "AMD": "rocm", "Apple": "metal", "Intel": "vulkan"}
"""The backend family that a vendor's cards are mostly run with; others can be named in a TOML file."""
OWN_SOFTWARE = {"Google": "tpu", "Intel": "hpu", "AWS": "neuron", "Huawei": "cann"}
"""The same of accelerators that are no GPUs."""
CARDS = ("gpu", "accelerator")
"""Kinds of parts with a memory of their own, of which a host can hold several."""


def with_cards(what: str, cards: list[table.Part], memory: int | None, linked: bool) -> Machine:
    """A host with these cards, each pair joined by NVLink when `linked`. Raises UserError for a link that is not there."""
    if linked:
        for card in cards:
            nvlink.check(card.name)
    pools = [_host_pool(memory)]
    for index, card in enumerate(cards):
        pools.append(Pool(f"vram:{index}", card.memory_bytes, card.memory_bytes, card.bytes_per_s, card.source, card.source))
    devices = tuple(
        Device(card.name, card.vendor, backend(card.vendor, card.kind), f"vram:{index}", "", card.source)
        for index, card in enumerate(cards)
    )
    warnings = [] if memory is not None else [f"The host's memory is assumed: {show_bytes(pools[0].bytes)}."]
    warnings += [f"{card.name} is no GPU: {card.notes}." for card in dict.fromkeys(cards) if card.kind == "accelerator"]
    rough = dict.fromkeys(card.name for card in cards if not card.exact_memory)
    if rough:
        warnings.append(
            f"Memory of {', '.join(rough)} is the round figure that it is sold with; the driver keeps up to 2 % of it, where it checks errors (ECC) up to 7 %."
        )
    if linked and len(cards) < 2:
        raise UserError(f"NVLink joins two cards; “{what}” names one.", f"2x {cards[0].name.lower()} nvlink")
    links = tuple(_nvlink(cards, pair) for pair in combinations(range(len(cards)), 2)) if linked else ()
    return Machine(what, None, tuple(pools), devices, (), links, "", (), tuple(warnings), (), Source("given", f"the name “{what}”"))


def with_processor(part: table.Part, memory: int | None) -> Machine:
    """A processor with its memory and no card."""
    warnings: tuple[str, ...] = ()
    size, source = memory or part.memory_bytes, part.source if memory is None else Source("given", "--ram")
    board = part.vendor not in ("AMD", "Intel", "NVIDIA", "Ampere")
    if not size:
        size, source = _assumed("phone_memory_bytes" if board else "host_memory_bytes")
        warnings = (f"The host's memory is assumed: {show_bytes(size)}.",)
    pool = Pool("ram", size, _free(size, "board" if board else "desktop"), part.bytes_per_s, source, part.source)
    return Machine(part.name, _cpu(part), (pool,), (), (), (), "", (), warnings, (), part.source)


def with_shared_memory(part: table.Part, memory: int, system: str = "") -> Machine:
    """A chip whose processor and GPU share one memory; `memory` is 0 when nobody said how much, `system` "" for the chip's usual one."""
    kind = "phone" if part.family.endswith(("mobile", "Apple A")) else "board" if part.family in ("Jetson", "Qualcomm SBC") else "desktop"
    warnings: list[str] = []
    size, source = memory, Source("given", "the name")
    if not size and part.memory_bytes:
        size, source = part.memory_bytes, part.source
        if part.most_sold:
            warnings.append(
                f"The memory is taken as {size >> 30} GB, the most that {part.name} is sold with; name another as in m3-max-64gb."
            )
    elif not size:
        size, source = _assumed("host_memory_bytes" if part.kind == "igpu" else "phone_memory_bytes")
        warnings.append(f"{part.name} shares the host's memory, which is assumed: {show_bytes(size)}.")
    free, held, limit_source = _free(size, kind), None, part.source
    limits: tuple[str, ...] = ()
    system = system or _usual_system(part)
    if system in SYSTEMS:
        allowed = app_limit(system, size)
        free, limits, held, limit_source = allowed.bytes, (allowed.words,), allowed.bytes, allowed.source
    elif part.vendor == "Apple":
        limit = metal_limit(size)
        free, limits, held, limit_source = min(free, limit.bytes), (limit.words,), limit.bytes, limit.source
    device = Device(part.name, part.vendor, backend(part.vendor, part.kind), "unified", "", limit_source, None, held)
    pool = Pool("unified", size, free, part.bytes_per_s, source, part.source, limit_source if system in SYSTEMS else None)
    # Apple's cores run one thread each; what shares its memory with another vendor's processor says nothing of that.
    cpu = _cpu(part, "arm64") if part.vendor == "Apple" else None
    system = system if system != "macos" or cpu else ""
    name = f"{part.name}, {round(size / 2**30)} GB"
    return Machine(name, cpu, (pool,), (device,), (), (), system, limits, tuple(warnings), (), part.source)


def _usual_system(part: table.Part) -> str:
    """What a chip's machines run, where that limits what one program may hold."""
    if part.vendor == "Apple":
        return "ios" if part.family == "Apple A" else "macos"
    return "android" if part.family.endswith("mobile") else ""


def not_neural(part: table.Part) -> table.Part:
    """The part, unless no engine runs on it by itself: neural processors and microcontrollers are refused with what is so of them."""
    if part.kind == "npu":
        raise UserError(f"{part.name} is a neural processor: {part.notes}.", "the chip or the board that it is in")
    if part.kind == "mcu":
        raise UserError(f"{part.name} is a microcontroller: {part.notes}.", "a board with an operating system, such as raspberry-pi-5-8gb")
    return part


def system_bytes(kind: str) -> int:
    """What an operating system is supposed to hold of a machine that is only described: "desktop", "board" or "phone"."""
    return int(data_json("described.json")["system_bytes"][kind])


def _free(size: int, kind: str) -> int:
    return max(size - system_bytes(kind), 0)


def _assumed(key: str) -> tuple[int, Source]:
    facts = data_json("described.json")
    return int(facts[key]["value"]), Source("assumed", facts[key]["source"], facts["date"])


def _cpu(part: table.Part, architecture: str = "") -> Cpu | None:
    cores = part.cpu_cores
    known, features = instruction_sets(part.family, part.name)
    return Cpu(part.name.partition(" (")[0], cores, cores, float(cores), architecture or known, features, part.source) if cores else None


def backend(vendor: str, kind: str) -> str:
    """What a part of this vendor and kind is mostly run with."""
    return (OWN_SOFTWARE if kind == "accelerator" else BACKENDS).get(vendor, "vulkan")


def _nvlink(cards: list[table.Part], pair: tuple[int, int]) -> Link:
    slower = min((nvlink.rate(cards[index].name) for index in pair), key=lambda found: found[0])
    return Link("nvlink", slower[0], (f"vram:{pair[0]}", f"vram:{pair[1]}"), slower[1])


def _host_pool(memory: int | None) -> Pool:
    size, source = _assumed("host_memory_bytes") if memory is None else (memory, Source("given", "--ram"))
    rate, rate_source = _assumed("host_bytes_per_s")
    return Pool("ram", size, _free(size, "desktop"), rate, source, rate_source)
