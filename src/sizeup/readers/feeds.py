"""Feed-forward parts of the common decoders from their config: dense and mixtures of experts."""

from __future__ import annotations

from sizeup.layers import Mlp, Moe

from .dimensions import FEED, HIDDEN
from .families import Family, on
from .fields import MOST_WIDTH, Fields

EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts", "moe_num_primary_experts")
USED = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "top_k_experts",
    "moe_k",
    "moe_topk",
    "moe_top_k",
    "experts_per_token",
    "moe_num_active_primary_experts",
)
EXPERT_WIDTH = ("moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size", "expert_hidden_dim")
SHARED = ("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts")
SHARED_WIDTH = (
    "shared_expert_intermediate_size",
    "shared_intermediate_size",
    "share_expert_dim",
    "shared_expert_dim",
    "moe_shared_expert_intermediate_size",
)


def first(fields: Fields, *names: str, default: int | None, least: int = 1) -> int | None:
    """A number, or the greatest of a list that says it per layer."""
    if isinstance(fields.raw(*names), (list, tuple)):
        return max(fields.integers(*names, least=0) or [0]) or default
    return fields.integer(*names, default=default, least=least)


def experts(fields: Fields) -> int:
    """Routed experts of a sparse layer; 0 for a dense model."""
    return first(fields, *EXPERTS, default=0, least=0) or 0


def sparse(fields: Fields, family: Family, dense: Mlp | None = None) -> Moe:
    """The mixture of experts of one layer. When the config does not say how many a token uses, all are counted as used."""
    count = experts(fields)
    if not count:
        raise fields.missing(EXPERTS)
    used = first(fields, *USED, default=count) or count
    if used > count:
        raise fields.broken(USED, f"as {used}, more than its {count} experts")
    width = first(fields, *EXPERT_WIDTH, default=None) or fields.integer(*FEED)
    shared = first(fields, *SHARED, default=family.shared, least=0) or 0
    shared_width = first(fields, *SHARED_WIDTH, default=None, least=0)
    if shared_width is None:
        shared_width = shared * width
    elif family.shared_times:
        shared_width *= max(shared, 1)
    return Moe(
        count,
        used,
        width,
        shared_width,
        gated=family.gated,
        router_bias=on(fields, family.router_bias) and fields.text("topk_method", default="noaux_tc") == "noaux_tc",
        expert_bias=family.expert_bias,
        shared_gate=family.shared_gate,
        fused=family.fused_experts,
        dense=dense,
    )


def dense(fields: Fields, family: Family, layers: int, layer: int, sparse_elsewhere: bool) -> Mlp:
    """The dense part of one layer."""
    names = (family.dense_width, *FEED) if family.dense_width and sparse_elsewhere else FEED
    if isinstance(fields.raw(*names), list):
        width = fields.each_layer(*names, layers=layers)[layer]
    elif family.feed == "four":
        width = fields.integer(*names, default=4 * fields.integer(*HIDDEN))
    else:
        width = fields.integer(*names)
    if family.feed == "lfm2":
        width = lfm2_width(fields, width)
    elif family.feed == "half":
        width //= 2
    return Mlp(width, family.gated, on(fields, family.mlp_bias), fused=family.fused_mlp, extras=family.activation_numbers)


def lfm2_width(fields: Fields, width: int) -> int:
    """LFM2 states a width before its adjustment to two thirds, a multiplier and a multiple."""
    if not fields.flag("block_auto_adjust_ff_dim", default=True):
        return width
    adjusted = 2 * width // 3
    multiplier = fields.number("block_ffn_dim_multiplier")
    if multiplier is not None:
        adjusted = int(multiplier * adjusted)
    multiple = fields.integer("block_multiple_of", default=256)
    rounded = multiple * -(-adjusted // multiple)
    return fields.whole(rounded, ("block_ffn_dim_multiplier",), 1, MOST_WIDTH)
