"""One block of a GGUF model: which layer kinds its tensors and hyper-parameters make. Tensors say what there is,
hyper-parameters say how wide it is meant, and what no layer kind claims is kept as extras."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..layers import (
    Attention,
    Block,
    Extras,
    GatedDeltaNet,
    Indexer,
    KimiDelta,
    LatentAttention,
    Mamba1,
    Mamba2,
    Mlp,
    Moe,
    Part,
    Rwkv7,
    ShortConv,
    count,
)
from .gguf_hyper import Hyper

Shapes = dict[str, tuple[int, ...]]
"""Short tensor name (`attn_q.weight`) -> shape, of one block."""


class BlockRules(NamedTuple):
    """What the architecture decides about one layer, beside its tensors."""

    window: int
    chunked: bool
    caches: bool
    parallel: bool


def block_from(shapes: Shapes, hyper: Hyper, layer: int, hidden: int, rules: BlockRules) -> Block:
    """The block these tensors make. Everything stored is accounted: what no part claims goes to the extras."""
    mixers = tuple(
        part for part in (_recurrent(shapes, hyper, layer, hidden), _attention(shapes, hyper, layer, hidden, rules)) if part is not None
    )
    feed = _feed(shapes, hyper, layer, hidden)
    claimed: dict[str, tuple[int, ...]] = {}
    for part in (*mixers, *((feed,) if feed is not None else ())):
        claimed.update(part.stored(hidden))
    rest = tuple((name, shape) for name, shape in shapes.items() if _size(shape) != _size(claimed.get(name, (0,))))
    return Block(mixers, feed, Extras(rest), rules.parallel)


def unclaimed(block: Block, shapes: Shapes, hidden: int) -> list[str]:
    """Names that the block's parts count but the file does not store so, or that only the extras hold though they are matrices."""
    claimed = {name: shape for part in (*block.mixers, *((block.feed,) if block.feed else ())) for name, shape in part.stored(hidden)}
    return [name for name, shape in claimed.items() if _size(shape) != _size(shapes.get(name, (0,)))]


def _size(shape: tuple[Any, ...]) -> int:
    return int(count(iter([("", shape)])))


def _attention(shapes: Shapes, hyper: Hyper, layer: int, hidden: int, rules: BlockRules) -> Part | None:
    if "attn_kv_a_mqa.weight" in shapes:
        return _latent(shapes, hyper, layer)
    heads, kv_heads = hyper.layer("attention.head_count", layer), hyper.layer("attention.head_count_kv", layer)
    delta = "ssm_beta.weight" in shapes or "ssm_ba.weight" in shapes
    if delta or not heads or not any(f"attn_{name}.weight" in shapes for name in ("q", "qkv")) or "ssm_f_a.weight" in shapes:
        return None
    suffix = "_swa" if rules.window and hyper.get("attention.key_length_swa") else ""
    key = hyper.count(f"attention.key_length{suffix}", hidden // heads)
    value = hyper.count(f"attention.value_length{suffix}", hidden // heads)
    queries = heads * key
    q_rows = shapes.get("attn_q.weight", (0, 0))[1]
    norm = ""
    if "attn_q_norm.weight" in shapes and "attn_k_norm.weight" in shapes:
        sizes = shapes["attn_q_norm.weight"]
        norm = "layer" if len(sizes) > 1 and sizes[1] > 1 else "head" if sizes[0] == key else "full"
    return Attention(
        heads,
        kv_heads,
        key,
        value,
        rules.window,
        rules.chunked,
        caches=rules.caches and kv_heads > 0,
        stores_kv="attn_k.weight" in shapes or "attn_qkv.weight" in shapes,
        value_is_key="attn_k.weight" in shapes and "attn_v.weight" not in shapes,
        bias="attn_q.bias" in shapes or "attn_qkv.bias" in shapes,
        output_bias="attn_output.bias" in shapes,
        norm=norm,
        gate=q_rows == 2 * queries,
        separate_gate=shapes["attn_gate.weight"][1] if "attn_gate.weight" in shapes and "ssm_out.weight" not in shapes else 0,
        sinks="attn_sinks.weight" in shapes,
        fused="attn_qkv.weight" in shapes,
    )


def _latent(shapes: Shapes, hyper: Hyper, layer: int) -> Part:
    heads = hyper.layer("attention.head_count", layer)
    rope = hyper.count("rope.dimension_count", 0)
    key = hyper.count("attention.key_length_mla", 0) or hyper.count("attention.key_length", 0)
    value = hyper.count("attention.value_length_mla", 0) or hyper.count("attention.value_length", 0)
    absorbed = "attn_k_b.weight" in shapes
    indexer = None
    if "indexer.attn_q_b.weight" in shapes:
        rank, _ = shapes["indexer.attn_q_b.weight"][:2]
        indexer = Indexer(
            hyper.count("attention.indexer.head_count", 1),
            hyper.count("attention.indexer.key_length", 0),
            rank,
            hyper.count("attention.indexer.top_k", 0),
        )
    return LatentAttention(
        heads,
        shapes["attn_q_a.weight"][1] if "attn_q_a.weight" in shapes else 0,
        hyper.count("attention.kv_lora_rank", 0),
        key - rope,
        rope,
        value,
        absorbed,
        bias="attn_q_a.bias" in shapes,
        output_gate="attn_gate.weight" in shapes,
        indexer=indexer,
    )


def _recurrent(shapes: Shapes, hyper: Hyper, layer: int, hidden: int) -> Part | None:
    inner, state, kernel = hyper.count("ssm.inner_size", 0), hyper.count("ssm.state_size", 0), hyper.count("ssm.conv_kernel", 0)
    if "shortconv.conv.weight" in shapes:
        return ShortConv(hyper.count("shortconv.l_cache", 0), hidden, "shortconv.conv.bias" in shapes)
    if "time_mix_output.weight" in shapes:
        return _rwkv(shapes, hyper, hidden)
    if "ssm_f_a.weight" in shapes:
        heads = hyper.layer("attention.head_count", layer) or shapes["ssm_beta.weight"][1]
        return KimiDelta(heads, hyper.count("kda.head_dim", 0), kernel, "ssm_g.weight" in shapes)
    if "ssm_beta.weight" in shapes or "ssm_ba.weight" in shapes:
        key_heads, value_heads = hyper.count("ssm.group_count", 0), hyper.count("ssm.time_step_rank", 1)
        return GatedDeltaNet(key_heads, value_heads, state, inner // value_heads, kernel, "ssm_ba.weight" in shapes)
    if "ssm_x.weight" in shapes:
        norms = "ssm_dt_norm.weight" in shapes
        return Mamba1(
            inner, state, kernel, hyper.count("ssm.time_step_rank", 0), "ssm_conv1d.bias" in shapes, "ssm_in.bias" in shapes, norms
        )
    if "ssm_in.weight" in shapes:
        heads, groups = hyper.count("ssm.time_step_rank", 1), hyper.count("ssm.group_count", 1)
        return Mamba2(
            inner, heads, groups, state, kernel, "ssm_conv1d.bias" in shapes, "ssm_in.bias" in shapes, "ssm_norm.weight" in shapes
        )
    return None


def _rwkv(shapes: Shapes, hyper: Hyper, hidden: int) -> Part:
    def rank(name: str, otherwise: int) -> int:
        return shapes.get(f"time_mix_{name}1.weight", (0, otherwise))[1]

    # The value residual's matrices may be stored in the first layer too, where nothing uses them.
    return Rwkv7(
        hidden,
        hyper.count("wkv.head_size", 64),
        hyper.count("token_shift_count", 2),
        rank("w", 0),
        rank("a", 0),
        rank("v", 0),
        rank("g", 0),
        first="time_mix_v1.weight" not in shapes,
    )


def _feed(shapes: Shapes, hyper: Hyper, layer: int, hidden: int) -> Part | None:
    dense = _dense(shapes)
    if "ffn_down_exps.weight" not in shapes:
        return dense
    fused = "ffn_gate_up_exps.weight" in shapes
    width, inside, experts = shapes["ffn_down_exps.weight"][:3]
    return Moe(
        experts,
        hyper.layer("expert_used_count", layer),
        width,
        shapes["ffn_up_shexp.weight"][1] if "ffn_up_shexp.weight" in shapes else 0,
        gated=fused or "ffn_gate_exps.weight" in shapes,
        router_bias="exp_probs_b.bias" in shapes,
        expert_bias="ffn_down_exps.bias" in shapes,
        shared_gate="ffn_gate_inp_shexp.weight" in shapes,
        fused=fused,
        latent=inside if inside != hidden else 0,
        latent_norm="ffn_latent_norm.weight" in shapes,
        dense=dense,
    )


def _dense(shapes: Shapes) -> Mlp | None:
    if "ffn_up.weight" not in shapes or "ffn_down.weight" not in shapes:
        return None
    width, rows = shapes["ffn_down.weight"][0], shapes["ffn_up.weight"][1]
    separate = "ffn_gate.weight" in shapes
    fused = not separate and rows == 2 * width
    return Mlp(width, separate or fused, "ffn_up.bias" in shapes, "ffn_down.bias" in shapes, fused)
