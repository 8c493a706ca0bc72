"""vLLM's and SGLang's logs beside their accounting: weights of every rank, and the pool to the block and the printed digit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from sizeup.engine import Engine
from sizeup.engines import engine as find_engine
from sizeup.engines.serving.cards import Card
from sizeup.facts import data_json
from sizeup.figure import plain
from sizeup.hardware import Machine
from sizeup.logs import Reading
from sizeup.memory import make_settings
from sizeup.model import ModelSpec
from sizeup.plan import Breakdown, Claim, ServingBreakdown

ENGINES = ("vllm", "sglang")
COMPARED = ("weights", "cache", "state")
"""What follows from the model and the log alone."""
ONLINE = ("fp8", "bitsandbytes")
"""Formats that a server makes of a plain checkpoint; others are stored so."""
BESIDE = ("activations", "compute", "overhead")
"""Working space, CUDA graphs and what lies outside of PyTorch: fits by release and card, so both must be known."""


class Counted(NamedTuple):
    """A count that the server prints."""

    name: str
    logged: float
    predicted: float


def facts_version(engine: str) -> str:
    """The release that an engine's facts were read of."""
    return str(data_json(f"{engine}.json")["read"])


def predicted(spec: ModelSpec, reading: Reading, on: Machine | None = None) -> tuple[Breakdown, tuple[Counted, ...]]:
    """What the log tells of memory, accounted for its settings; `on` is the machine, where the log does not show its cards.

    Raises SizeupError as the engine's accounting does.
    """
    engine = find_engine(reading.engine)
    settings = make_settings(engine.Settings, engine.name, asked(reading, engine))
    online = reading.settings.get("quantization")
    quant = online if online in ONLINE else None
    breakdown = engine.account(spec, quant, settings)
    claims = tuple(claim for claim in breakdown.claims if claim.part in COMPARED)
    if reading.engine == "vllm" and isinstance(breakdown, ServingBreakdown) and breakdown.pool is not None:
        # What is left of the memory holds whole blocks only.
        share = float(plain(breakdown.pool.block_bytes))
        claims = tuple(replace(c, within=share / max(float(plain(c.bytes)), share)) if c.part == "cache" else c for c in claims)
    return Breakdown((*claims, *_beside(spec, quant, reading, engine, settings, on))), tuple(_counts(reading, breakdown))


def _beside(spec: ModelSpec, quant: str | None, reading: Reading, engine: Engine, settings: Any, on: Machine | None) -> tuple[Claim, ...]:
    """What vLLM's ranks take beside weights and cache; nothing where the log does not tell its release, or nobody the card."""
    if reading.engine != "vllm" or not reading.version:
        return ()
    # The pool is as the log has it, so that memory in use by others does not matter.
    seen = tuple(card._replace(free_bytes=card.total_bytes) for card in _cards(reading, engine, on))
    if len(seen) < settings.ranks:
        return ()
    found = engine.account(spec, quant, replace(settings, cards=seen))
    return tuple(claim for claim in found.claims if claim.part in BESIDE)


def _cards(reading: Reading, engine: Engine, on: Machine | None) -> tuple[Card, ...]:
    """The cards of the machine that is named, else as the log names them; how much they have decides what a step may hold."""
    if on is not None:
        return tuple(engine.on(engine.Settings(), on, ()).cards)
    return tuple(
        Card(one.name.removeprefix("NVIDIA "), f"vram:{number}", "cuda", "", one.total_bytes, one.total_bytes, False)
        for number, one in enumerate(reading.cards)
        if one.total_bytes
    )


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
        elif said.get("kv_cache_bytes") or cache:
            given["kv_cache_bytes"] = said.get("kv_cache_bytes") or min(cache)
        for name in ("max_num_seqs", "max_num_batched_tokens", "block_size", "enforce_eager"):
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
