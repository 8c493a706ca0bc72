"""What a rank needs beside weights and cache: the sampler's and the layers' working space, CUDA graphs, what lies outside of PyTorch.

The working space is a sum of tensors that the profiling run makes, and a constant that was fitted; graphs and the rest are fits.
Each says its band (data/vllm.json: how it was calibrated, and what is assumed elsewhere).
"""

from __future__ import annotations

from typing import NamedTuple

from ...facts import data_json
from ...figure import Number, most, round_up, step
from ...layers import Mlp, Moe
from ...model import ModelSpec
from ..serving.shards import VOCABULARY_PADDING
from ..serving.stages import blocks
from ..serving.weights import Rank
from .release import parts, release
from .settings import Settings

GIB = 1 << 30


class Band(NamedTuple):
    """Bytes, and how many more or fewer they may be."""

    bytes: Number
    within_bytes: int

    @property
    def within(self) -> float:
        return self.within_bytes / max(float(self.bytes), 1.0)


@step("sampler_bytes")
def sampler(sequences: Number, vocabulary: Number, logit_bytes: Number) -> Number:
    """Logits of the last token of every sequence with the copies that sampling makes."""
    return sequences * vocabulary * logit_bytes


@step("feed_forward_bytes")
def feed_forward(tokens: Number, values: Number, value_bytes: Number) -> Number:
    """Working values of one layer for a whole batch."""
    return tokens * values * value_bytes


def batch(settings: Settings) -> tuple[int, int]:
    """(tokens of a step, sequences of a step): as said, else the server's defaults for the first card."""
    facts = data_json("vllm.json")
    name, total = (settings.cards[0].name.lower(), settings.cards[0].total_bytes) if settings.cards else ("", 0)
    row = next(row for row in facts["batches"] if total >= row["from_gib"] * GIB and not any(word in name for word in row["except"]))
    return settings.max_num_batched_tokens or row["tokens"], settings.max_num_seqs or row["sequences"]


def calibrated(settings: Settings) -> bool:
    """Whether logs of such a release on such a card were seen."""
    seen = data_json("vllm.json")["peak"]["calibrated"]
    card = settings.cards[0].name if settings.cards else seen["family"]
    return parts(seen["from"]) <= parts(settings.version) < parts(seen["to"]) and card.startswith(seen["family"])


def activation(model: ModelSpec, settings: Settings, rank: Rank, value_bytes: int) -> Band:
    """The working space of the profiling run: the sampler's on the last stage, else that of the widest layer."""
    facts, row = data_json("vllm.json")["peak"], release(settings.version)
    tokens, sequences = batch(settings)
    constant = int(row["peak_constant_gib"] * GIB)
    every = blocks(model)
    feeds = [every[number].feed for number in rank.span(len(every))]
    dense = [feed for feed in feeds if isinstance(feed, Mlp)]
    routed = [feed for feed in feeds if isinstance(feed, Moe)]
    wide = max((int(feed.width) * (3 if feed.gated else 2) for feed in dense), default=0)
    layer = feed_forward(tokens, wide // rank.ranks + 2 * model.hidden, value_bytes) if wide and not routed else 0
    experts = (
        most(*(feed_forward(tokens, feed.used * (2 * feed.width // rank.ranks + model.hidden), value_bytes) for feed in routed))
        if routed
        else 0
    )
    last = 0
    if rank.last:
        padded = round_up(model.vocabulary, VOCABULARY_PADDING)
        last = sampler(sequences, padded, value_bytes + row["logit_bytes"]) + feed_forward(tokens, model.hidden, value_bytes)
    bytes = most(last + experts, layer) + constant
    doubt = facts["within_tower_gib"] if model.towers else facts["within_gib"]
    doubt = max(doubt, facts["within_stage_gib"]) if rank.stages > 1 else doubt
    within = int(doubt * GIB)
    if not calibrated(settings) or settings.max_num_seqs or settings.max_num_batched_tokens:
        within = max(within, int(float(bytes) * facts["elsewhere_share"]))
    return Band(_whole(bytes), within)


def graphs(model: ModelSpec, settings: Settings, rank: Rank) -> Band:
    """CUDA graphs of one rank."""
    if settings.enforce_eager:
        return Band(0, 0)
    facts = data_json("vllm.json")["graphs_gib"]
    every = blocks(model)
    here = [every[number] for number in rank.span(len(every))]
    routed = any(isinstance(block.feed, Moe) for block in here)
    gib = facts["base"] + facts["layer"] * len(here) + (facts["experts"] if routed else 0.0)
    doubt = facts["within_experts_gib"] if routed else facts["within_gib"]
    share = 1 if calibrated(settings) else 2
    return Band(int(gib * GIB), int(min(doubt * share, gib) * GIB))


def outside_torch(settings: Settings) -> Band:
    """Contexts, communication buffers and libraries: what PyTorch does not hold."""
    said, facts = release(settings.version)["non_torch_gib"], data_json("vllm.json")["non_torch"]
    several = int(settings.tensor_parallel) > 1
    gib = said["several"] if several else said["stage"] if int(settings.pipeline_parallel) > 1 else said["one"]
    if calibrated(settings):
        doubt = facts["within_several_gib" if several else "within_gib"]
    else:
        doubt = facts["elsewhere_several_gib" if several else "elsewhere_gib"]
    return Band(int(gib * GIB), int(min(doubt, gib) * GIB))


def _whole(bytes: Number) -> Number:
    return int(bytes) if isinstance(bytes, float) else bytes
