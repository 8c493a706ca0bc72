"""LM Studio with a plan's settings: by its REST API v1 (0.4 and later), as arguments of `lms load`, or as a preset.

Shapes: its documentation, "Load a model" of REST API v1 (LM Studio 0.4), `lms load --help` of 0.3, presets as 0.3 writes them.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from sizeup.errors import Unavailable
from sizeup.figure import plain
from sizeup.plan import Plan
from sizeup.servers import lmstudio as api
from sizeup.servers.client import Server
from sizeup.servers.openai import chat

from .hand import Hand, Prompt, Ran


def share(plan: Plan) -> float:
    """The share of layers on devices, as LM Studio counts it."""
    layers = plain(plan.settings.gpu_layers)
    return 1.0 if layers == "all" else min(1.0, int(layers) / (plan.model.layers + 1))


def each(plan: Plan) -> int:
    """Tokens of context of one sequence."""
    return int(plain(plan.settings.context_tokens)) // (1 if plan.settings.unified_cache else plan.settings.sequences)


def load_line(plan: Plan, key: str) -> str:
    """`lms load` with the plan's context and share of layers; the rest is only in a preset."""
    part = share(plan)
    gpu = "off" if part == 0 else "max" if part == 1 else f"{part:.3f}"
    return shlex.join(["lms", "load", key, "--context-length", str(each(plan)), "--gpu", gpu])


def preset(plan: Plan) -> str:
    """A preset's load settings."""
    settings = plan.settings
    fields: list[dict[str, Any]] = [
        {"key": "llm.load.contextLength", "value": each(plan)},
        {"key": "llm.load.llama.acceleration.offloadRatio", "value": share(plan)},
        {"key": "llm.load.llama.evalBatchSize", "value": int(plain(settings.batch_tokens))},
        {"key": "llm.load.llama.flashAttention", "value": settings.flash_attention is not False},
        {"key": "llm.load.llama.tryMmap", "value": bool(settings.mmap)},
    ]
    for letter in ("k", "v"):
        kind = getattr(settings, letter)
        if kind != "f16":
            fields.append({"key": f"llm.load.llama.{letter}CacheQuantizationType", "value": {"checked": True, "value": kind}})
    name = f"sizeup {plan.model.name.split('/')[-1]}"
    content = {"identifier": f"@local:{name.replace(' ', '-').lower()}", "name": name, "changed": False, "operation": {"fields": []}}
    return json.dumps({**content, "load": {"fields": fields}}, indent=2) + "\n"


def hand(plan: Plan, key: str | None = None) -> Hand:
    """The import, the load and the preset."""
    first = [shlex.join(["lms", "import", plan.model.path])] if plan.model.path and key is None else []
    name = key or plan.model.name.split("/")[-1]
    return Hand("lmstudio", (*first, load_line(plan, name)), {"sizeup.preset.json": preset(plan)})


def listed(server: Server, name: str) -> str | None:
    """The key by which LM Studio lists a model of this name; None when it lists none."""
    known = [row.id for row in api.models(server)]
    lower = name.lower().removesuffix(".gguf")
    return next((id for id in known if id.lower() == lower), None) or next((id for id in known if id.lower().split("/")[-1] in lower), None)


def run(server: Server, plan: Plan, key: str, prompt: Prompt) -> Ran:
    """Load a model with the plan's settings, answer a prompt, and unload it. Raises Unavailable for an LM Studio that cannot be told them."""
    settings = plan.settings
    body = {
        "model": key,
        "context_length": each(plan),
        "eval_batch_size": int(plain(settings.batch_tokens)),
        "flash_attention": settings.flash_attention is not False,
        "offload_kv_cache_to_gpu": bool(settings.kv_offload),
    }
    try:
        loaded = server.ask("/api/v1/models/load", body, seconds=600.0)
    except Unavailable as error:
        if "/api/v1/models/load is not" in error.message:
            raise Unavailable(
                "This LM Studio is too old to be told how to load a model by its API (0.4 can).", load_line(plan, key)
            ) from None
        raise
    if not isinstance(loaded, dict) or not isinstance(loaded.get("instance_id"), str):
        raise server.not_meant("/api/v1/models/load")
    try:
        said = [{"role": "user", "content": prompt.text}]
        found = chat(
            server,
            loaded["instance_id"],
            said,
            prompt.on_text,
            max_tokens=prompt.max_tokens,
            temperature=prompt.temperature,
            seed=prompt.seed,
        )
    finally:
        server.ask("/api/v1/models/unload", {"instance_id": loaded["instance_id"]}, seconds=30.0)
    load = loaded.get("load_time_seconds")
    return Ran(
        "LM Studio",
        found.prompt_tokens or 0,
        found.new_tokens,
        found.prefill_tokens_per_s,
        found.decode_tokens_per_s,
        found.timed_by,
        float(load) if isinstance(load, int | float) else None,
    )
