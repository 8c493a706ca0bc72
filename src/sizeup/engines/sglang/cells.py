"""What one token takes in SGLang's pool, and one request's state.

Source: SGLang 0.5.23, srt/model_executor/pool_configurator.py (DefaultPoolConfigurator, HybridSWAPoolConfigurator),
srt/mem_cache/kv_cache_configurator.py (_handle_max_mamba_cache).
"""

from __future__ import annotations

from typing import NamedTuple

from ...facts import data_json
from ...figure import Number, plain, step, total
from ...model import ModelSpec
from ..serving.pages import Kept, kept_layers, state_page
from ..serving.stages import blocks


class Cell(NamedTuple):
    """Bytes a token on one rank: layers that see everything, and windowed ones with a pool of their own."""

    full: Number
    sliding: Number
    window: int


@step("token_cell")
def token_bytes(found: list[Kept], span: range) -> Number:
    """Bytes of one token in all these layers of a rank."""
    alike: dict[tuple[object, ...], list[Kept]] = {}
    for entry in found:
        if entry.layer in span:
            alike.setdefault(entry.key, []).append(entry)
    return total(len(same) * same[0].page_bytes for same in alike.values())


def layers(model: ModelSpec, ranks: int, value_bytes: int, usual_bytes: int, fp8: bool) -> list[Kept]:
    """The cache of every layer that keeps tokens, a token at a time."""
    return [entry for entry in kept_layers(model, ranks, value_bytes, 1, usual_bytes, fp8) if entry.kind != "state"]


def cell(model: ModelSpec, found: list[Kept], span: range) -> Cell:
    """What a token takes on the rank with these layers."""
    tokens = [_alone(entry) for entry in found]
    apart = model.model_type in data_json("sglang.json")["sliding"]
    windowed = [entry for entry in tokens if entry.window and apart]
    full = [entry for entry in tokens if not (entry.window and apart)]
    return Cell(token_bytes(full, span), token_bytes(windowed, span), max((entry.window for entry in windowed), default=0))


def _alone(entry: Kept) -> Kept:
    """The layer with pages of one token, whatever a model's states make of its blocks."""
    from dataclasses import replace

    count = int(plain(entry.block_tokens))
    return entry if count == 1 else replace(entry, page_bytes=entry.page_bytes // count, block_tokens=1)


def request_state(model: ModelSpec, ranks: int, usual_bytes: int, span: range) -> Number:
    """Bytes of one request's recurrent states on the rank with these layers."""
    every = blocks(model)
    kept = data_json("sglang.json")["state_value_bytes"]
    parts = [part for number in span for part in every[number].mixers if plain(part.state_values())]
    return total(state_page(model, part, ranks, usual_bytes, kept) for part in parts)
