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


def test_a_dead_node_is_named(running: Running) -> None:
    """A node that died is told as down, and the others still tell what they are."""
    running.lose()
    states = [node["state"] for node in sizeup(running, "scan", "--timeout", "300")["nodes"]]
    assert sorted(states) == ["down", "ready", "ready", "ready"]
