"""vLLM's and SGLang's logs beside their accounting: weights of every rank, and the pool to the block and the printed digit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from sizeup.engine import Engine
from sizeup.engines import engine as find_engine
from sizeup.facts import data_json
from sizeup.figure import plain
from sizeup.logs import Reading
from sizeup.memory import make_settings
from sizeup.model import ModelSpec
from sizeup.plan import Breakdown, ServingBreakdown

ENGINES = ("vllm", "sglang")
COMPARED = ("weights", "cache", "state")
"""What follows from the model and the log alone; working space needs to know the card, and graphs are a fit."""


class Counted(NamedTuple):
    """A count that the server prints."""

    name: str
    logged: float
    predicted: float


def facts_version(engine: str) -> str:
    """The release that an engine's facts were read of."""
    return str(data_json(f"{engine}.json")["read"])


def predicted(spec: ModelSpec, reading: Reading) -> tuple[Breakdown, tuple[Counted, ...]]:
    """What the log tells of memory, accounted for its settings. Raises SizeupError as the engine's accounting does."""
    engine = find_engine(reading.engine)
    breakdown = engine.account(spec, None, make_settings(engine.Settings, engine.name, asked(reading, engine)))
    claims = tuple(claim for claim in breakdown.claims if claim.part in COMPARED)
    if reading.engine == "vllm" and isinstance(breakdown, ServingBreakdown) and breakdown.pool is not None:
        # What is left of the memory holds whole blocks only.
        share = float(plain(breakdown.pool.block_bytes))
        claims = tuple(replace(c, within=share / max(float(plain(c.bytes)), share)) if c.part == "cache" else c for c in claims)
    return Breakdown(claims), tuple(_counts(reading, breakdown))


def asked(reading: Reading, engine: Engine) -> dict[str, Any]:
    """Settings of the engine for what a log says."""
    said, facts = reading.settings, reading.facts
    length = said.get("max_model_len")
    cache = [b.bytes for b in reading.buffers if b.part == "cache" and b.bytes]
    given: dict[str, Any] = {name: said[name] for name in ("tensor_parallel", "pipeline_parallel", "dtype") if said.get(name)}
    if said.get("kv_dtype"):
        given["kv_cache_dtype"] = said["kv_dtype"]
    if reading.engine == "vllm":
        if length:
            given |= {"max_model_len": length, "context_tokens": length}
        if facts.get("kv_cache_blocks"):
            given["num_blocks"] = facts["kv_cache_blocks"]
        elif cache:
            given["kv_cache_bytes"] = min(cache)
        for name in ("max_num_seqs", "max_num_batched_tokens", "block_size"):
            if said.get(name):
                given[name] = said[name]
        if found := re.match(r"\d+\.\d+(?:\.\d+)?", reading.version or ""):
            given["engine_version"] = found[0]
    else:
        tokens = facts.get("kv_cache_tokens")
        if tokens:
            # Whatever one request may have: the pool is what is compared.
            given |= {"max_total_tokens": tokens, "context_tokens": min(length or tokens, tokens)}
        if said.get("page_size"):
            given["page_size"] = said["page_size"]
    return given


def _counts(reading: Reading, breakdown: Breakdown) -> list[Counted]:
    pool = breakdown.pool if isinstance(breakdown, ServingBreakdown) else None
    if pool is None or reading.engine != "vllm":
        return []
    facts = reading.facts
    found = []
    if facts.get("kv_cache_tokens"):
        found.append(Counted("kv_cache_tokens", facts["kv_cache_tokens"], pool.printed_tokens))
    if facts.get("max_concurrency"):
        found.append(Counted("max_concurrency", facts["max_concurrency"], round(float(pool.max_concurrency), 2)))
    return found
