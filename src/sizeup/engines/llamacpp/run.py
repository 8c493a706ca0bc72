"""Run a real model on the embedded llama.cpp in a child process, and measure what it took."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

from ...errors import NotFound, Unavailable
from ...figure import plain
from ...plan import Level, Measurement, Plan
from ..children import events
from .engine import LlamaCpp
from .library import installed_version
from .slots import slots

PRINTED_BYTES = 0.005 * 2**20 + 0.5
"""Half of the last decimal in which the engine prints MiB, as whole bytes are compared."""


def run(
    plan: Plan,
    prompt: str,
    *,
    max_tokens: int = 128,
    temperature: float = 0.0,
    seed: int = 1,
    raw: bool = False,
    on_text: Callable[[str], None] | None = None,
    on_event: Callable[[str, dict[str, Any]], None] | None = None,
) -> Measurement:
    """Load the plan's model file, answer `prompt`, and return what the engine allocated and how fast it was.

    `raw` leaves the chat template out; `on_text` gets the answer piece by piece. Raises NotFound without a model file,
    Unavailable without the engine, EngineFailed with the log's last lines when it fails or aborts.
    """
    if not plan.model.path or plan.model.stored != "gguf":
        id = plan.model.card.get("id") or plan.model.name
        raise NotFound(f"There are no weights of {plan.model.name} here to run.", f"sizeup pull {id}, then sizeup run FILE.gguf")

    def heard(kind: str, event: dict[str, Any]) -> None:
        if kind == "text" and on_text is not None:
            on_text(event["text"])
        if on_event is not None:
            on_event(kind, event)

    asked = {"prompt": prompt, "max_tokens": max_tokens, "temperature": temperature, "seed": seed, "raw": raw}
    ready, done = conduct({**job(plan), **asked}, heard)
    return dataclasses.replace(
        measurement(plan, "measured", ready, done),
        expected_resident_bytes=expected_resident(plan, done.get("prompt_tokens", 0)),
        prompt_tokens=done.get("prompt_tokens", 0),
        prefill_tokens_per_s=done.get("prefill_tokens_per_s"),
        decode_tokens_per_s=done.get("decode_tokens_per_s"),
    )


def conduct(job: dict[str, Any], heard: Callable[[str, dict[str, Any]], None] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let a child do a job: what it said when its context was ready, and when it was done. `heard` gets every event as it comes.

    Raises Unavailable without an engine whose layouts are known, EngineFailed with its reason and the log's last lines.
    """
    installed_version()
    said: dict[str, dict[str, Any]] = {"ready": {}, "done": {}}
    for kind, event in events("sizeup.engines.llamacpp.child", job):
        if kind in said:
            said[kind] = event
        if heard is not None:
            heard(kind, event)
    return said["ready"], said["done"]


def measurement(plan: Plan, level: Level, ready: dict[str, Any], done: dict[str, Any], planned: bool = False) -> Measurement:
    """What the engine reported beside what `plan` says, part by part; the figures of a pace are the caller's to add.

    The output buffer is told in MiB with two decimals: a prediction that rounds to it is taken for it.
    """
    found, predicted = parts(ready["buffers"], planned), plan.breakdown.as_reported()
    if abs(found["output"] - predicted.get("output", 0)) <= PRINTED_BYTES:
        found["output"] = predicted.get("output", 0)
    marks = list(done["resident"].values())
    return Measurement(
        level=level,
        engine=f"llama.cpp (xllamacpp {ready['version']})",
        model=plan.model.name,
        settings=plan.settings_json(),
        buffers=found,
        difference_bytes={part: found[part] - predicted.get(part, 0) for part in found},
        quant=plan.quant,
        resident_bytes=marks[-1].get("total"),
        peak_resident_bytes=marks[-1].get("peak"),
        load_s=done["load_s"],
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=plan.machine.name,
    )


def expected_resident(plan: Plan, prompt_tokens: int) -> int:
    """Host bytes of the process after a prompt of so many tokens.

    The compute buffer is reserved for a whole micro-batch; memory that a shorter prompt never touches is never resident.
    """
    most = plan.settings.micro_batch_tokens
    touched = LlamaCpp().account(
        plan.model, plan.quant, dataclasses.replace(plan.settings, micro_batch_tokens=max(1, min(prompt_tokens, most)))
    )
    return int(plain(plan.breakdown.bytes(pool="ram") - plan.breakdown.bytes("compute", "ram") + touched.bytes("compute", "ram")))


def parts(buffers: dict[str, Any], planned: bool = False) -> dict[str, int]:
    """Bytes per part of a breakdown from what the engine reported. Cache and state are one number there: both are "cache".

    Exact figures must agree with the engine's own printed ones; otherwise the printed ones (MiB, two decimals) are used.
    A planner that allocates nothing (`planned`) prints zeros but for compute and output: it has exact figures or none.
    """
    printed = buffers["printed_mib"]

    def sum_printed(kind: str, repacked: bool | None = None) -> float:
        return sum(
            float(mib)
            for name, mib in printed.items()
            if name.endswith(f" {kind}") and (repacked is None or ("REPACK" in name) == repacked)
        )

    rounded = {
        "weights": sum_printed("model", False),
        "repacked": sum_printed("model", True),
        "cache": sum_printed("KV") + sum_printed("RS"),
        "compute": sum_printed("compute"),
        "output": sum_printed("output"),
    }
    found = {part: round(mib * 2**20) for part, mib in rounded.items()}
    if buffers["exact"] is not None:
        exact = dict.fromkeys(("weights", "repacked", "cache", "compute"), 0)
        for name, (model, context, compute) in buffers["exact"].items():
            exact["repacked" if "REPACK" in name else "weights"] += model
            exact["cache"] += context
            exact["compute"] += compute
        # Each printed line is rounded to 0.01 MiB; a few lines add up.
        for part, value in exact.items():
            agrees = abs(value - found[part]) <= PRINTED_BYTES * max(1, len(printed))
            if agrees or (planned and part != "compute" and value > found[part]):
                found[part] = value
            elif planned:
                raise Unavailable(f"The engine's figures for {part} disagree with each other: nothing is proved.", "sizeup fit MODEL")
    elif planned:
        raise Unavailable("This build of the engine does not tell what it plans to the byte.", "sizeup fit MODEL for the prediction")
    return found


def job(plan: Plan) -> dict[str, Any]:
    """What a child process must know of a plan; the rest of a job says what to do with it."""
    settings = plan.settings
    cpu = plan.machine.cpu
    asked = slots(plan.model, settings)
    return {
        "paths": [plan.model.path],
        "threads": max(1, min(cpu.cores, int(cpu.usable + 0.5)) if cpu else 1),
        "settings": {
            "gpu_layers": -1 if settings.gpu_layers == "all" else settings.gpu_layers,
            "mmap": settings.mmap,
            "repack": settings.repack,
            "context_tokens": settings.context_tokens,
            "batch_tokens": settings.batch_tokens,
            "micro_batch_tokens": settings.micro_batch_tokens,
            "sequences": settings.sequences,
            "unified_cache": settings.unified_cache,
            "swa_full": settings.swa_full,
            "k": settings.k,
            "v": settings.v,
            "embeddings": settings.embeddings,
            "flash_attention": settings.flash_attention if isinstance(settings.flash_attention, bool) else None,
            "output_rows": 0 if settings.outputs == "library" else asked.output_rows,
        },
    }
