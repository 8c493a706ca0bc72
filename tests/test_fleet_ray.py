"""Nodes of a Ray cluster from what Ray declares and what they told; inventories written down. Without Ray."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from sizeup.api.fleet import inventory_json
from sizeup.errors import NotFound, Unreadable, UserError
from sizeup.fleet import saved
from sizeup.fleet.node import Inventory, Node
from sizeup.fleet.ray_detect import detect
from sizeup.fleet.ray_node import Seen, node
from sizeup.fleet.ray_scan import named
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import Page, cells
from sizeup.probe import machine
from sizeup.render.fleet import inventory
from sizeup.shape import as_json

GIB = 2**30
DATE = "2026-11-21T12:00:00+00:00"


def seen(told: dict[str, Any] | None = None, **changed: Any) -> Seen:
    """A node with four declared cards of which one is granted."""
    declared = {
        "NodeID": "ab" * 28,
        "Alive": True,
        "Resources": {"CPU": 16.0, "GPU": 4.0, "memory": 64.0 * GIB, "accelerator_type:L40S": 1.0},
    }
    available = {"CPU": 12.5, "GPU": 2.5, "memory": 20.0 * GIB}
    return Seen("a", declared, available, False, told or {}, "", DATE)._replace(**changed)


NVML = {
    "by": "nvml",
    "cpus": 32,
    "ram_bytes": 128 * GIB,
    "cards": [{"name": "NVIDIA L40S", "bytes": 48_305_799_168, "free_bytes": 47 * GIB}] * 4,
    "software": {"vllm": "0.33.0"},
}


def test_what_the_node_told_comes_first() -> None:
    """Cards and memory are NVML's; what is free is what Ray may still grant: half a card is none."""
    found = node(seen(NVML))
    assert (found.state, found.cards, found.free_cards, found.free_cpus) == ("ready", 4, 2, 12.5)
    assert [pool.bytes for pool in found.machine.pools] == [128 * GIB, *[48_305_799_168] * 4]
    assert found.machine.pools[0].free_bytes == 20 * GIB
    assert dict(found.evidence)["machine"].where == "NVML on the node"
    assert (found.software, found.warnings) == ({"vllm": "0.33.0"}, ())


def test_declared_cards_are_looked_up() -> None:
    """A node that tells nothing has the cards that Ray's label names, with the table's memory, and says that it is derived."""
    found = node(seen())
    assert (found.state, found.cards) == ("unknown", 4)
    assert {device.name for device in found.machine.devices} == {"L40S"}
    evidence = dict(found.evidence)
    assert (evidence["cards"].kind, evidence["machine"].kind) == ("derived", "derived")
    assert {pool.source.kind for pool in found.machine.pools} == {"derived"}


def test_sizeups_own_probe_comes_whole() -> None:
    """A machine that travelled as JSON is the machine that was sent."""
    box = machine("2x rtx-3090")
    told = {"by": "sizeup", "version": "1", "machine": json.loads(json.dumps(as_json(box)))}
    found = node(seen(told))
    assert found.machine.devices == box.devices
    assert found.warnings == ("Ray declares 4 cards and the node has 2: what exists is told, and Ray grants 4.",)


def test_a_count_without_a_name_has_no_memory() -> None:
    """Cards of which nobody says what they are, or whose name says too little, are named and not made up."""
    for label in ({}, {"accelerator_type:AMD-Instinct-MI250X": 1.0}):
        declared = {"NodeID": "ab", "Alive": True, "Resources": {"GPU": 4.0, "memory": 1.0 * GIB, **label}}
        found = node(seen(declared=declared))
        assert (found.cards, len(found.warnings)) == (0, 1)
        assert "does not say how much memory" in found.warnings[0]


@pytest.mark.parametrize(
    ("alive", "draining", "trouble", "state"),
    [(False, False, "", "down"), (True, True, "", "closed"), (True, False, "no answer within 5 s", "unknown")],
)
def test_a_node_that_cannot_work_is_named(alive: bool, draining: bool, trouble: str, state: str) -> None:
    """Dead, drained or silent: it is told as such and offers no card."""
    found = node(seen(declared={**seen().declared, "Alive": alive}, draining=draining, trouble=trouble))
    assert (found.state, found.free().devices) == (state, ())
    assert (not alive or bool(found.warnings)) == (not alive or bool(trouble))


def test_names_are_one_nodes_own() -> None:
    """Several nodes of one host have the beginning of their ids behind its name."""
    rows = [
        {"NodeID": id, "NodeManagerHostname": host, "NodeManagerAddress": ""}
        for id, host in (("aaaaaaa", "x"), ("bbbbbbb", "x"), ("c", "y"))
    ]
    assert named(rows) == {"aaaaaaa": "x/aaaaaa", "bbbbbbb": "x/bbbbbb", "c": "y"}


def test_the_detect_task_runs_anywhere(tmp_path: Path) -> None:
    """It answers in JSON's types, with sizeup's own probe where that is, and says of a file whether it is there."""
    file = tmp_path / "x"
    file.write_bytes(b"12345")
    nowhere = str(tmp_path / "y")
    told = detect([str(file), nowhere])
    assert (told["by"], told["bytes_at"]) == ("sizeup", {str(file): 5, nowhere: -1})
    assert json.loads(json.dumps(told))["machine"]["pools"] == json.loads(json.dumps(told["machine"]["pools"]))


def cluster() -> Inventory:
    down = Node("gone", dataclasses.replace(machine("rtx-3090"), name="gone", pools=(), devices=()), "down", warnings=("no reason told",))
    return Inventory("ray", "127.0.0.1:6379", (node(seen(NVML)), node(seen(name="silent-node-with-a-long-name")), down), DATE, "2.60.0")


def test_an_inventory_is_read_back_equal(tmp_path: Path) -> None:
    """What was written down is what was seen; a newer one takes its place."""
    path, found = tmp_path / "inventory.json", cluster()
    for _ in range(2):
        saved.save(inventory_json(found), path)
    assert saved.load(path) == found


def test_nothing_else_is_overwritten_or_read(tmp_path: Path) -> None:
    """A file that is no inventory stays, and is no answer."""
    path = tmp_path / "notes.json"
    for text in ("{}", "[1]", '{"nodes": 3}', "\x00", '{"nodes": [{"evidence": {}}]}'):
        path.write_text(text)
        with pytest.raises(UserError):
            saved.save(inventory_json(cluster()), path)
        with pytest.raises(Unreadable):
            saved.load(path)
        assert path.read_text() == text
    with pytest.raises(NotFound):
        saved.load(tmp_path / "none")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_fits_the_page(language: str) -> None:
    """80 columns, with every node by name, in every language."""
    drawn = inventory(Page(texts(language)), cluster())
    assert max(map(cells, drawn.splitlines())) <= 80
    assert [name in drawn for name in ("  a ", "silent-node", "gone")] == [True] * 3
