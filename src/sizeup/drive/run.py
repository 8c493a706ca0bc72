"""One prompt to a tool: run there and measured where the tool is here and holds the model, otherwise what to type."""

from __future__ import annotations

import datetime
import os
import socket
from collections.abc import Callable
from pathlib import Path

from sizeup.plan import Measurement, Plan
from sizeup.servers import lmstudio as lmstudio_api
from sizeup.servers import ollama as ollama_api
from sizeup.servers.client import Server
from sizeup.tool_folders import lmstudio_home

from . import lmstudio, ollama, program, transformers
from .hand import Hand, Prompt, Ran, tool


def listens(server: Server) -> bool:
    """Whether anybody does, on this machine."""
    if not server.loopback:
        return False
    try:
        with socket.create_connection((server.host, server.port), timeout=0.5):
            return True
    except OSError:
        return False


def drive(
    plan: Plan,
    name: str,
    asked: str,
    prompt: Prompt,
    *,
    create: str | None = None,
    free_port: Callable[[], int],
    tell: Callable[[float], None] = lambda seconds: None,
) -> Ran | Hand:
    """Run the plan in the tool of this name; `asked` is the model as the person named it. `create` makes it in Ollama under that name first.

    A Hand where the tool is not here or does not hold the model. Raises Unavailable for a server that is not the one meant or too old.
    """
    which = tool(name)
    if which == "ollama":
        server = ollama_api.address(os.environ)
        if not listens(server):
            return ollama.hand(plan)
        ollama_api.version(server)
        tag = ollama.held(server, asked)
        if create is not None:
            ollama.create(server, plan, create, tag)
            tag = ollama.held(server, create)
        return ollama.run(server, plan, tag, prompt) if tag is not None else ollama.hand(plan)
    if which == "lmstudio":
        server = lmstudio_api.address(lmstudio_home(Path.home()))
        key = lmstudio.listed(server, asked) if listens(server) else None
        return lmstudio.run(server, plan, key, prompt) if key is not None else lmstudio.hand(plan)
    if which == "transformers":
        return transformers.run(plan, prompt) if transformers.installed() and transformers.here(plan) else program.hand(plan, which)
    if program.installed(which) is None:
        return program.hand(plan, which)
    return program.run(plan, which, free_port(), prompt, tell)


def measured(plan: Plan, ran: Ran) -> Measurement:
    """What a tool did as a measurement of the plan. Buffers are none of what these tools tell; Ollama tells their sum."""
    return Measurement(
        level="measured",
        engine=ran.engine,
        model=plan.model.name,
        settings=plan.settings_json(),
        buffers={},
        quant=plan.quant,
        peak_resident_bytes=ran.bytes,
        expected_resident_bytes=sum(plan.breakdown.as_reported().values()) if ran.bytes is not None else None,
        prompt_tokens=ran.prompt_tokens,
        prefill_tokens_per_s=ran.prefill_tokens_per_s,
        decode_tokens_per_s=ran.decode_tokens_per_s,
        load_s=ran.load_s,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=plan.machine.name,
    )
