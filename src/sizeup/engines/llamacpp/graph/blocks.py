"""Blocks: the order in which an architecture puts token mixing, feed-forward part and norms together."""

from __future__ import annotations

from dataclasses import dataclass

from ....layers import (
    Attention,
    Block,
    CompressedAttention,
    GatedDeltaNet,
    KimiDelta,
    LatentAttention,
    Mamba1,
    Mamba2,
    Mlp,
    Moe,
    Rwkv7,
    ShortConv,
)
from . import delta, gemma, recurrent, rwkv, streams
from .attention import attention, prepared
from .compressed import compressed
from .families import Family
from .feed import dense, experts
from .kimi import kimi_delta
from .latent import latent
from .residual import banked, mixed
from .sparse import block_sparse, is_sparse
from .tensors import Node
from .writer import Writer


@dataclass(slots=True)
class Body:
    """A model being written."""

    writer: Writer
    family: Family
    windows: bool
    """Window layers have a cache of their own."""
    cached: bool
    """Keys and values are cached; a batch of an encoder or a diffusion model attends to itself."""
    hidden: int
    per_layer: Node | None = None
    """Per-layer embeddings of the batch."""
    bank: Node | None = None
    """Earlier states of the residual stream, which parts mix in."""
    first_values: Node | None = None
    """The first block's values, which later blocks of RWKV mix in."""


def mixer(body: Body, block: Block, inputs: Node) -> Node:
    """The token-mixing part of a block."""
    writer = body.writer
    part = block.mixers[0]
    if isinstance(part, Attention) and body.family.gated_queries:
        return delta.gated_attention(writer, part, inputs)
    if isinstance(part, GatedDeltaNet):
        return delta.delta_net(writer, part, inputs, body.hidden)
    if isinstance(part, Attention) and is_sparse(writer, part):
        queries, keys, values = prepared(writer, part, inputs, body.family.steps, False, True)
        assert keys is not None
        assert values is not None
        return block_sparse(writer, part, inputs, queries, keys, values)
    if isinstance(part, Attention):
        return attention(writer, part, inputs, body.family.steps, windows=body.windows, cached=body.cached)
    if isinstance(part, LatentAttention):
        return latent(writer, part, inputs, body.family.steps)
    if isinstance(part, CompressedAttention):
        return compressed(writer, part, inputs)
    if isinstance(part, KimiDelta):
        return kimi_delta(writer, part, inputs)
    if isinstance(part, Mamba2):
        return recurrent.mamba2(writer, part, inputs)
    if isinstance(part, Mamba1):
        return recurrent.mamba1(writer, part, inputs)
    if isinstance(part, ShortConv):
        return recurrent.short_conv(writer, part, inputs)
    raise NotImplementedError(type(part).__name__)


def feed_forward(body: Body, block: Block, inputs: Node, logits: Node | None = None) -> Node:
    """The feed-forward part of a block; `logits` of the router when it looked at something else."""
    writer, part, kind = body.writer, block.feed, body.family
    if isinstance(part, Mlp):
        return dense(writer, inputs, activation=kind.activation)
    assert isinstance(part, Moe)
    if writer.has("ffn_routed_down.weight"):
        result = latent_experts(body, part, inputs)
    else:
        result = experts(writer, part, inputs, kind.routing, kind.activation, logits)
    if writer.has("ffn_up_shexp.weight"):
        shared = dense(writer, inputs, "_shexp", kind.activation)
        if writer.has("ffn_gate_inp_shexp.weight"):
            gate = writer.graph.like("unary", writer.linear("ffn_gate_inp_shexp", inputs))
            shared = writer.graph.like("mul", shared, gate)
        result = writer.add(result, shared)
    return result


def latent_experts(body: Body, part: Moe, inputs: Node) -> Node:
    """Routed experts that work in a narrower width; the router sees the whole one (Kimi K3)."""
    writer, kind = body.writer, body.family
    narrow, logits = writer.linear("ffn_routed_down", inputs), writer.linear("ffn_gate_inp", inputs)
    result = experts(writer, part, narrow, kind.routing, kind.activation, logits)
    if writer.has("ffn_routed_norm.weight"):
        result = writer.norm("ffn_routed_norm", result)
    return writer.linear("ffn_routed_up", result)


def normed(body: Body, name: str, inputs: Node) -> Node:
    """The inputs of a part after its norm, where the model has one."""
    writer, kind = body.writer, body.family
    if writer.has(f"{name}.weight") or kind.bare_norms:
        return writer.norm(name, inputs, kind.layer_norm)
    return inputs


def one_block(body: Body, block: Block, residual: Node, last: bool) -> Node:
    """A residual block; the last one goes on with only the rows whose logits are asked for."""
    writer, kind = body.writer, body.family
    if kind.stream == "altup":
        part = block.mixers[0]
        assert isinstance(part, Attention)
        assert body.per_layer is not None
        return gemma.altup_block(writer, part, residual, body.per_layer, kind.steps, writer.index < kind.sparse_blocks)
    if kind.stream == "rwkv":
        part = block.mixers[0]
        assert isinstance(part, Rwkv7)
        residual, body.first_values = rwkv.block(writer, part, residual, body.first_values, last)
        return residual
    if kind.stream == "banked":
        return banked_block(body, block, residual)
    if kind.stream == "several":
        return several_block(body, block, residual)
    if kind.stream == "post":
        return post_norm_block(body, block, residual, last)
    if kind.parallel and side_by_side(body, block):
        return parallel_block(body, block, residual, last)
    if len(block.mixers) > 1:
        return two_mixers(body, block, residual, last)
    logits = writer.linear("ffn_gate_inp", residual) if kind.early_router else None
    current = normed(body, "attn_norm", residual)
    if block.mixers:
        current = mixer(body, block, current)
    else:
        current = feed_forward(body, block, current)
    if last:
        current, residual = writer.crop(current), writer.crop(residual)
        logits = writer.crop(logits) if logits is not None else None
    if kind.residual_scale:
        current = writer.scale(current)
    if writer.has("post_attention_norm.weight") and kind.feed_norm != "post_attention_norm":
        current = writer.norm("post_attention_norm", current, kind.layer_norm)
    middle = writer.add(residual, current) if kind.residual_first in ("both", "middle") else writer.add(current, residual)
    if block.feed is None or not block.mixers:
        return middle
    if isinstance(block.feed, Moe) and block.feed.dense is not None:
        current = gemma.dense_and_experts(writer, block.feed, middle)
    else:
        current = feed_forward(body, block, normed(body, kind.feed_norm, middle), logits)
    if writer.has("post_ffw_norm.weight"):
        current = writer.norm("post_ffw_norm", current, kind.layer_norm, pinned=False)
    if kind.residual_scale:
        current = writer.scale(current)
    current = writer.add(middle, current) if kind.residual_first in ("both", "last") else writer.add(current, middle)
    if body.per_layer is not None:
        current = gemma.per_layer_update(writer, current, body.per_layer, last)
    factor = writer.weight("layer_output_scale.weight")
    return writer.graph.like("mul", current, factor) if factor is not None else current


def side_by_side(body: Body, block: Block) -> bool:
    """Whether a block of a family that can be parallel is: StableLM by its norms, GPT-NeoX as the file says."""
    if body.family.parallel == "sum":
        return not body.writer.has("ffn_norm.weight")
    return body.family.parallel != "own" or bool(body.writer.hyper.get("use_parallel_residual"))


def post_norm_block(body: Body, block: Block, residual: Node, last: bool) -> Node:
    """Norms come after the sums (BERT)."""
    writer = body.writer
    current = mixer(body, block, residual)
    if last:
        current, residual = writer.crop(current), writer.crop(residual)
    middle = writer.norm("attn_output_norm", writer.add(current, residual), True)
    if writer.has("attn_norm_2.weight"):
        middle = writer.norm("attn_norm_2", writer.add(middle, residual), True)
    return writer.norm("layer_output_norm", writer.add(feed_forward(body, block, middle), middle), True)


def several_block(body: Body, block: Block, x: Node) -> Node:
    """Each part reads a mix of the streams and is written to all of them (DeepSeek V4)."""
    writer = body.writer
    current, after, matrix = streams.gathered(writer, x, "hc_attn")
    x = streams.written(writer, mixer(body, block, writer.norm("attn_norm", current)), x, after, matrix)
    current, after, matrix = streams.gathered(writer, x, "hc_ffn")
    for part in (x, after, matrix):
        writer.graph.expand(part)
    return streams.written(writer, feed_forward(body, block, writer.norm("ffn_norm", current)), x, after, matrix)


def banked_block(body: Body, block: Block, residual: Node) -> Node:
    """Both parts read a mix of earlier states; every so many blocks the residual is banked and starts anew (Kimi K3)."""
    writer = body.writer
    current = mixed(writer, body.bank, residual, writer.need("attn_res_score.weight"))
    starts = writer.index % writer.hyper["attn_res.block_size"] == 0
    if starts:
        body.bank = banked(writer, body.bank, residual)
    current = mixer(body, block, writer.norm("attn_norm", current))
    residual = current if starts else writer.add(residual, current)
    current = mixed(writer, body.bank, residual, writer.need("ffn_res_score.weight"))
    return writer.add(residual, feed_forward(body, block, writer.norm("ffn_norm", current)))


def two_mixers(body: Body, block: Block, residual: Node, last: bool) -> Node:
    """Attention and a state space side by side, each from a norm of its own making (Falcon-H1)."""
    writer, kind = body.writer, body.family
    first = next(part for part in block.mixers if isinstance(part, Attention))
    second = next(part for part in block.mixers if isinstance(part, Mamba2))
    attended = attention(writer, first, writer.norm("attn_norm", residual), kind.steps, windows=body.windows, cached=body.cached)
    beside = recurrent.mamba2(writer, second, writer.norm("attn_norm", residual))
    middle = writer.add(writer.add(attended, beside), residual)
    if last:
        middle = writer.crop(middle)
    return writer.add(feed_forward(body, block, writer.norm("ffn_norm", middle)), middle)


def parallel_block(body: Body, block: Block, residual: Node, last: bool) -> Node:
    """Attention and feed-forward read the same residual and are summed."""
    writer, kind = body.writer, body.family
    outer = writer.norm("attn_norm", residual, kind.layer_norm)
    inner = writer.norm("attn_norm_2", residual, kind.layer_norm) if writer.has("attn_norm_2.weight") else outer
    attended = mixer(body, block, inner)
    if last:
        attended, residual, outer = writer.crop(attended), writer.crop(residual), writer.crop(outer)
    if kind.parallel == "sum":
        middle = writer.add(attended, residual)
        return writer.add(feed_forward(body, block, outer), middle)
    fed = feed_forward(body, block, normed(body, "ffn_norm", residual) if kind.parallel == "own" else outer)
    if kind.parallel in ("residual", "own"):
        return writer.add(writer.add(fed, residual), attended)
    first = writer.add(fed, attended) if kind.parallel == "feed" else writer.add(attended, fed)
    return writer.add(first, residual)
