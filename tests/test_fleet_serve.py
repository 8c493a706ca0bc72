"""What Ray Serve is asked for, and what is refused before it is asked. Without Ray."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sizeup import read
from sizeup.errors import NotFound, Refused, Unavailable, UserError
from sizeup.fleet import serve_llm, serve_plan, serve_up
from sizeup.fleet.node import Inventory, Node
from sizeup.fleet.ray_placement import place
from sizeup.fleet.serve_told import Served
from sizeup.hardware import Cpu, Machine, Pool
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import Page, cells
from sizeup.probe import machine
from sizeup.render.fleet_up import handed, started_on_cards

GIB = 2**30
SOFTWARE = {"sizeup": "0.1.0", "xllamacpp": "2026.10"}


def host(name: str, cpus: float = 8, free: int = 4 * GIB, software: Mapping[str, str] = SOFTWARE) -> Node:
    cpu = Cpu("", 4, 8, 8.0, "x86_64", ("avx2",))
    box = Machine(name, cpu, (Pool("ram", 16 * GIB, free),))
    return Node(name, box, "ready", free_cpus=cpus, labels={"ray.io/node-id": f"id{name}"}, software=software)


def carded(name: str, what: str, kind: str, free: int, cpus: float = 64, software: Mapping[str, str] = {"vllm": "0.33"}) -> Node:
    labels = {"ray.io/node-id": f"id{name}", "ray.io/accelerator-type": kind}
    return Node(name, machine(what), "ready", free, cpus, "GPU", labels, software=software)


def inventory(*nodes: Node) -> Inventory:
    return Inventory("ray", "127.0.0.1:6379", nodes, "2026-11-21T12:00:00+00:00")


def application(model: str, nodes: list[Node], files: Mapping[str, int] | None = None, **asked: Any) -> serve_plan.Application:
    found = {node.name: os.path.getsize(model) for node in nodes} if files is None else files
    return serve_plan.application(read(model), inventory(*nodes), found, context_tokens=2048, **asked)


def test_a_replica_asks_for_its_plan(model: str) -> None:
    """Memory is the plan's upper end and Ray's own process; processors are the smallest node's cores, and the engine has as many threads."""
    asked = application(model, [host("a"), host("b")])
    plan = serve_plan.plan_on(host("a"), read(model), None, 2048, {})
    assert asked.memory_bytes == plan.breakdown.needed_bytes("ram") + serve_plan.REPLICA_BYTES
    assert (asked.cores, asked.job["threads"], asked.job["settings"]["gpu_layers"]) == (4, 4, 0)
    assert (asked.room, asked.selector, asked.left_out) == (4, {}, {})


def test_nodes_that_cannot_are_left_out(model: str) -> None:
    """Each for its reason; replicas then go to the others alone."""
    nodes = [host("a"), host("b", software={}), host("c"), host("d"), dataclasses.replace(host("e"), state="closed")]
    size = os.path.getsize(model)
    asked = application(model, nodes, {"a": size, "b": size, "c": -1, "d": 5, "e": size})
    assert asked.nodes == ("a",)
    assert asked.left_out == {"b": "has no sizeup", "c": "lacks the file", "d": "has another file there", "e": "is closed"}
    assert asked.selector == {"ray.io/node-id": "in(ida)"}


@pytest.mark.parametrize(
    ("nodes", "asked", "binds", "hint"),
    [
        ([host("a", cpus=7), host("b", cpus=5)], {"replicas": (3, 3), "cores": 4}, "room for 2, and processors bind", "--replicas 2"),
        ([host("a", free=GIB // 8)], {}, "room for 0, and memory bind", "fewer --cores, a shorter --context or a smaller model"),
    ],
)
def test_no_room_names_what_binds(model: str, nodes: list[Node], asked: dict[str, Any], binds: str, hint: str) -> None:
    """Processors are counted a node, since a replica is never split; memory likewise."""
    with pytest.raises(Refused) as caught:
        application(model, nodes, **asked)
    assert (binds in caught.value.message, caught.value.hint) == (True, hint)


def test_nobody_can(model: str) -> None:
    """A cluster without the file, and a model without weights here."""
    with pytest.raises(Unavailable) as caught:
        application(model, [host("a"), host("b")], {})
    assert caught.value.message == "No node of the cluster can run it: 2 lacks the file."
    with pytest.raises(NotFound):
        serve_plan.application(read("Qwen/Qwen3-8B"), inventory(host("a")), {})


def test_numbers_of_replicas() -> None:
    """One number, or from one to another."""
    assert [serve_plan.replicas(text) for text in ("3", "1-4")] == [(3, 3), (1, 4)]
    for text in ("0", "4-1", "x", "-1", "1-2-3"):
        with pytest.raises(UserError):
            serve_plan.replicas(text)


CARDS = inventory(carded("a", "8x h100", "H100", 8), carded("b", "8x h100", "H100", 7), carded("c", "4x l40s", "L40S", 4), host("d"))
SINGLE = inventory(carded("a", "1x h100", "H100", 1))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((8, 1, 1), (("a",), "STRICT_PACK", [8.0], 1)),
        ((4, 2, 1), (("a",), "STRICT_PACK", [8.0], 1)),
        ((6, 2, 1), (("a", "b"), "PACK", [6.0, 6.0], 1)),
        ((4, 1, 3), (("a", "b"), "STRICT_PACK", [4.0], 3)),
        ((2, 1, 1, "L40S"), (("c",), "STRICT_PACK", [2.0], 2)),
    ],
)
def test_a_tensor_group_stays_on_one_node(asked: Any, expected: Any) -> None:
    """One bundle a node's share; stages over several nodes where one has too few cards, or where that leaves room for more."""
    group = place(CARDS, *asked)
    assert (group.nodes, group.strategy, [bundle["GPU"] for bundle in group.bundles], group.room) == expected
    assert len(group.worker_bundles()) == asked[0] * asked[1]


@pytest.mark.parametrize(
    ("asked", "binds", "hint"),
    [
        ((16, 1, 1), "the most that a node has is 8 (H100)", "sizeup fleet scan for what is free"),
        ((4, 1, 9), "free cards are enough for 3", "--replicas 3"),
        ((8, 3, 1), "free cards are enough for 0", "sizeup fleet scan for what is free"),
        ((1, 1, 1, "A100"), "the most that a node has is 0 (A100)", "sizeup fleet scan for what is free"),
    ],
)
def test_what_ray_would_wait_for_is_refused(asked: Any, binds: str, hint: str) -> None:
    """With the count that binds."""
    with pytest.raises(Refused) as caught:
        place(CARDS, *asked)
    assert (binds in caught.value.message, caught.value.hint) == (True, hint)


def test_processors_may_bind_cards() -> None:
    """A node with cards and no processor left to feed them holds no rank."""
    with pytest.raises(Refused) as caught:
        place(inventory(carded("a", "8x h100", "H100", 8, cpus=1)), 8)
    assert "free processors are enough for 0" in caught.value.message


def test_a_checkpoint_becomes_rays_configuration() -> None:
    """The engine's keywords are the plan's command, the bundles one a rank; what does not fit a card is refused with what is missing."""
    found = serve_llm.hand(read("Qwen/Qwen3-8B"), CARDS, tensor_parallel=2, replicas=(1, 4), name="q")
    [application] = found.config["applications"]
    [config] = application["args"]["llm_configs"]
    assert (application["name"], application["import_path"]) == ("sizeup-q", "ray.serve.llm:build_openai_app")
    assert config["engine_kwargs"]["tensor_parallel_size"] == 2
    assert config["placement_group_config"] == {"bundles": [{"GPU": 1.0, "CPU": 0.25}] * 2, "strategy": "STRICT_PACK"}
    assert (config["accelerator_type"], config["deployment_config"]) == (
        "H100",
        {
            "autoscaling_config": {"min_replicas": 1, "max_replicas": 4},
            "graceful_shutdown_wait_loop_s": 1.0,
            "graceful_shutdown_timeout_s": 600.0,
        },
    )
    with pytest.raises(Refused) as caught:
        serve_llm.hand(read("meta-llama/Llama-3.1-70B-Instruct"), CARDS, quant="bf16", cards="L40S")
    assert ("are missing on one" in caught.value.message, caught.value.hint) == (True, "--tensor-parallel 4")


def test_what_is_started_is_what_is_stored() -> None:
    """vLLM loads a checkpoint as it is: no smaller format is chosen for it, and one that vLLM does not make at load is another checkpoint."""
    assert serve_llm.hand(read("Qwen/Qwen3-8B"), SINGLE).plan.command == "vllm serve Qwen/Qwen3-8B --max-model-len 8192"
    assert serve_llm.hand(read("Qwen/Qwen3-8B"), SINGLE, quant="fp8").plan.command.endswith("--quantization fp8")
    with pytest.raises(UserError):
        serve_llm.hand(read("Qwen/Qwen3-8B"), SINGLE, quant="awq")


@pytest.mark.parametrize(
    ("found", "hint"), [(CARDS, "--tensor-parallel 4"), (SINGLE, "--quant fp8, a shorter --context or a smaller model")]
)
def test_too_large_a_checkpoint_is_refused(found: Inventory, hint: str) -> None:
    """72B in BF16 on one card of 80 GB: what is missing, and the least width that these nodes have room for, which then fits."""
    with pytest.raises(Refused) as caught:
        serve_llm.hand(read("Qwen/Qwen2.5-72B-Instruct"), found)
    assert ("are missing on one" in caught.value.message, caught.value.hint) == (True, hint)
    if found is CARDS:
        assert serve_llm.hand(read("Qwen/Qwen2.5-72B-Instruct"), found, tensor_parallel=4).plan.fits


def test_warnings_before_ray_does_it() -> None:
    """A node without vLLM; an uneven number of free cards, which would let a tensor-parallel group be divided."""
    found = serve_llm.hand(
        read("Qwen/Qwen3-8B"),
        inventory(CARDS.nodes[1], carded("e", "8x h100", "H100", 5, software={})),
        tensor_parallel=4,
        pipeline_parallel=2,
    )
    assert [said.partition(",")[0].partition(" e.")[0] for said in found.warnings] == [
        "vLLM asks Ray for single cards",
        "vLLM is not installed on",
    ]


def test_a_path_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root for what is alone; beside others, ours or not, its name; a path that somebody else has is refused."""
    paths = dict[str, str]()
    monkeypatch.setattr(serve_up, "details", lambda: {"applications": {name: {"route_prefix": path} for name, path in paths.items()}})
    assert [serve_up.route("sizeup-small", count) for count in (1, 2)] == ["/", "/small"]
    paths["other"] = "/"
    assert serve_up.route("sizeup-small", 1) == "/small"
    paths["third"] = "/small"
    with pytest.raises(Refused) as caught:
        serve_up.route("sizeup-small", 1)
    assert caught.value.message == "The cluster serves third at /small already."


def test_options_become_keywords() -> None:
    """Numbers are numbers, a bare option is true, its negation false."""
    command = "vllm serve a/b --max-model-len 8192 --gpu-memory-utilization 0.8 --enforce-eager --no-enable-prefix-caching --dtype half"
    assert serve_llm.engine_kwargs(command) == (
        "a/b",
        {"max_model_len": 8192, "gpu_memory_utilization": 0.8, "enforce_eager": True, "enable_prefix_caching": False, "dtype": "half"},
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_handed_over_or_started_fits_the_page(language: str) -> None:
    """80 columns, whatever the language."""
    page, found = Page(texts(language)), serve_llm.hand(read("Qwen/Qwen3-8B"), CARDS, tensor_parallel=2)
    served = Served("sizeup-qwen-qwen3-8b", "Qwen--Qwen3-8B", "RUNNING", "http://127.0.0.1:8000/", {"RUNNING": 1}, (), "")
    drawn = handed(page, found, "serve.json"), started_on_cards(page, served, found)
    assert ["serve deploy serve.json" in drawn[0], "http://127.0.0.1:8000/v1" in drawn[1]] == [True, True]
    assert max(cells(line) for each in drawn for line in each.splitlines()) <= 80


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own fields under the newest pydantic
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not here: make test-ray")
def test_rays_own_models_take_the_configuration(tmp_path: Path) -> None:
    """`serve deploy`'s schema and Ray Serve LLM's LLMConfig accept it; a misspelt field they refuse."""
    from pydantic import ValidationError
    from ray.llm._internal.serve.core.configs.llm_config import LLMConfig
    from ray.serve.schema import ServeDeploySchema

    found = serve_llm.hand(read("Qwen/Qwen3-8B"), CARDS, tensor_parallel=2, replicas=(1, 4))
    deployed = ServeDeploySchema(**found.config)
    assert [application.name for application in deployed.applications] == ["sizeup-qwen-qwen3-8b"]
    [config] = found.config["applications"][0]["args"]["llm_configs"]
    assert LLMConfig(**config).engine_kwargs == config["engine_kwargs"]
    with pytest.raises(ValidationError):
        LLMConfig(**{**config, "engine_kwarg": {}})
