"""A saved plan read back, and its parts placed beside each other. Without Ray."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sizeup import read
from sizeup.cli.fleet.up import typed, wished
from sizeup.cli.verb import Asked
from sizeup.errors import NotFound, Refused, Unavailable, Unreadable
from sizeup.fleet import saved_plan, serve_room
from sizeup.fleet.node import Inventory
from sizeup.fleet.serve_launch import Launch
from sizeup.fleet.serve_llm import Handed, hand
from sizeup.fleet.serve_together import Wish, seated
from sizeup.i18n import texts
from sizeup.page import Page
from tests.conftest import Run
from tests.test_fleet_serve import carded, host, inventory

ON = ("--on", "4x h100-sxm", "--count", "1", "--on", "epyc-9654", "--count", "1")
QWEN = "Qwen/Qwen3-8B"


def saved(sizeup: Run, folder: Path, *asked: str) -> str:
    path = folder / "plan.json"
    path.write_text(sizeup("fleet", "plan", *asked, "--json").out)
    return str(path)


@pytest.mark.parametrize("wishes", [(), ("--cache-type", "fp8"), ("--quant", "fp8")])
def test_what_is_started_is_what_was_planned(sizeup: Run, tmp_path: Path, wishes: tuple[str, ...]) -> None:
    """A part's command, typed again, gives vLLM the same words as the plan printed, with the pool of the release that the nodes have."""
    path = saved(sizeup, tmp_path, "--model", QWEN, "--users", "200", "--engine", "vllm", *wishes, *ON)
    (served,) = json.loads(Path(path).read_text())["targets"][0]["served_by"]
    (part,) = saved_plan.load(path)
    wish = wished(Asked(Page(texts("en"))), typed(path, part))
    handed = hand(wish.model, inventory(carded("a", "4x h100-sxm", "H100", 4, software={})), cards=wish.cards, **wish.plan)
    assert (handed.plan.command, wish.replicas, wish.cards) == (served["command"], (served["replicas"],) * 2, "H100")


def test_other_servers_are_told(sizeup: Run, tmp_path: Path) -> None:
    """Of SGLang there is nothing to start, and nothing else in the plan: one sentence says so, before Ray is needed."""
    path = saved(sizeup, tmp_path, "--model", QWEN, "--users", "20", "--engine", "sglang", *ON)
    said = sizeup("fleet", "up", path)
    assert (said.code, "is started through Ray here" in said.err, "--emit deployment" in said.err) == (5, True, True)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"possible": true}',
        '{"possible": true, "targets": [{"model": "x", "served_by": [{"engine": "vLLM"}]}]}',
        '{"possible": true, "targets": [{"model": "x", "served_by": [{"engine": "vLLM", "ray_command": "rm -r x y"}]}]}',
        '{"possible": true, "targets": [{"model": "x", "served_by": [{"engine": "vLLM", "ray_command": "sizeup fleet up"}]}]}',
        '{"possible": true, "targets": [{"model": "x", "served_by": [{"engine": "vLLM", "ray_command": "sizeup fleet up x --nothing"}]}]}',
    ],
)
def test_another_file_is_no_plan(sizeup: Run, tmp_path: Path, content: str) -> None:
    """One sentence, whatever stands in it; nothing of it is run."""
    path = tmp_path / "plan.json"
    path.write_text(content)
    said = sizeup("fleet", "up", str(path))
    assert (said.code, said.err.splitlines()[0]) == (Unreadable.exit_code, f"{path} is no plan for a cluster.")


def test_a_plan_without_places_is_refused(sizeup: Run, tmp_path: Path) -> None:
    """What could not be planned cannot be started; a plan says for itself what an option would."""
    path = saved(sizeup, tmp_path, "--model", QWEN, "--users", "20000", "--engine", "vllm", *ON)
    with pytest.raises(Refused):
        saved_plan.load(path)
    with pytest.raises(NotFound):
        saved_plan.load(str(tmp_path / "none.json"))
    said = sizeup("fleet", "up", path, "--replicas", "3")
    assert (said.code, "--replicas is said for one model" in said.err) == (2, True)


def together(found: Inventory, *wishes: Wish) -> list[tuple[str, type, type]]:
    files = {os.path.abspath(wish.model.path): {node.name: 1 << 40 for node in found.nodes} for wish in wishes if wish.model.path}
    return [(seat.launch.name, type(seat.asked), type(seat.launch)) for seat in seated(wishes, found, files, 600)]


def on_cards(name: str, replicas: int, **plan: Any) -> Wish:
    return Wish(read(QWEN), (replicas, replicas), name, plan)


def test_what_the_first_takes_the_next_has_not() -> None:
    """Four cards hold two pairs, and three pairs are refused although each alone has room; as many applications as wishes."""
    found = inventory(carded("a", "4x h100", "H100", 4))
    pair = on_cards("one", 1, tensor_parallel=2), on_cards("two", 1, tensor_parallel=2)
    assert together(found, *pair) == [("sizeup-one", Handed, Launch), ("sizeup-two", Handed, Launch)]
    with pytest.raises(Refused) as caught:
        together(found, *pair, on_cards("three", 1, tensor_parallel=2))
    assert "the most that a node has is 0 (cards)" in caught.value.message


def test_processors_are_shared_too(model: str) -> None:
    """Four processors feed a card, its server and what hears requests, and then llama.cpp has one core, not two."""
    found = inventory(carded("a", "1x h100", "H100", 1, cpus=2.25), host("b", cpus=2))
    file = Wish(read(model), (1, 1), "small", {"context_tokens": 2048}, cores=2)
    assert [kind.__name__ for _, kind, _ in together(found, file, on_cards("one", 1))] == ["Application", "Handed"]
    with pytest.raises(Refused):
        together(found, on_cards("one", 1), file._replace(replicas=(2, 2)))


def test_no_processor_for_what_hears_requests() -> None:
    """A card with just enough processors for its replica, and none anywhere for Ray's ingress: refused, since Ray would wait for ever."""
    found = inventory(carded("a", "1x h100", "H100", 1, cpus=1.25))
    asked = hand(read(QWEN), found)
    with pytest.raises(Refused) as caught:
        serve_room.after_checkpoint(found, asked)
    assert "what hears requests takes 1" in caught.value.message


def test_a_node_without_vllm_builds_nothing() -> None:
    """Where no node with the cards has vLLM, the answer says so before anything starts."""
    with pytest.raises(Unavailable) as caught:
        together(inventory(carded("a", "1x h100", "H100", 1, software={})), on_cards("one", 1))
    assert caught.value.message == "No node of the cluster can run it: 1 has no vllm."
