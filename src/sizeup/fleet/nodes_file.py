"""Machines that their owner describes in a file: no scheduler, nobody asked over a network. What is wrong names its table and key."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import NotFound, SizeupError, Unreadable, UserError, close_names
from ..facts import Source
from ..hardware import Machine
from ..probe import machine as described
from .node import Inventory, Node

KEYS = ("name", "machine", "count", "ram", "cpus", "free_cards", "free_cpus", "state", "resource", "labels", "taints", "groups", "shared")
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
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    _known(given, ("name", "node"), path, "")
    tables = given.get("node")
    if not isinstance(tables, list) or not tables:
        raise UserError(f"{path} has no node.", "a [[node]] table with name = “a” and machine = “8x h100-sxm nvlink”")
    nodes = [node for number, table in enumerate(tables, 1) for node in _nodes(path, file.parent, number, table, date)]
    names = [node.name for node in nodes]
    if twice := next((name for name in names if names.count(name) > 1), None) if len(names) < 1000 else None:
        raise UserError(f"{path}: two nodes are called “{twice}”.", "a name of its own for each [[node]]")
    return Inventory("file", str(given.get("name") or file.name), tuple(nodes), date)


def _nodes(path: str, folder: Path, number: int, given: Any, date: str) -> list[Node]:
    """The nodes of one table: as many as it counts, numbered from 0."""
    place = f"[[node]] {number}"
    if not isinstance(given, dict):
        raise UserError(f"{path}: {place} is no table.", FORMAT)
    _known(given, KEYS, path, f"{place} has")
    where = f"{path}: {place}"
    name, count = _text(where, given, "name", str(number)), _count(where, given, "count", 1, 1)
    if count > MOST_NODES:
        raise UserError(f"{where} count = {count} is more than {MOST_NODES}.", "count = 8")
    machine = _machine(where, folder, given)
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
    )
    return (
        [kept]
        if count == 1
        else [replace(kept, name=f"{name}-{index}", machine=replace(machine, name=f"{name}-{index}")) for index in range(count)]
    )


def _machine(where: str, folder: Path, given: dict[str, Any]) -> Machine:
    """The machine of this name, or of a file that lies beside this one."""
    what = _text(where, given, "machine", "")
    if not what:
        raise UserError(f"{where} names no machine.", "machine = “8x h100-sxm nvlink”")
    beside = folder / what
    try:
        return described(str(beside) if what.endswith(".toml") and beside.is_file() else what, ram=given.get("ram"))
    except SizeupError as error:
        raise UserError(f"{where} machine: {error.message}", error.hint) from None


def _known(given: dict[str, Any], keys: tuple[str, ...], path: str, place: str) -> None:
    for key in given:
        if key not in keys:
            raise UserError(f"{path}: {place or 'it has'} no “{key}”.", ", ".join(close_names(key, keys, 1) or keys[:6]))


def _text(where: str, given: dict[str, Any], key: str, otherwise: str) -> str:
    value = given.get(key, otherwise)
    if not isinstance(value, str):
        raise UserError(f"{where} {key} = {value} is no text.", f"{key} = “{value}”")
    return value


def _count(where: str, given: dict[str, Any], key: str, otherwise: int, least: int = 0) -> int:
    value = given.get(key, otherwise)
    if type(value) is not int or value < least:
        raise UserError(f"{where} {key} = {value} is not a count.", f"{key} = 8")
    return value


def _list(where: str, given: dict[str, Any], key: str) -> tuple[str, ...]:
    value = given.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UserError(f"{where} {key} is no list of texts.", f"{key} = [“a”]")
    return tuple(value)
