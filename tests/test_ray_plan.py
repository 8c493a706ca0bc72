"""A saved plan of two models, really started: on a cluster of four simulated nodes without cards, by a real Ray Serve."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from sizeup.engines.llamacpp.server import free_port
from tests.ray_running import Running, cluster
from tests.small_model import small_model
from tests.test_ray_serve import engines, sizeup

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("ray", "openai", "xllamacpp"))), reason="Ray, xllamacpp or openai is not here: make test-ray"
    ),
]

LOAD = """
availability = "1-node"

[[model]]
model = {one}
users = 2
prompt_tokens = 100
answer_tokens = 50
ttft = "60s"
tpot = "5s"

[[model]]
model = {other}
users = 1
prompt_tokens = 100
answer_tokens = 50
ttft = "60s"
tpot = "5s"
"""
NAMES = ["sizeup-gemma-3-270m", "sizeup-gemma-3-270m-part-2"]

SPREAD = {"RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING": "0"}
"""By itself Ray Serve fills the replica on the node of its proxy before another one is asked."""


def planned(running: Running, folder: Path) -> str:
    """A plan for the cluster as a scan found it: the model and a copy of it, two replicas each so that a node may be lost."""
    one, other = str(small_model()), shutil.copy(small_model(), folder / "other.gguf")
    load, nodes, plan = folder / "load.toml", folder / "nodes.json", folder / "plan.json"
    load.write_text(LOAD.format(one=json.dumps(one), other=json.dumps(str(other))))
    sizeup(running, "scan", "--save", str(nodes))
    measure(nodes)
    command = [sys.executable, "-m", "sizeup", "fleet", "plan", "--load", str(load), "--nodes", str(nodes), "--json"]
    plan.write_text(subprocess.run(command, env=running.environment, capture_output=True, text=True, check=True, timeout=400).stdout)
    return str(plan)


def measure(nodes: Path) -> None:
    """Say what `sizeup machine --measure` finds out on a node in a minute: tests know of no measurement."""
    content = json.loads(nodes.read_text())
    for node in content["nodes"]:
        for pool in node["machine"]["pools"]:
            pool["bytes_per_s"] = 20e9
    nodes.write_text(json.dumps(content))


def worked(process: psutil.Process) -> float:
    return float(process.cpu_times().user)


def ask_until_all_worked(running: Running, started: list[dict[str, Any]]) -> None:
    """Ask both models until every engine has computed: Ray Serve chooses the replica."""
    import openai

    before = {process: worked(process) for process in engines(running)}
    end = time.monotonic() + 100
    with ExitStack() as held:
        clients = [
            (one["model"], held.enter_context(openai.OpenAI(base_url=f"{one['address'].rstrip('/')}/v1", api_key="none", timeout=300)))
            for one in started
        ]
        for model, client in clients:
            assert [listed.id for listed in client.models.list().data] == [model]
        while any(worked(process) < seconds + 0.1 for process, seconds in before.items()):
            assert time.monotonic() < end
            for model, client in clients:
                said: Any = {"model": model, "messages": [{"role": "user", "content": "Count to ten."}], "max_tokens": 4}
                assert client.chat.completions.create(**said).choices[0].message.content


def test_a_plan_of_two_models_is_started(tmp_path: Path) -> None:
    """Each under its own path, with the replicas of the plan, every one of which answers; `status` knows both and `down` ends one at a time."""
    with cluster(SPREAD, kind="plain") as running:
        up = sizeup(running, "up", planned(running, tmp_path), "--port", str(free_port(0, False)), "--timeout", "300")
        started = up["started"]
        assert [(one["name"], one["replicas"]) for one in started] == [(name, {"RUNNING": 2}) for name in NAMES]
        assert len({one["address"] for one in started}) == 2
        assert len(engines(running)) == 4
        ask_until_all_worked(running, started)
        assert [one["name"] for one in sizeup(running, "status")] == NAMES
        for left, name in ((NAMES[1:], NAMES[0]), ([], NAMES[1])):
            assert sizeup(running, "down", name)["name"] == name
            assert [one["name"] for one in sizeup(running, "status")] == left
