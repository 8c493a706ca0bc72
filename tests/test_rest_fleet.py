"""A plan for a cluster says the same on the command line, over REST, to an assistant and to a program; nobody reaches a file or a cluster by it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="needs the extra `web`")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sizeup
from sizeup.api.fleet import inventory_json
from sizeup.api.fleet_plan import fleet_plan_json
from sizeup.errors import SizeupError
from sizeup.mcp import called
from sizeup.web.app import app
from sizeup.web.examples import EXAMPLES, LOAD, NODES
from sizeup.web.world import ServedWorld
from tests.client import Client, Reply
from tests.program import Run

ASKED = {"model": "Qwen/Qwen3-8B", "users": 20}
NODE = st.fixed_dictionaries(
    {"machine": st.sampled_from(["2x h100-sxm", "l40s", "epyc-9654"]), "count": st.integers(1, 2)},
    optional={"state": st.sampled_from(["ready", "closed"]), "ram": st.just("256GiB"), "groups": st.just(["gpu"])},
)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(app())


def posted(client: Client, content: Any, **headers: str) -> Reply:
    return client.send("POST", "/api/fleet_plan", json.dumps(content).encode(), **headers)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=st.lists(NODE, min_size=1, max_size=2), rate=st.sampled_from([0.5, 30.0]))
def test_every_way_to_ask_answers_alike(sizeup: Run, client: Client, tmp_path: Path, nodes: list[dict[str, Any]], rate: float) -> None:
    """Described nodes and what a scan saved of them, asked here, over REST, by an assistant and by a program: one answer."""
    content = {"name": "lab", "node": [{"name": f"n{number}", **node} for number, node in enumerate(nodes)]}
    found = cluster(content)
    saved = json.loads(json.dumps(inventory_json(found)))
    (tmp_path / "inventory.json").write_text(json.dumps(saved))
    said = sizeup(*f"fleet plan --model Qwen/Qwen3-8B --requests-per-s {rate} --nodes {tmp_path / 'inventory.json'} --json".split())
    expected = json.loads(said.out)
    asked = {"model": "Qwen/Qwen3-8B", "requests_per_s": rate}
    assert posted(client, {**asked, "nodes": content}).json == expected
    assert posted(client, {**asked, "nodes": saved}).json == expected
    assert json.loads(json.dumps(called("fleet_plan", {**asked, "nodes": content}, ServedWorld()))) == expected
    assert json.loads(json.dumps(fleet_plan_json(plan_fleet("Qwen/Qwen3-8B", found, requests_per_s=rate)))) == expected
    assert said.code == (0 if expected["possible"] else 3)


def cluster(content: Any) -> Any:
    return sizeup.cluster(content)


def plan_fleet(model: str, found: Any, **asked: Any) -> Any:
    return sizeup.plan_fleet(model, found, **asked)


def test_machines_that_are_named(sizeup: Run, client: Client) -> None:
    """`on` and `count` are the options of the same names, and a program says them in pairs."""
    said = sizeup("fleet", "plan", "--model", "Qwen/Qwen3-8B", "--users", "20", "--on", "l40s", "--count", "2", "--json")
    expected = json.loads(said.out)
    assert posted(client, {**ASKED, "on": ["l40s"], "count": [2]}).json == expected
    assert fleet_plan_json(plan_fleet("Qwen/Qwen3-8B", cluster([("l40s", 2)]), users=20.0)) == expected


def test_files(sizeup: Run, client: Client, tmp_path: Path) -> None:
    """What is handed over in the answer is what the command line prints as JSON, and what it writes into folders."""
    asked = EXAMPLES["fleet_plan"]["files"]
    reply = posted(client, asked).json
    (tmp_path / "nodes.json").write_text(json.dumps(inventory_json(cluster(NODES))))
    typed = ["fleet", "plan", "--model", asked["model"], "--requests-per-s", "20", "--ttft", "1s", "--emit", "deployment"]
    typed += ["--nodes", str(tmp_path / "nodes.json"), "--json"]
    assert json.loads(sizeup(*typed).out) == reply
    assert sizeup(*typed, "--to", str(tmp_path / "out")).code == 0
    (folder,) = reply["files"]
    written = {path.name: path.read_text() for path in (tmp_path / "out" / folder["folder"]).iterdir()}
    assert written == folder["files"]


def test_documents_are_texts_too(client: Client) -> None:
    """Nodes and loads as TOML, and as JSON within a text, are the same as objects; the language may stand in the query or the body."""
    toml = '[[node]]\nmachine = "l40s"\ncount = 2\n'
    expected = posted(client, {**ASKED, "nodes": tomllib.loads(toml)}).json
    assert posted(client, {**ASKED, "nodes": toml}).json == expected
    assert posted(client, {**ASKED, "nodes": json.dumps(tomllib.loads(toml))}).json == expected
    wrong = b'{"nodes": 3, "model": "qwen3:8b", "users": 2}'
    said = {client.send("POST", "/api/fleet_plan?lang=zh-Hant", wrong).json["error"]["message"]}
    said.add(client.send("POST", "/api/fleet_plan", wrong[:-1] + b', "lang": "zh-Hant"}').json["error"]["message"])
    assert said == {"nodes 既不是 JSON 物件，也不是 TOML。"}


def test_several_models(client: Client) -> None:
    """A load names its models; `availability` beside it wins."""
    held = posted(client, {"load": LOAD, "nodes": NODES}).json
    bare = posted(client, {"load": LOAD, "nodes": NODES, "availability": "none"}).json
    assert [one["model"] for one in held["targets"]] == ["Qwen/Qwen3-32B", "Qwen/Qwen3-0.6B"]
    assert (held["availability"], bare["availability"]) == ("1-node", "none")
    assert [left["goals_hold"] for one in held["lost_node"] for left in one["models"]].count(False) == 0


def inventory(**of_node: Any) -> dict[str, Any]:
    """What a scan would save of one node, with this of it told otherwise."""
    saved = json.loads(json.dumps(inventory_json(cluster({"node": [{"machine": "l40s"}]}))))
    saved["nodes"][0] |= of_node
    return saved


MISTAKES: dict[str, tuple[Any, int, str]] = {
    "no object": ([], 400, "The question is no JSON object."),
    "no cluster": (ASKED, 400, "A plan is for one cluster"),
    "no model": ({"users": 2, "on": "l40s"}, 400, "Nothing says which model"),
    "no load": ({"model": "qwen3:8b", "on": "l40s"}, 400, "either users or requests"),
    "unknown field": ({**ASKED, "on": "l40s", "replicas": 2}, 400, "There is no parameter replicas."),
    "unknown key": ({**ASKED, "nodes": {"node": [{"machine": "l40s", "gpus": 2}]}}, 400, "[[node]] 1 has no “gpus”"),
    "unknown machine": ({**ASKED, "nodes": {"node": [{"machine": "l40sx"}]}}, 400, "[[node]] 1 machine: No machine"),
    "ram of no size": ({**ASKED, "nodes": {"node": [{"machine": "l40s", "ram": ["1"]}]}}, 400, "is no size"),
    "no inventory": ({**ASKED, "nodes": {"nodes": 3}}, 400, "nodes is no inventory"),
    "more free than there is": ({**ASKED, "nodes": inventory(free_cards=9)}, 400, "more cards are free than there are"),
    "negative processors": ({**ASKED, "nodes": inventory(free_cpus=-1)}, 400, "cannot be counted"),
    "too many nodes": ({**ASKED, "on": "l40s", "count": 2000}, 400, "1 to 1,000 nodes"),
    "too many described nodes": ({**ASKED, "nodes": {"node": [{"machine": "l40s", "count": 1001}]}}, 400, "is more than 1000"),
    "too many models": ({"load": {"model": [{"model": "qwen3:8b", "users": 1}] * 9}, "on": "l40s"}, 400, "load names 9 models."),
    "quant of no text": ({"load": {"model": [{"model": "qwen3:8b", "users": 1, "quant": 8}]}, "on": "l40s"}, 400, "is no text"),
    "no such files": ({**ASKED, "on": "l40s", "emit": "nomad"}, 400, "There are no files for"),
    "model of a path": ({"model": "/etc/passwd", "users": 2, "on": "l40s"}, 403, "reads no files for others"),
    "load of a path": ({"load": "/etc/passwd", "on": "l40s"}, 400, "load is neither a JSON object nor TOML."),
    "nodes of a path": ({**ASKED, "nodes": "/etc/passwd"}, 400, "nodes is neither a JSON object nor TOML."),
    "machine of a path": ({**ASKED, "nodes": {"node": [{"machine": "/etc/passwd"}]}}, 403, "reads no files for others"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(client: Client, name: str) -> None:
    """Each is a sentence and a way out, over REST and to an assistant alike, in every language."""
    content, status, words = MISTAKES[name]
    reply = posted(client, content)
    error = reply.json["error"]
    assert (reply.status, sorted(error), words in error["message"]) == (status, ["kind", "message", "try"], True)
    assert posted(client, content, accept_language="zh-CN").json["error"]["message"] != error["message"]
    if isinstance(content, dict):
        with pytest.raises(SizeupError) as told:
            called("fleet_plan", content, ServedWorld())
        assert told.value.message == error["message"]


def test_a_body_has_an_end(client: Client) -> None:
    """A question longer than is taken is refused as soon as it is, and so is one document of it."""
    assert client.send("POST", "/api/fleet_plan", b" " * (5 << 20)).status == 413
    assert posted(client, {"load": " " * 100_000, "on": "l40s"}).status == 400


def test_it_is_posted(client: Client) -> None:
    """A query is told how it is asked, and a page of another origin may not ask."""
    assert client.get("/api/fleet_plan?users=2").json["error"]["try"] == "POST /api/fleet_plan"
    assert posted(client, ASKED, origin="http://example.org").status == 403


def test_a_search_ends_with_its_time() -> None:
    """Whoever gives up does not leave a search behind."""
    with pytest.raises(SizeupError, match="takes longer than it may"):
        sizeup.plan_fleet("Qwen/Qwen3-8B", cluster([("l40s", 2)]), users=20, until=0.0)
