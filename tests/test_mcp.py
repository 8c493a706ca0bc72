"""Tools for assistants: the package's own client asks the program over its pipes."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

pytest.importorskip("mcp", reason="needs the extra `mcp`")

import mcp

from sizeup.errors import UserError
from sizeup.mcp import called, offered
from sizeup.operations.skins import fields, input_schema
from sizeup.web.world import ServedWorld
from tests.loops import finished
from tests.program import Run


def program(*questions: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The tools that a fresh `sizeup mcp` offers, and what it answers to these questions."""

    async def talk() -> tuple[list[Any], list[Any]]:
        server = mcp.StdioServerParameters(command=sys.executable, args=["-m", "sizeup", "mcp"], env=dict(os.environ))
        async with mcp.Client(server, read_timeout_seconds=60) as client:
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool(name, arguments) for name, arguments in questions]

    return finished(talk())


def test_an_assistant_asks(sizeup: Run) -> None:
    """A tool answers as the command line does; a mistake is an answer with its way out, and no file is read."""
    tools, (plan, mistake, path) = program(
        ("fit", {"model": ["qwen3:8b"], "on": "rtx-4090", "context": 8192}),
        ("fit", {"modle": "qwen3:8b"}),
        ("model", {"model": "/etc/passwd"}),
    )
    assert [tool.name for tool in tools] == list(offered())
    assert plan.structured_content == json.loads(plan.content[0].text)
    assert plan.structured_content == json.loads(sizeup("fit", "qwen3:8b", "--on", "rtx-4090", "--context", "8192", "--json").out)
    assert (mistake.is_error, mistake.content[0].text) == (True, "There is no parameter modle. Try: model")
    assert (path.is_error, path.content[0].text.partition(" Try")[0]) == (
        True,
        "A model is named by its path, and this server reads no files for others.",
    )


def test_tools_take_what_the_table_says() -> None:
    """Every tool has a schema with a sentence for each parameter; nothing that starts an engine is offered."""
    assert not {"prove", "rehearse", "texts"} & set(offered())
    for operation in offered().values():
        schema = input_schema(operation)
        assert [name for name, one in schema["properties"].items() if not one["description"]] == []
        assert set(schema["required"]) <= set(schema["properties"])


def test_values_of_any_kind() -> None:
    """Numbers, truth and lists become the texts that parameters are read from; null is not said."""
    assert fields({"a": 8192, "b": True, "c": ["x", 1], "d": None, "e": 0.5}) == {
        "a": ["8192"],
        "b": ["true"],
        "c": ["x", "1"],
        "e": ["0.5"],
    }


def test_no_such_tool() -> None:
    with pytest.raises(UserError, match="There is no tool fitt"):
        called("fitt", {}, ServedWorld())
