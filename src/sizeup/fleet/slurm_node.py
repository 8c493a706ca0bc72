"""A node of a Slurm cluster from what `scontrol` prints of it. Pure. Slurm knows names and counts of cards, never their memory."""

from __future__ import annotations

from collections.abc import Mapping

from ..facts import Source
from .cards import Card, card, host
from .node import Node, State
from .slurm_text import cards, megabytes, said, tracked, words

DOWN = {
    "DOWN",
    "ERROR",
    "FAIL",
    "FAILING",
    "FUTURE",
    "NOT_RESPONDING",
    "NO_RESPOND",
    "INVAL",
    "INVALID_REG",
    "POWER_DOWN",
    "POWERING_DOWN",
    "REBOOT",
}
CLOSED = {"DRAIN", "DRAINING", "DRAINED", "MAINT", "RESERVED", "REBOOT_REQUESTED", "BLOCKED"}
ASLEEP = {"POWERED_DOWN", "POWERING_UP", "POWER_UP"}
WORKING = {"IDLE", "MIXED", "ALLOCATED", "COMPLETING", "PLANNED"}


def node(fields: Mapping[str, str], date: str, closed_groups: frozenset[str] = frozenset()) -> Node:
    """The node; partitions in `closed_groups` are down, and a node that is in no other takes no work."""
    name = fields["NodeName"]
    where = Source("read", f"scontrol show node {name}", date)
    features = words(said(fields, "ActiveFeatures") or said(fields, "AvailableFeatures") or said(fields, "Features"))
    groups = tuple(one for one in words(said(fields, "Partitions")) if one not in closed_groups)
    found, free = _cards(fields, features, date)
    total = _number(fields, "CPUEfctv") or _number(fields, "CPUTot")
    memory, taken = megabytes(said(fields, "RealMemory")), megabytes(said(fields, "AllocMem"))
    machine = host(name, memory, memory - taken, total, found, where, said(fields, "Arch"))
    state, warnings = _state(fields)
    if state == "ready" and not groups and said(fields, "Partitions"):
        state, warnings = "closed", [*warnings, "Every partition that it is in is down."]
    evidence = [("state", where), ("machine", where), ("free_cpus", where), ("free_bytes", where)]
    if found:
        evidence += [("free_cards", where), ("cards", found[0].source)]
    if machine.links:
        evidence.append(("links", machine.links[0].source))
    types = list(dict.fromkeys(one.type for one in cards(said(fields, "Gres"))))
    if len(types) > 1:
        warnings.append(f"Its cards are asked for by several names, the first one here: {', '.join(_resource(one) for one in types)}.")
    return Node(
        name,
        machine,
        state,
        free,
        max(0.0, float(total - _number(fields, "CPUAlloc"))),
        _resource(types[0]) if types else "",
        {"features": ",".join(features)} if features else {},
        (),
        groups,
        evidence=tuple(evidence),
        warnings=(*warnings, *machine.warnings),
    )


def _resource(kind: str) -> str:
    return f"gpu:{kind}" if kind else "gpu"


def _cards(fields: Mapping[str, str], features: list[str], date: str) -> tuple[list[Card], int]:
    """The cards, free ones first, and how many those are."""
    used = {one.type: one.cards for one in cards(said(fields, "GresUsed"))}
    granted = tracked(said(fields, "AllocTRES"))
    free, rest = [], []
    untyped = int(granted.get("gres/gpu", "0").split(".")[0] or 0)
    for one in cards(said(fields, "Gres")):
        taken = used.get(one.type)
        if taken is None:
            typed = granted.get(f"gres/gpu:{one.type}", "")
            # Where only the sum is kept, cards are taken from the first type on.
            taken = int(typed) if typed.isdigit() else min(untyped, one.cards)
        untyped = max(0, untyped - taken)
        kind = _card(one.type, features, date)
        free += [kind] * max(0, one.cards - taken)
        rest += [kind] * min(taken, one.cards)
    return [*free, *rest], len(free)


def _card(kind: str, features: list[str], date: str) -> Card:
    """By the type; where there is none, by the first feature that names a card."""
    if kind:
        return card(kind, Source("derived", f"the type gpu:{kind}", date), words=features)
    for feature in features:
        found = card(feature, Source("derived", f"the feature {feature}", date), words=[one for one in features if one != feature])
        if found.memory_bytes:
            return found
    unknown = card("", Source("derived", "a count without a name", date))
    return unknown._replace(warnings=("Its cards have no type: Gres=gpu:NAME:COUNT in slurm.conf would name them.",))


def _state(fields: Mapping[str, str]) -> tuple[State, list[str]]:
    """What the flags come to: one that keeps work away wins."""
    text = fields.get("State", "")
    flags = set(text.rstrip("*~#!%$@^-+").split("+"))
    if text.rstrip("~#!%$@^-+").endswith("*"):
        flags.add("NOT_RESPONDING")
    reason = said(fields, "Reason")
    why = [f"Slurm's reason: {reason}."] if reason else []
    if flags & DOWN:
        return ("unknown" if flags <= {"UNKNOWN", "NOT_RESPONDING"} else "down"), why or ["The node does not answer Slurm."]
    if flags & CLOSED:
        return "closed", why
    if flags & ASLEEP:
        return "ready", [*why, "The node sleeps: Slurm wakes it for a job."]
    return ("ready" if flags & WORKING else "unknown"), why


def _number(fields: Mapping[str, str], name: str) -> int:
    value = said(fields, name)
    return int(value) if value.isdigit() else 0
