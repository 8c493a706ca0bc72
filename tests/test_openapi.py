"""The description of REST is true: every real answer satisfies its schema, every parameter is described."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("starlette", reason="needs the extra `web`")
pytest.importorskip("jsonschema", reason="needs jsonschema")

import jsonschema

from sizeup.operations import NAMES
from sizeup.web.app import app
from sizeup.web.examples import EXAMPLES
from tests.client import Client
from tests.test_rest import SAME

MORE = (
    "names?q=qwen&limit=3",
    "names?kind=machine&q=rtx&limit=3",
    "settings?engine=vllm&lang=zh-Hant",
    "texts?lang=zh-Hans",
    "fit?model=qwen3:8b&on=rtx-4090&told=1",
    "plan?model=qwen3:8b&on=rtx-4090&told=1",
    "machine",
    "explain",
    "table?which=sizes",
    "train?model=qwen3:8b&on=rtx-3060",
    "models?on=raspberry-pi-5-8gb&slowest=900",
)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(app())


@pytest.fixture(scope="module")
def document(client: Client) -> Any:
    return client.get("/api/openapi.json").json


@pytest.mark.parametrize("question", [*SAME.values(), *MORE])
def test_answers_satisfy_their_schema(client: Client, document: Any, question: str) -> None:
    """A real answer is what its schema says, and has no key that the schema does not name."""
    reply = client.get(f"/api/{question}")
    path = document["paths"][f"/api/{question.partition('?')[0]}"]["get"]
    schema = path["responses"][str(reply.status)]["content"]["application/json"]["schema"]
    assert reply.status == 200
    jsonschema.Draft202012Validator({**schema, "components": closed(document["components"])}).validate(reply.json)


@pytest.mark.parametrize("name", EXAMPLES["fleet_plan"])
def test_answers_to_what_is_posted_satisfy_theirs(client: Client, document: Any, name: str) -> None:
    """The examples are questions as the schema has them, and so are their answers."""
    path = document["paths"]["/api/fleet_plan"]["post"]
    asked = path["requestBody"]["content"]["application/json"]
    assert asked["examples"][name]["value"] == EXAMPLES["fleet_plan"][name]
    jsonschema.Draft202012Validator(asked["schema"]).validate(EXAMPLES["fleet_plan"][name])
    reply = client.send("POST", "/api/fleet_plan", json.dumps(EXAMPLES["fleet_plan"][name]).encode())
    schema = path["responses"][str(reply.status)]["content"]["application/json"]["schema"]
    assert (reply.status, "files" in reply.json) == (200, name == "files")
    jsonschema.Draft202012Validator({**schema, "components": closed(document["components"])}).validate(reply.json)


def closed(components: dict[str, Any]) -> dict[str, Any]:
    """The same schemas, of which the objects with named keys take no others."""

    def shut(schema: dict[str, Any]) -> dict[str, Any]:
        return {**schema, "additionalProperties": False} if "properties" in schema else schema

    return {"schemas": {name: shut(schema) for name, schema in components["schemas"].items()}}


@pytest.mark.parametrize("question", ["fit", "fit?modle=x", "model?model=/etc/passwd", "explain?word=nothing-such", "prove?model=qwen3:8b"])
def test_errors_satisfy_theirs(client: Client, document: Any, question: str) -> None:
    """So does every error."""
    reply = client.get(f"/api/{question}")
    assert str(reply.status) in document["paths"][f"/api/{question.partition('?')[0]}"]["get"]["responses"]
    jsonschema.Draft202012Validator(document["components"]["schemas"]["Error"]).validate(reply.json)


def test_every_operation_is_described(document: Any) -> None:
    """All operations, and the one that takes a body; each parameter has a schema and a sentence."""
    assert sorted(document["paths"]) == sorted([*(f"/api/{name}" for name in NAMES), "/api/header"])
    parameters = [one for path in document["paths"].values() for way in path.values() for one in way["parameters"]]
    assert [one["name"] for one in parameters if not one["description"] or not one["schema"]] == []


def test_engines_are_not_started(client: Client) -> None:
    """prove and rehearse are refused, with the way to allow them, unless the server was started for it."""
    for name in ("prove", "rehearse"):
        reply = client.get(f"/api/{name}?model=qwen3:8b")
        assert (reply.status, reply.json["error"]["try"]) == (403, "sizeup serve --allow-run")
