"""A real Ray cluster of four simulated nodes with declared cards: found, placed on, and a dead node named."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sizeup.errors import Refused
from sizeup.fleet.ray_placement import place
from sizeup.fleet.saved import load
from tests.ray_running import Running, cluster

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not here: make test-ray"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with cluster() as found:
        yield found


def sizeup(running: Running, *args: str) -> Any:
    """What the program says as JSON, in a process of its own as a user has it."""
    command = [sys.executable, "-m", "sizeup", "fleet", *args, "--ray", running.address, "--json"]
    said = subprocess.run(command, env=running.environment, capture_output=True, text=True, check=False, timeout=300)
    assert (said.returncode, said.stderr) == (0, "")
    return json.loads(said.stdout)


def test_a_scan_finds_every_node(running: Running, tmp_path: Path) -> None:
    """Four nodes with the twenty cards that they declare; memory and processors as sizeup's own probe measured them there."""
    path = tmp_path / "inventory.json"
    found = sizeup(running, "scan", "--save", str(path), "--timeout", "300")
    nodes = found["nodes"]
    assert [(node["state"], node["cards"], node["free_cards"]) for node in nodes].count(("ready", 8, 8)) == 2
    assert sorted((node["cards"], node["free_cpus"]) for node in nodes) == [(0, 4.0), (4, 4.0), (8, 4.0), (8, 4.0)]
    assert {node["evidence"]["machine"]["kind"] for node in nodes} == {"measured"}
    assert {node["evidence"]["cards"]["where"] for node in nodes if node["cards"]} == {"Ray's label H100", "Ray's label L40S"}
    assert [node.name for node in load(path).nodes] == [node["name"] for node in nodes]


HOLDING = """
import sys
from ray.util import placement_group
from sizeup.fleet.ray_connect import connected
with connected(sys.argv[1]):
    assert placement_group([{"GPU": 3.0, "CPU": 1.0, "accelerator_type:L40S": 0.001}]).wait(60)
    print("held", file=sys.stderr, flush=True)
    sys.stdin.read()
"""


def test_what_others_were_granted_is_not_free(running: Running) -> None:
    """Three of four cards and a processor that somebody holds are gone from that node alone; when he leaves they are back."""

    def free() -> list[tuple[int, float]]:
        return sorted((node["free_cards"], node["free_cpus"]) for node in sizeup(running, "scan", "--timeout", "300")["nodes"])

    command = [sys.executable, "-c", HOLDING, running.address]
    with subprocess.Popen(command, env=running.environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stderr is not None
        try:
            assert any(line == "held\n" for line in holder.stderr)
            held = free()
        finally:
            holder.stdin.close()
    assert (held, free()) == ([(0, 4.0), (1, 3.0), (8, 4.0), (8, 4.0)], [(0, 4.0), (4, 4.0), (8, 4.0), (8, 4.0)])


PLACED = """
import json, sys
from ray.util import placement_group, placement_group_table, remove_placement_group
from sizeup.fleet.ray_connect import connected
found = []
with connected(sys.argv[1]):
    for bundles, strategy, seconds in json.loads(sys.argv[2]):
        group = placement_group(bundles, strategy=strategy)
        ready = group.wait(seconds)
        nodes = placement_group_table(group)["bundles_to_node_id"].values() if ready else []
        found.append(len(set(nodes)))
        remove_placement_group(group)
print(json.dumps(found))
"""
"""Nodes over which Ray itself places each group; 0 for one that it does not."""


def test_ray_places_what_is_asked_for_and_nothing_else(running: Running, tmp_path: Path) -> None:
    """A tensor-parallel group stays on one node, stages go over as few as can be; what is refused here Ray would wait for in vain."""
    path = tmp_path / "inventory.json"
    sizeup(running, "scan", "--save", str(path), "--timeout", "300")
    found = load(path)
    groups = [place(found, *asked) for asked in ((8, 1), (8, 2), (4, 1, 4), (4, 1, 1, "L40S"), (2, 2, 1, "L40S"))]
    asked: list[tuple[list[dict[str, float]], str, float]] = [(list(group.bundles), group.strategy, 60.0) for group in groups]
    with pytest.raises(Refused) as wide:
        place(found, 16)
    assert wide.value.hint == "--tensor-parallel 8 --pipeline-parallel 2"
    with pytest.raises(Refused) as other:
        place(found, 8, 1, 1, "L40S")
    assert "the most that a node has is 4 (L40S)" in other.value.message
    asked += [([{"GPU": 16.0}], "STRICT_PACK", 5.0), ([{"GPU": 8.0, "accelerator_type:L40S": 0.001}], "STRICT_PACK", 5.0)]
    command = [sys.executable, "-c", PLACED, running.address, json.dumps(asked)]
    said = subprocess.run(command, env=running.environment, capture_output=True, text=True, check=True, timeout=300)
    assert json.loads(said.stdout.splitlines()[-1]) == [1, 2, 1, 1, 1, 0, 0]


def test_a_dead_node_is_named(running: Running) -> None:
    """A node that died offers nothing and says why, also in the seconds until Ray calls it dead; the others tell what they are."""
    running.lose()
    nodes = sizeup(running, "scan", "--timeout", "300")["nodes"]
    lost = [node for node in nodes if node["state"] != "ready"]
    assert (len(nodes), len(lost)) == (4, 1)
    assert (lost[0]["state"] in ("down", "unknown"), len(lost[0]["warnings"]) > 0) == (True, True)
