"""A cluster that a person describes: so many nodes of one machine, and so many of another."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..errors import UserError
from ..facts import Source
from ..hardware import Machine
from .node import Inventory, Node

MOST_NODES = 10_000


def described(machines: Sequence[tuple[str, Machine, int]], most: int = MOST_NODES) -> Inventory:
    """(as typed, the machine, how many) as an inventory in which everything is free. Raises UserError for a count that makes no cluster."""
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    given = Source("given", "described", date)
    if not 1 <= sum(count for _, _, count in machines) <= most or any(count < 1 for _, _, count in machines):
        raise UserError(f"A cluster has 1 to {most:,} nodes.", '--on "4x h100-sxm" --count 3')
    nodes = []
    for kind, (_, machine, count) in enumerate(machines):
        letter = "abcdefghijklmnopqrstuvwxyz"[kind % 26] * (1 + kind // 26)
        cpus = machine.cpu.usable if machine.cpu is not None else 0.0
        for number in range(1, count + 1):
            evidence = (("machine", given), ("free_cards", given))
            nodes.append(Node(f"{letter}{number}", machine, "ready", len(machine.devices), cpus, shared=False, evidence=evidence))
    return Inventory("file", ", ".join(f"{count} × {typed}" for typed, _, count in machines), tuple(nodes), date)
