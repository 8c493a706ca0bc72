"""A cluster written down: what `fleet scan --save` keeps and later verbs read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..errors import NotFound, Unavailable, Unreadable, UserError
from ..facts import data_json
from .network import NETWORKS
from .node import Inventory, Node

MOST_BYTES = 512 * 2**20
MOST_CARDS = 1024
LEAST_PROCESSOR = 0.001
MOST_MEMORY = 1 << 60
"""Bytes, and anything else that is counted: no machine has more."""


def load(path: str | os.PathLike[str]) -> Inventory:
    """The inventory of a file. Raises NotFound without the file, Unreadable when it holds something else."""
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Unreadable(f"{file} is no inventory of a cluster.", "sizeup fleet scan --save inventory.json")
        return inventory(json.loads(file.read_bytes()), str(file))
    except (ValueError, RecursionError):
        raise Unreadable(f"{file} is no inventory of a cluster.", "sizeup fleet scan --save inventory.json") from None
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.", "sizeup fleet scan --save inventory.json") from None


def inventory(content: Any, path: str) -> Inventory:
    """What was written down; `path` is what mistakes call it. Raises Unreadable where it is something else, or no cluster has it."""
    try:
        nodes = [{**node, "evidence": list(node["evidence"].items())} for node in content["nodes"]]
        found = msgspec.convert({**content, "nodes": nodes}, Inventory)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable(f"{path} is no inventory of a cluster.", "sizeup fleet scan --save inventory.json") from None
    seen = set[str]()
    for node in found.nodes:
        if wrong := "its name is another's too" if node.name in seen else contradiction(node):
            raise Unreadable(f"{path}: the node “{node.name}” cannot be: {wrong}.", "sizeup fleet scan --save inventory.json")
        seen.add(node.name)
    return found


def contradiction(node: Node) -> str:
    """What of a node cannot be and would upset what is reckoned with it; "" where nothing is wrong."""
    machine, cpu = node.machine, node.machine.cpu
    if max(node.cards, len(machine.pools), len(machine.links)) > MOST_CARDS:
        return f"it has more than {MOST_CARDS} cards"
    if not 0 <= node.free_cards <= node.cards:
        return "more cards are free than there are"
    if any(not 0 <= pool.free_bytes < MOST_MEMORY for pool in machine.pools):
        return "its free memory is no memory"
    counts = [node.free_cpus, *((cpu.cores, cpu.threads, cpu.usable, cpu.fast_cores) if cpu is not None else ())]
    if any(count != 0 and not LEAST_PROCESSOR <= count < MOST_MEMORY for count in counts):
        return "its processors cannot be counted"
    if node.network not in ("", *data_json(NETWORKS)["networks"]):
        return "its network is not known"
    rates = [
        *(pool.bytes_per_s for pool in machine.pools),
        *(device.flops_per_s for device in machine.devices),
        *(link.bytes_per_s for link in machine.links),
    ]
    return "" if all(rate is None or 1 <= rate < MOST_MEMORY for rate in rates) else "a rate is no positive number"


def save(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write an inventory, whole or not at all; an older one in its place goes. Raises UserError where another thing stands, Unavailable."""
    file = Path(path)
    if file.exists():
        try:
            load(file)
        except (NotFound, Unreadable):
            raise UserError(f"{file} is there and is no inventory.", "--save with another name") from None
    partial = file.with_name(f".{file.name}.part")
    try:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, file)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}.", "--save with a path you may write to") from None
