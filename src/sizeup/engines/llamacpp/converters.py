"""What llama.cpp's converter makes of a checkpoint, per architecture: matrices it splits, joins, renames, drops or adds.

Readers name parts as llama.cpp does, so most architectures need nothing here. A rule takes one (name, shape) of a block
or of what stands around the blocks, and yields what is written instead. Source: llama.cpp b11549, conversion/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from sizeup.layers import Attention, Block, Embedding, LatentAttention, Mlp, Moe
from sizeup.model import ModelSpec

Named: TypeAlias = tuple[str, tuple[int, ...]]
Rule: TypeAlias = Callable[[str, tuple[int, ...]], Iterator[Named]]


def drop(*starts: str) -> Rule:
    """Leave out what begins so."""

    def rule(name: str, shape: tuple[int, ...]) -> Iterator[Named]:
        if not name.startswith(starts):
            yield name, shape

    return rule


def rename(old: str, new: str) -> Rule:
    """Another name for the tensor that is called exactly so."""

    def rule(name: str, shape: tuple[int, ...]) -> Iterator[Named]:
        yield new if name == old else name, shape

    return rule


def stand(*starts: str) -> Rule:
    """A side of 1 between the kernel and the channels, as a convolution's checkpoint has it."""

    def rule(name: str, shape: tuple[int, ...]) -> Iterator[Named]:
        yield name, (shape[0], 1, *shape[1:]) if name.startswith(starts) and len(shape) == 2 else shape

    return rule


def flat(name_flat: str) -> Rule:
    """Without its sides of 1."""

    def rule(name: str, shape: tuple[int, ...]) -> Iterator[Named]:
        yield name, tuple(side for side in shape if side != 1) if name == name_flat else shape

    return rule


RULES: dict[str, tuple[Rule, ...]] = {
    "apertus": (drop("ffn_act."),),  # numbers of the activation become metadata
    "bert": (drop("cls."),),
    "deepseek4": (drop("nextn.hc_"),),  # of the drafting block, whose head has none in the engine
    "chatglm": (drop("rotary_pos_emb."),),  # computed by the engine
    "falcon-h1": (rename("ffn_norm.weight", "ffn_norm"),),
    "hy_v3": (rename("exp_probs_b.bias", "exp_probs_b"),),
    "kimi-k3": (
        stand("ssm_conv1d_"),
        flat("ssm_a"),
        # A norm and a score vector become their product.
        drop("attn_res_norm.", "ffn_res_norm.", "output_res_norm."),
        *(rename(f"{name}_res_proj.weight", f"{name}_res_score.weight") for name in ("attn", "ffn", "output")),
        *(rename(f"ffn_latent_{name}.weight", f"ffn_routed_{name}.weight") for name in ("down", "up", "norm")),
    ),
    "kimi-linear": (stand("ssm_conv1d_"),),
    "modern-bert": (drop("cls."),),
    "seed_oss": (rename("ffn_norm.weight", "post_attention_norm.weight"),),
}

JOINED_EXPERTS = {"gemma4"}
"""Architectures whose experts keep gate and up in one tensor; all others have them apart, however the checkpoint stacks them."""

SPLIT_DENSE = {"granite", "granitehybrid", "openelm"}
"""Architectures whose dense part's one matrix for gate and up becomes two; others keep it (Phi-3, GLM-4, ModernBERT)."""

SPLIT_QKV = {"baichuan", "internlm2"}
"""Architectures whose one query/key/value matrix becomes three; others keep it (Phi-3, Falcon, GPT-NeoX, …)."""

HEAD_TWICE = {"falcon"}
"""Architectures whose checkpoints repeat the tied output projection; the converter writes what it finds."""


def unjoined(architecture: str, block: Block) -> Block:
    """The block with its matrices apart where the converter splits what the checkpoint joins."""
    mixers, feed = block.mixers, block.feed
    if architecture in SPLIT_QKV:
        mixers = tuple(replace(part, fused=False) if isinstance(part, Attention) else part for part in mixers)
    if isinstance(feed, Moe):
        dense = replace(feed.dense, fused=False) if feed.dense is not None and architecture in SPLIT_DENSE else feed.dense
        feed = replace(feed, fused=feed.fused and architecture in JOINED_EXPERTS, dense=dense)
    elif isinstance(feed, Mlp) and architecture in SPLIT_DENSE:
        feed = replace(feed, fused=False)
    return replace(block, mixers=mixers, feed=feed)


def written(architecture: str, name: str, shape: tuple[int, ...]) -> tuple[Named, ...]:
    """What the converter writes for one tensor of a checkpoint."""
    found: tuple[Named, ...] = ((name, shape),)
    for rule in RULES.get(architecture, ()):
        found = tuple(new for old in found for new in rule(*old))
    return found


HASHED = {"deepseek4"}
"""Architectures whose routers without a correction bias look tokens up in a table."""


def tables(spec: ModelSpec, block: Block) -> Iterator[Named]:
    """Tables of whole numbers in a block, which are no weights: which experts a token has, where a hash decides."""
    if spec.architecture in HASHED and isinstance(block.feed, Moe) and not block.feed.router_bias:
        yield "ffn_gate_tid2eid.weight", (block.feed.used, spec.vocabulary)


def embedding(spec: ModelSpec) -> Embedding:
    """RoBERTa's positions start behind the padding token's: the rows before are cut off. Gemma 3n's per-layer table is padded to the vocabulary."""
    found = spec.embedding
    if found.per_layer_width and found.per_layer_vocabulary < found.vocabulary:
        return replace(found, per_layer_vocabulary=found.vocabulary)
    if found.positions and spec.model_type in ("roberta", "xlm-roberta", "camembert"):
        padding = spec.hyper.get("pad_token_id", 1)
        return replace(found, positions=found.positions - padding - 1) if isinstance(padding, int) else found
    return found


def added(spec: ModelSpec) -> Iterator[Named]:
    """Tensors that no checkpoint holds: tables of rotary frequencies, computed from the config."""
    rotary = _section(spec.hyper, "rope_parameters") or _section(spec.hyper, "rope_scaling")
    full = _section(rotary, "full_attention") or rotary
    kind = str(full.get("rope_type") or full.get("type") or "").lower()
    if kind == "llama3" or (kind == "proportional" and spec.architecture == "gemma4"):
        yield "rope_freqs.weight", (rotary_dim(spec) // 2,)
    if spec.architecture in ("phi3", "phimoe", "minicpm", "minicpm3"):
        for which in ("long", "short"):
            factors = full.get(f"{which}_factor")
            if isinstance(factors, list) and factors:
                yield f"rope_factors_{which}.weight", (len(factors),)


def _section(table: dict[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def rotary_dim(spec: ModelSpec) -> int:
    """Width of the heads that look at everything: the last such layer's."""
    dims = [
        (part.window > 0, part.key_dim) if isinstance(part, Attention) else (False, part.rope_dim)
        for group in spec.groups
        for part in group.block.mixers
        if isinstance(part, (Attention, LatentAttention))
    ]
    return min(dims, default=(False, 0))[1]
