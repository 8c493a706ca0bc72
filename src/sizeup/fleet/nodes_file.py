"""Machines that their owner describes, in a file or as its content: no scheduler, nobody asked over a network. What is wrong names its table and key."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import NotAllowed, NotFound, SizeupError, Unreadable, UserError, close_names
from ..facts import Source
from ..hardware import Machine
from ..probe import machine as described
from ..units import parse_bytes
from .network import known
from .node import Inventory, Node

Find = Callable[[str, int | None], Machine]
"""The machine of a name, with so much memory where it is said."""

KEYS = (
    "name",
    "machine",
    "count",
    "ram",
    "cpus",
    "free_cards",
    "free_cpus",
    "state",
    "resource",
    "labels",
    "taints",
    "groups",
    "shared",
    "network",
)
STATES = ("ready", "down", "closed", "unknown")
FORMAT = "docs/fleet.md for the format"
MOST_NODES = 100_000


def read(path: str) -> Inventory:
    """The nodes of a TOML file. Raises NotFound, Unreadable for what is not TOML, UserError for what it says wrongly."""
    file = Path(path)
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}.", "the path of a .toml file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unreadable(f"{path} is not TOML: {error}.", FORMAT) from None
    return inventory(given, path, file.name, _beside(file.parent))


def inventory(given: Mapping[str, Any], path: str, name: str, find: Find, most: int = MOST_NODES) -> Inventory:
    """The nodes that such a file says; `path` is what mistakes call it, `name` the cluster where it says none. Raises UserError."""
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    _known(given, ("name", "node"), path, "")
    tables = given.get("node")
    if not isinstance(tables, list) or not tables:
        raise UserError(f"{path} has no node.", "a [[node]] table with name = “a” and machine = “8x h100-sxm nvlink”")
    nodes, seen = list[Node](), set[str]()
    for number, table in enumerate(tables, 1):
        nodes += _nodes(path, find, number, table, date, most - len(nodes))
    for node in nodes:
        if node.name in seen:
            raise UserError(f"{path}: two nodes are called “{node.name}”.", "a name of its own for each [[node]]")
        seen.add(node.name)
    return Inventory("file", str(given.get("name") or name), tuple(nodes), date)


def _beside(folder: Path) -> Find:
    """Machines by their names, and of files that lie in this folder."""

    def found(what: str, ram: int | None) -> Machine:
        beside = folder / what
        return described(str(beside) if what.endswith(".toml") and beside.is_file() else what, ram=ram)

    return found


def _nodes(path: str, find: Find, number: int, given: Any, date: str, most: int) -> list[Node]:
    """The nodes of one table: as many as it counts, numbered from 0."""
    place = f"[[node]] {number}"
    if not isinstance(given, dict):
        raise UserError(f"{path}: {place} is no table.", FORMAT)
    _known(given, KEYS, path, f"{place} has")
    where = f"{path}: {place}"
    name, count = _text(where, given, "name", str(number)), _count(where, given, "count", 1, 1)
    if count > most:
        raise UserError(f"{where} count = {count} is more than {most}.", "count = 8")
    machine = _machine(where, find, given)
    cards, cpus = len(machine.devices), float(_count(where, given, "cpus", 0) or (machine.cpu.threads if machine.cpu else 0))
    free = _count(where, given, "free_cards", cards)
    if free > cards:
        raise UserError(f"{where} free_cards = {free}, and the machine has {cards}.", f"free_cards = {cards}")
    state = _text(where, given, "state", "ready")
    if state not in STATES:
        raise UserError(f"{where} state “{state}” is not one of {', '.join(STATES)}.", (close_names(state, STATES, 1) or STATES)[0])
    labels = given.get("labels", {})
    if not isinstance(labels, dict):
        raise UserError(f"{where} labels is no table.", "labels = { zone = “a” }")
    source = Source("given", Path(path).name, date)
    fields = ("state", "machine", *(("cards", "free_cards") if cards else ()), "free_cpus")
    kept = Node(
        name,
        machine,
        state,  # type: ignore[arg-type]
        free,
        float(_count(where, given, "free_cpus", int(cpus))),
        _text(where, given, "resource", ""),
        {str(key): str(value) for key, value in labels.items()},
        _list(where, given, "taints"),
        _list(where, given, "groups"),
        bool(given.get("shared", False)),
        tuple((field, source) for field in fields),
        machine.warnings,
        known(network) if (network := _text(where, given, "network", "")) else "",
    )
    return (
        [kept]
        if count == 1
        else [replace(kept, name=f"{name}-{index}", machine=replace(machine, name=f"{name}-{index}")) for index in range(count)]
    )


def _machine(where: str, find: Find, given: Mapping[str, Any]) -> Machine:
    """The machine of this name. Raises what it is that was wrong, with its place."""
    what = _text(where, given, "machine", "")
    if not what:
        raise UserError(f"{where} names no machine.", "machine = “8x h100-sxm nvlink”")
    ram = given.get("ram")
    if ram is not None and (isinstance(ram, bool) or not isinstance(ram, int | str)):
        raise UserError(f"{where} ram = {ram} is no size.", "ram = “2TiB”")
    try:
        return find(what, parse_bytes(ram) if isinstance(ram, str) else ram)
    except NotAllowed as error:
        raise NotAllowed(f"{where} machine: {error.message}", error.hint) from None
    except SizeupError as error:
        raise UserError(f"{where} machine: {error.message}", error.hint) from None


def _known(given: Mapping[str, Any], keys: tuple[str, ...], path: str, place: str) -> None:
    for key in given:
        if key not in keys:
            raise UserError(f"{path}: {place or 'it has'} no “{key}”.", ", ".join(close_names(key, keys, 1) or keys[:6]))


def _text(where: str, given: Mapping[str, Any], key: str, otherwise: str) -> str:
    value = given.get(key, otherwise)
    if not isinstance(value, str):
        raise UserError(f"{where} {key} = {value} is no text.", f"{key} = “{value}”")
    return value


def _count(where: str, given: Mapping[str, Any], key: str, otherwise: int, least: int = 0) -> int:
    value = given.get(key, otherwise)
    if type(value) is not int or value < least:
        raise UserError(f"{where} {key} = {value} is not a count.", f"{key} = 8")
    return value


def _list(where: str, given: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = given.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UserError(f"{where} {key} is no list of texts.", f"{key} = [“a”]")
    return tuple(value)
