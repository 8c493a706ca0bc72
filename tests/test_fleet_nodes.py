"""Nodes of a cluster: what new work finds on one."""

from __future__ import annotations

from sizeup.fleet.node import Node
from sizeup.probe import machine


def test_cards_that_others_were_granted_are_gone() -> None:
    """With them go their memory and their links; the host's memory stays."""
    node = Node("a", machine("4x rtx-3090"), "ready", free_cards=3)
    free = node.free()
    assert (node.cards, len(free.devices)) == (4, 3)
    assert [pool.name for pool in free.pools] == ["ram", "vram:0", "vram:1", "vram:2"]
    assert all("vram:3" not in link.ends for link in free.links)
    assert free.pool("ram") == node.machine.pool("ram")


def test_a_node_that_takes_no_work_offers_nothing() -> None:
    """Neither cards nor memory."""
    free = Node("a", machine("rtx-3090"), "closed", free_cards=1).free()
    assert free.devices == ()
    assert {pool.free_bytes for pool in free.pools} == {0}
