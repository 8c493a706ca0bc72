"""`sizeup mcp`: the table of operations as tools for assistants, over standard input and output (Model Context Protocol).

Needs the extra `mcp`. Reads no files and starts nothing, unless it was started for that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from sizeup import __version__
from sizeup.errors import SizeupError, UserError, close_names
from sizeup.i18n import texts
from sizeup.operations import operations
from sizeup.operations.operation import Operation, ask
from sizeup.operations.skins import fields, input_schema, question
from sizeup.operations.world import World
from sizeup.web.world import ServedWorld

INSTRUCTIONS = (
    "sizeup tells whether a language model fits a machine, how fast it runs there and with which settings, before anything is downloaded. "
    "Bytes are exact unless `within` says otherwise; speeds are 80 % intervals; null is unknown. “Does not fit” is an answer."
)
MOST_S = 120.0
"""Seconds that a search may take which could go on for ever."""


def offered() -> dict[str, Operation]:
    """The tools by their names."""
    return {one.name: one for one in operations() if one.tool}


def called(name: str, arguments: Mapping[str, Any], world: World) -> Any:
    """The answer of a tool as JSON. Raises SizeupError."""
    known = offered()
    if name not in known:
        raise UserError(f"There is no tool {name[:80]}.", ", ".join(close_names(name, known) or known))
    given = fields(arguments)
    asked = question(known[name], given)
    language = (given.get("lang") or ["en"])[0]
    return known[name].answer(ask(world, language, asked.units, asked.why, time.monotonic() + MOST_S), asked.values).to_json()


def serve(allow_files: bool = False) -> None:
    """Answer until standard input ends."""
    import anyio
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    world = ServedWorld(allow_files)

    async def tools(context: Any, page: Any) -> Any:
        t = texts("en")
        return types.ListToolsResult(
            tools=[
                types.Tool(name=name, description=t(f"verb.{one.verb}"), input_schema=input_schema(one)) for name, one in offered().items()
            ]
        )

    async def call(context: Any, wanted: Any) -> Any:
        try:
            content = await anyio.to_thread.run_sync(called, wanted.name, wanted.arguments or {}, world)
        except SizeupError as error:
            words = error.message + (f" Try: {error.hint}" if error.hint else "")
            return types.CallToolResult(content=[types.TextContent(type="text", text=words)], is_error=True)
        # Through JSON once, so that what is structured is what the text says.
        text = json.dumps(content, ensure_ascii=False)
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=json.loads(text))

    server: Any = Server("sizeup", version=__version__, instructions=INSTRUCTIONS, on_list_tools=tools, on_call_tool=call)

    async def run() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(run)
