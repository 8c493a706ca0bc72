"""A rehearsal in the child: how fast an open context computes, once or at several points, and what it holds and burns."""

from __future__ import annotations

import array
import random
import time
from typing import Any

from ...probe.energy import Meter
from .library import Library
from .pace import Pace
from .points import Points
from .reports import Peaks, emit
from .sequences import Sequences


def rehearse(lib: Library, context: int, settings: dict[str, Any], asked: dict[str, Any], peaks: Peaks) -> dict[str, Any]:
    """Rates, cores used and energy; the vocabulary's size is all that is needed of a tokenizer."""
    meter, draw = Meter(), random.Random(1)
    inside = Sequences(lib, context, settings, lambda count: array.array("i", (draw.randrange(asked["vocabulary"]) for _ in range(count))))
    used, start = time.process_time(), time.perf_counter()
    if asked.get("depths"):
        rows = Points(inside, asked, meter, emit, peaks.look).run()
        found: dict[str, Any] = {"points": rows, **_first(rows)}
    else:
        memory = lib.llama_get_memory(context)
        pace = Pace(
            lambda tokens: _decode(lib, context, tokens),
            lambda: lib.llama_memory_clear(memory, False) if memory else None,
            asked["vocabulary"],
            settings["batch_tokens"],
            meter,
        )
        found = pace.run(asked["prompt_tokens"], asked["decode_tokens"], asked["seconds"], lambda so_far: emit("pace", **so_far))
    cores = (time.process_time() - used) / (time.perf_counter() - start)
    return {**found, "cores_used": cores, "energy_note": meter.note, "energy_counters": list(meter.names)}


def _first(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The shallowest point's figures, as of a rehearsal at one point."""
    names = {"tokens_per_s": None, "spread": 0.0, "joules_per_1000_tokens": None}
    found = {f"{task}_{name}": rows[0].get(f"{task}_{name}", nothing) for task in ("prefill", "decode") for name, nothing in names.items()}
    return {**found, "repeats": rows[0].get("decode_repeats", 0)}


def _decode(lib: Library, context: int, tokens: array.array[int]) -> None:
    address, count = tokens.buffer_info()
    code = lib.llama_decode(context, lib.llama_batch_get_one(address, count))
    if code:
        raise RuntimeError("the context is full" if code == 1 else f"the engine could not decode (code {code})")
