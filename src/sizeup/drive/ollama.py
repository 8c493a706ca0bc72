"""Ollama with a plan's settings, by its API: options of a request, or a model created with them. Shapes: docs/api.md of v0.12."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable
from sizeup.figure import plain
from sizeup.plan import Plan
from sizeup.servers import ollama as api
from sizeup.servers.client import Server

from .hand import Hand, Prompt, Ran

CREATE_SINCE = (0, 5, 5)
"""Before that, create took the text of a Modelfile."""


def options(plan: Plan) -> dict[str, Any]:
    """The plan's settings as Ollama's parameters. Its context is of one sequence; the type of the cache is the server's own matter."""
    settings, cpu = plan.settings, plan.machine.cpu
    layers = plain(settings.gpu_layers)
    found: dict[str, Any] = {
        "num_ctx": int(plain(settings.context_tokens)) // (1 if settings.unified_cache else settings.sequences),
        "num_gpu": plan.model.layers + 1 if layers == "all" else int(layers),
        "num_batch": int(plain(settings.batch_tokens)),
        "use_mmap": bool(settings.mmap),
    }
    if cpu is not None:
        found["num_thread"] = max(1, min(cpu.cores, int(cpu.usable + 0.5)))
    return found


def environment(plan: Plan) -> dict[str, str]:
    """What only the server can be told, before it starts."""
    settings, found = plan.settings, {}
    if settings.sequences > 1:
        found["OLLAMA_NUM_PARALLEL"] = str(settings.sequences)
    if settings.k != "f16":
        found |= {"OLLAMA_FLASH_ATTENTION": "1", "OLLAMA_KV_CACHE_TYPE": settings.k}
    elif settings.flash_attention is True:
        found["OLLAMA_FLASH_ATTENTION"] = "1"
    return found


def own_name(plan: Plan) -> str:
    """What a model made of this plan is called."""
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in plan.model.name.split("/")[-1].lower())
    return f"{stem.strip('-.') or 'model'}-sizeup"


def modelfile(plan: Plan, source: str | None = None) -> str:
    """A Modelfile with the plan's parameters, from a file or a tag."""
    said = options(plan)
    lines = [f"FROM {source or plan.model.path or plan.model.name}"]
    lines += [f"PARAMETER {name} {str(value).lower() if isinstance(value, bool) else value}" for name, value in said.items()]
    return "\n".join(lines) + "\n"


def hand(plan: Plan, source: str | None = None) -> Hand:
    """The Modelfile and the two commands; settings of the server first."""
    said = environment(plan)
    set_first = [" ".join([*(f"{name}={value}" for name, value in said.items()), "ollama serve"])] if said else []
    name = own_name(plan)
    return Hand("ollama", (*set_first, f"ollama create {name} -f Modelfile", f"ollama run {name}"), {"Modelfile": modelfile(plan, source)})


def held(server: Server, name: str) -> str | None:
    """The tag of this name that Ollama holds; `latest` where none is said. None when it holds none."""
    known, plain_name = api.tags(server), name.removeprefix("ollama:")
    return next((one for one in (plain_name, f"{plain_name}:latest") if one in known), None)


def run(server: Server, plan: Plan, tag: str, prompt: Prompt) -> Ran:
    """Answer a prompt with the plan's options, tell what Ollama took, and have it let go of the model."""
    version = ".".join(map(str, api.version(server)))
    asked = {"temperature": prompt.temperature, "seed": prompt.seed, "num_predict": prompt.max_tokens, **options(plan)}
    body = {"model": tag, "messages": [{"role": "user", "content": prompt.text}], "options": asked, "stream": True}
    last: dict[str, Any] = {}
    before = {one.name for one in api.loaded(server)}
    try:
        for line in server.lines("/api/chat", body):
            if not line:
                continue
            last = _piece(server, line)
            text = (last.get("message") or {}).get("content") or (last.get("message") or {}).get("thinking") or ""
            if text:
                prompt.on_text(text)
        if not last.get("done"):
            raise Unavailable(f"{server.base} breaks off in the middle of an answer.", "its log")
        taken = next((one.bytes for one in api.loaded(server) if one.name == tag), None)
    finally:
        # What somebody else had loaded is theirs to let go of.
        if tag not in before:
            unload(server, tag)
    return Ran(
        f"Ollama {version}",
        _count(last, "prompt_eval_count"),
        _count(last, "eval_count"),
        _per_s(last, "prompt_eval"),
        _per_s(last, "eval"),
        "server",
        _count(last, "load_duration") / 1e9 if last.get("load_duration") else None,
        taken,
    )


def unload(server: Server, tag: str) -> None:
    """Have Ollama let go of a model; one that is gone by itself is none of our business."""
    with contextlib.suppress(Unavailable):
        server.ask("/api/generate", {"model": tag, "keep_alive": 0}, seconds=10.0)


def create(server: Server, plan: Plan, name: str, source: str | None = None) -> None:
    """Make a model with the plan's parameters of a tag that it holds, or of the plan's file, which Ollama then copies into its store."""
    api.at_least(server, CREATE_SINCE, "a model made by its API")
    body: dict[str, Any] = {"model": name, "parameters": options(plan)}
    if source is not None:
        body["from"] = source
    else:
        assert plan.model.path is not None
        path = Path(plan.model.path)
        with path.open("rb") as file:
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        server.send(f"/api/blobs/{digest}", path)
        body["files"] = {path.name: digest}
    status = ""
    for line in server.lines("/api/create", body):
        if line:
            status = str(_piece(server, line).get("status"))
    if status != "success":
        raise Unavailable(f"Ollama did not make {name}: it ended with “{status}”.", "its log")


def remove(server: Server, name: str) -> None:
    """Delete a model that `create` made."""
    server.ask("/api/delete", {"model": name}, "DELETE", empty=True)


def _piece(server: Server, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise server.not_meant("/api/chat")
    if found.get("error"):
        raise Unavailable(f"{server.base} breaks off: {str(found['error'])[:300].rstrip('.')}.", "its log")
    return found


def _count(row: dict[str, Any], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else 0


def _per_s(row: dict[str, Any], name: str) -> float | None:
    count, nanoseconds = _count(row, f"{name}_count"), _count(row, f"{name}_duration")
    return count / nanoseconds * 1e9 if count and nanoseconds else None
