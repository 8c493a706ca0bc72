"""A cluster as a table: its nodes, what is free of each, and how that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.page import Page, indented

from .answer import EDGE
from .names import short_device
from .tables import Column, table

if TYPE_CHECKING:
    from sizeup.fleet.node import Inventory, Node
    from sizeup.fleet.serve_told import Served


def inventory(page: Page, found: Inventory) -> str:
    """One row a node: state, free cards of all, their kind and memory, free processors and memory; what is strange about them below."""
    t, nodes = page.texts, found.nodes
    system = " ".join(filter(None, (t(f"fleet.system_{found.system}"), found.version)))
    title = t("fleet.title", system=system, address=found.address) if found.address else system
    columns = [
        Column(t("fleet.node"), [node.name for node in nodes], least=12),
        Column(t("fleet.state"), [t(f"fleet.state_{node.state}") for node in nodes]),
        Column(t("fleet.free_cards"), [f"{node.free_cards}/{node.cards}" if node.cards else "–" for node in nodes], right=True),
        Column(t("fleet.card"), [_card(node) for node in nodes], least=14),
        Column(t("fleet.card_memory"), [_card_memory(page, node) for node in nodes], right=True, rank=2),
        Column(t("fleet.free_cpus"), [f"{node.free_cpus:g}" for node in nodes], right=True),
        Column(t("fleet.free_ram"), [_ram(page, node) for node in nodes], right=True),
        Column(t("fleet.known"), [_known(page, node) for node in nodes], rank=1, least=8),
    ]
    ready = [node for node in nodes if node.state == "ready"]
    free, cards = sum(node.free_cards for node in ready), sum(node.cards for node in nodes)
    total = t("fleet.total", ready=len(ready), nodes=len(nodes), free=free, cards=cards, cpus=f"{sum(n.free_cpus for n in ready):g}")
    lines = [
        "",
        *indented(page.paint(title, "strong"), page.width, EDGE),
        "",
        *table(page, columns),
        "",
        *indented(total, page.width, EDGE),
    ]
    return "\n".join([*lines, *_warnings(page, found)]) + "\n"


def _card(node: Node) -> str:
    return " + ".join(sorted({short_device(device.name) for device in node.machine.devices}))


def _card_memory(page: Page, node: Node) -> str:
    """Of one card, the smallest where they differ."""
    pools = [pool for device in node.machine.devices if (pool := node.machine.pool(device.pool)) is not None]
    return page.bytes(min(pool.bytes for pool in pools)) if pools else ""


def _ram(page: Page, node: Node) -> str:
    pool = node.machine.pool("ram") or node.machine.pool("unified")
    return page.bytes(pool.free_bytes) if pool is not None else "–"


def _known(page: Page, node: Node) -> str:
    """How the machine is known, and its cards where that is another way."""
    t, evidence = page.texts, dict(node.evidence)
    ways = [evidence[field].kind for field in ("machine", "cards") if field in evidence]
    return t("list.comma").join(t(f"fleet.known_{kind}") for kind in dict.fromkeys(ways))


def _warnings(page: Page, found: Inventory) -> list[str]:
    """What is strange, once for all the nodes of which it is true."""
    t = page.texts
    lines = [t.sentence(warning) for warning in found.warnings]
    said: dict[str, list[str]] = {}
    for node in found.nodes:
        for warning in node.warnings:
            said.setdefault(warning, []).append(node.name)
    for warning, names in said.items():
        shown = t("list.comma").join(names[:3]) + (f" +{len(names) - 3}" if len(names) > 3 else "")
        lines.append(f"{shown}{t('fleet.colon')}{t.sentence(warning)}")
    return ["", *(line for text in lines for line in indented(text, page.width, f"{EDGE}! "))] if lines else []


def served(page: Page, found: Sequence[Served]) -> str:
    """Every application: its state, replicas by state, where it answers."""
    t = page.texts
    if not found:
        return t("fleet.none") + "\n"
    columns = [
        Column(t("fleet.application"), [one.name for one in found], least=12),
        Column(t("fleet.state"), [one.state for one in found]),
        Column(
            t("fleet.replicas"),
            [t("list.comma").join(f"{count} {state}" for state, count in one.replicas.items()) for one in found],
            least=8,
        ),
        Column(t("fleet.answers"), [one.address for one in found], least=22),
    ]
    notes = [
        line for one in found if one.message for line in indented(f"{one.name}{t('fleet.colon')}{one.message}", page.width, f"{EDGE}! ")
    ]
    return "\n".join(["", *table(page, columns), *(["", *notes] if notes else [])]) + "\n"
