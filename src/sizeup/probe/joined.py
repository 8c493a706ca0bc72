"""Machines that run one model together over a network, as llama.cpp's RPC backend joins them: the first drives, the others lend cards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sizeup.errors import UserError
from sizeup.facts import Source, data_json
from sizeup.hardware import Device, Link, Machine, Pool

SPELLING = re.compile(r"(?P<machines>.+\sand\s.+?)(?:\s+over\s+(?P<network>\S+))?", re.IGNORECASE)
"""“rtx-4090 and 2x rtx-3090 over 10gbe”."""


def split(what: str) -> tuple[list[str], str] | None:
    """The machines and the network that a text names; None where it names one machine."""
    found = SPELLING.fullmatch(what.strip())
    if found is None:
        return None
    return [name.strip() for name in re.split(r"\s+and\s+", found["machines"], flags=re.IGNORECASE)], found["network"] or ""


def network(name: str) -> tuple[float, Source]:
    """Bytes per second that a network carries at most. Raises UserError with the known ones."""
    facts = data_json("networks.json")
    row = facts["networks"].get(name.lower())
    if row is None:
        asked = f"“{name}” is no network that is known here." if name else "Machines that are joined need a network."
        raise UserError(asked, f"… over {', '.join(facts['networks'])}")
    return row["bits_per_s"] / 8, Source("published", row["source"], facts["date"])


def joined(machines: Sequence[Machine], over: str) -> Machine:
    """The first machine with the others' cards before its own, as the engine orders them (b11549, src/llama.cpp).

    Weights and cache of the layers that lie on a card stay there; only activations cross. The others' host memory is not used.
    Raises UserError for a machine that has no card to lend, and for an unknown network.
    """
    rate, source = network(over)
    first, others = machines[0], machines[1:]
    lent: list[tuple[Pool, Device]] = []
    for other in others:
        cards = [(pool, device) for device in other.devices if (pool := other.pool(device.pool))]
        if not cards:
            raise UserError(f"{other.name} has no GPU to lend over a network.", "a machine with one")
        lent += [(_lent(pool, device), replace(device, node=other.name)) for pool, device in cards]
    own = {pool.name: f"vram:{len(lent) + index}" for index, pool in enumerate(p for p in first.pools if p.name.startswith("vram:"))}
    pools = (
        *(pool for pool in first.pools if pool.name not in own),
        *(replace(pool, name=f"vram:{index}") for index, (pool, _) in enumerate(lent)),
        *(replace(pool, name=own[pool.name]) for pool in first.pools if pool.name in own),
    )
    devices = (
        *(replace(device, pool=f"vram:{index}") for index, (_, device) in enumerate(lent)),
        *(replace(device, pool=own.get(device.pool, device.pool)) for device in first.devices),
    )
    links = (
        *(Link("network", rate, ("ram", f"vram:{index}"), source) for index in range(len(lent))),
        *(replace(link, ends=(own.get(link.ends[0], link.ends[0]), own.get(link.ends[1], link.ends[1]))) for link in first.links),
    )
    warning = "What lies on another machine's card is accounted as on one of this machine's; llama.cpp's rpc-server runs there."
    return replace(
        first,
        name=f"{' and '.join(machine.name for machine in machines)} over {over}",
        pools=pools,
        devices=devices,
        links=links,
        nodes=tuple(machines),
        warnings=tuple(dict.fromkeys([*(said for machine in machines for said in machine.warnings), warning])),
    )


def _lent(pool: Pool, device: Device) -> Pool:
    """What another machine's card lends: of a shared memory no more than its device may hold."""
    return replace(pool, free_bytes=min(pool.free_bytes, device.limit_bytes or pool.free_bytes))
