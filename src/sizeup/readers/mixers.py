"""Token mixers of the common decoders from their config: softmax and latent attention, delta nets, state spaces, convolutions."""

from __future__ import annotations

from sizeup.layers import Attention, BlockIndexer, GatedDeltaNet, Indexer, LatentAttention, Mamba2, Part, ShortConv

from .dimensions import Dimensions
from .families import Family, on
from .fields import Fields
from .schedule import window_tokens


def mixer(fields: Fields, family: Family, sizes: Dimensions, kind: str, layer: int) -> Part:
    """The mixer of one layer of the kind that the schedule names; raises Unreadable for a kind without a rule."""
    if kind in ("full", "sliding", "chunked"):
        return latent_attention(fields, family, sizes, layer) if family.latent else attention(fields, family, sizes, kind, layer)
    if kind == "linear" and family.linear == "delta":
        return delta_net(fields, family.fused_linear)
    if kind == "mamba":
        return mamba2(fields, sizes.hidden)
    if kind == "conv":
        return ShortConv(fields.integer("conv_L_cache"), sizes.hidden, fields.flag("conv_bias"))
    raise fields.broken(("layer_types", "layers_block_type"), f"with “{kind[:40]}” layers, which {family.model_type} has no rule for")


def attention(fields: Fields, family: Family, sizes: Dimensions, kind: str = "full", layer: int = 0) -> Attention:
    """Softmax attention as the family's facts and the config's flags describe it."""
    separate = {"": 0, "heads": sizes.heads, "values": sizes.heads * sizes.head_dim}[family.separate_gate]
    return Attention(
        sizes.heads,
        sizes.kv_heads,
        sizes.head_dim,
        fields.integer("v_head_dim", default=sizes.head_dim),
        window=0 if kind == "full" else window_tokens(fields, family),
        chunked=kind == "chunked",
        caches=family.causal and not bidirectional(fields),
        bias=on(fields, family.qkv_bias),
        output_bias=on(fields, family.output_bias),
        norm=family.qk_norm if on(fields, family.qk_norm_if) else "",
        gate=on(fields, family.gate),
        separate_gate=separate,
        sinks=on(fields, family.sinks),
        fused=family.fused_qkv,
        indexer=block_indexer(fields) if block_indexers(fields, layer + 1)[layer] else None,
    )


def bidirectional(fields: Fields) -> bool:
    """An embedding model made of a decoder: its class or its config says that every token sees every other."""
    listed = fields.raw("architectures")
    named = isinstance(listed, list) and any(isinstance(name, str) and "Bidirectional" in name for name in listed)
    return named or fields.raw("use_bidirectional_attention") is True


def block_indexer(fields: Fields) -> BlockIndexer | None:
    """The indexer of layers with block-sparse attention, as MiniMax-M3's section describes it."""
    sparse = fields.section("sparse_attention_config")
    if sparse is None or not sparse.flag("use_sparse_attention", default=True):
        return None
    return BlockIndexer(sparse.integer("sparse_num_index_heads"), sparse.integer("sparse_index_dim"))


def block_indexers(fields: Fields, layers: int) -> list[bool]:
    """Which layers have one."""
    sparse = fields.section("sparse_attention_config")
    listed = sparse.integers("sparse_attention_freq", length=layers, most=1) if sparse is not None else None
    return [bool(flag) for flag in listed] if listed is not None else [sparse is not None] * layers


def latent_attention(fields: Fields, family: Family, sizes: Dimensions, layer: int) -> LatentAttention:
    """MLA; with a lightning indexer on the layers that own one (a shared indexer stores nothing)."""
    kinds = fields.texts("indexer_types")
    owns = family.indexer and (kinds is None or layer >= len(kinds) or kinds[layer] == "full")
    query_rank = fields.integer("q_lora_rank", default=0)
    return LatentAttention(
        sizes.heads,
        query_rank,
        fields.integer("kv_lora_rank"),
        fields.integer("qk_nope_head_dim"),
        fields.integer("qk_rope_head_dim"),
        fields.integer("v_head_dim"),
        absorbed=family.absorbed,
        bias=on(fields, family.qkv_bias),
        output_gate=fields.flag("mla_use_output_gate"),
        indexer=indexer(fields, query_rank) if owns else None,
    )


def indexer(fields: Fields, query_rank: int) -> Indexer:
    return Indexer(fields.integer("index_n_heads"), fields.integer("index_head_dim"), query_rank, fields.integer("index_topk", default=0))


def delta_net(fields: Fields, fused: bool = True) -> GatedDeltaNet:
    return GatedDeltaNet(
        fields.integer("linear_num_key_heads"),
        fields.integer("linear_num_value_heads"),
        fields.integer("linear_key_head_dim"),
        fields.integer("linear_value_head_dim"),
        fields.integer("linear_conv_kernel_dim"),
        fused,
    )


def mamba2(fields: Fields, hidden: int, gated_norm: bool = True) -> Mamba2:
    """Mamba-2 under the names of Bamba, Granite 4 and Falcon-H1 (`mamba_…`)."""
    inner = fields.integer("mamba_d_ssm", default=None) or int(fields.number("mamba_expand", default=2.0) or 2) * hidden
    return Mamba2(
        inner,
        fields.integer("mamba_n_heads"),
        fields.integer("mamba_n_groups", default=1),
        fields.integer("mamba_d_state"),
        fields.integer("mamba_d_conv", default=4),
        fields.flag("mamba_conv_bias", default=True),
        fields.flag("mamba_proj_bias"),
        gated_norm,
    )
