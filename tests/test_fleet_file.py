"""Machines that a file describes as nodes, and which of several ways to look at a cluster was named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sizeup.api.fleet import inventory_json
from sizeup.errors import NotFound, SizeupError, Unreadable
from sizeup.fleet import nodes_file, saved
from tests.program import Run

NODES = """
name = "lab"
[[node]]
name = "h"
machine = "8x h100-sxm nvlink"
ram = "2TiB"
cpus = 192
count = 2
free_cards = 6
labels = { zone = "a" }
groups = ["gpu"]
[[node]]
name = "old"
machine = "own.toml"
state = "closed"
"""
OWN = """
name = "an old one"
[ram]
memory = "64GiB"
[[gpu]]
device = "rtx-3090"
count = 2
"""


def test_nodes_of_a_file(tmp_path: Path) -> None:
    """A table counts nodes and numbers them; a machine may be a file beside it; what is given is given. Written down it reads back the same."""
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / "nodes.toml").write_text(NODES)
    found = nodes_file.read(str(tmp_path / "nodes.toml"))
    rows = [(one.name, one.state, one.free_cards, one.cards, one.free_cpus, one.machine.pools[0].bytes >> 30) for one in found.nodes]
    assert rows == [("h-0", "ready", 6, 8, 192.0, 2048), ("h-1", "ready", 6, 8, 192.0, 2048), ("old", "closed", 2, 2, 0.0, 64)]
    assert (found.address, found.nodes[0].shared, dict(found.nodes[0].evidence)["cards"].kind) == ("lab", False, "given")
    saved.save(inventory_json(found), tmp_path / "inventory.json")
    assert saved.load(tmp_path / "inventory.json") == found


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        ("[[node]\n", "is not TOML", "docs/fleet.md"),
        ("[[nodes]]\nname = 'a'", "no “nodes”", "node"),
        ("", "has no node", "[[node]]"),
        ("node = 3", "has no node", "[[node]]"),
        ("node = [3]", "[[node]] 1 is no table", "docs/fleet.md"),
        ("[[node]]\nname = 'a'", "names no machine", "h100-sxm"),
        ("[[node]]\nmachine = 'h100'\nfree_card = 1", "[[node]] 1 has no “free_card”", "free_cards"),
        ("[[node]]\nmachine = '2x h100'\nfree_cards = 3", "free_cards = 3, and the machine has 2", "free_cards = 2"),
        ("[[node]]\nmachine = 'h100'\ncount = 0", "count = 0 is not a count", "count = 8"),
        ("[[node]]\nmachine = 'h100'\ncount = 1000000000", "more than 100000", "count = 8"),
        ("[[node]]\nmachine = 'h100'\nstate = 'redy'", "state “redy”", "ready"),
        ("[[node]]\nmachine = 'h100x'", "No machine or device is called", "H100"),
        ("[[node]]\nname = 'a'\nmachine = 'h100'\n[[node]]\nname = 'a'\nmachine = 'l4'", "two nodes are called “a”", "name of its own"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, content: str, words: str, hint: str) -> None:
    """Every mistake names its table and key and what is nearest."""
    (tmp_path / "nodes.toml").write_text(content)
    with pytest.raises(SizeupError) as said:
        nodes_file.read(str(tmp_path / "nodes.toml"))
    assert (words in said.value.message, hint in said.value.hint) == (True, True)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """One that is not there, and bytes that are no text."""
    with pytest.raises(NotFound):
        nodes_file.read(str(tmp_path / "none.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Unreadable):
        nodes_file.read(str(tmp_path / "bytes.toml"))


def test_one_cluster_is_named(sizeup: Run, tmp_path: Path) -> None:
    """None and two are refused; one that was written down is shown again."""
    file, inventory = tmp_path / "nodes.toml", tmp_path / "inventory.json"
    file.write_text("[[node]]\nname = 'a'\nmachine = 'rtx-4090'\nram = '64GiB'")
    assert [sizeup("fleet", "scan").code, sizeup("fleet", "scan", "--slurm", "--file", str(file)).code] == [2, 2]
    first = sizeup("fleet", "scan", "--file", str(file), "--save", str(inventory), "--json")
    assert json.loads(sizeup("fleet", "scan", "--inventory", str(inventory), "--json").out) == json.loads(first.out)
