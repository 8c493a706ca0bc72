"""The common sizes of a decoder under all the names that vendors give them."""

from __future__ import annotations

from dataclasses import dataclass

from .families import Family
from .fields import MOST_LAYERS, MOST_TOKENS, Fields

HIDDEN = ("hidden_size", "d_model", "n_embd", "n_embed", "model_dim", "dim")
LAYERS = ("num_hidden_layers", "n_layers", "num_layers", "n_layer")
HEADS = ("num_attention_heads", "n_heads", "n_head", "num_heads")
KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "num_attention_groups", "num_query_groups")
HEAD_DIM = ("head_dim", "kv_channels", "attention_head_dim")
FEED = ("intermediate_size", "ffn_hidden_size", "ffn_dim", "n_inner", "hidden_dim")
VOCABULARY = ("padded_vocab_size", "vocab_size")
CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length", "model_max_length", "n_ctx")


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Sizes that every common decoder has."""

    hidden: int
    layers: int
    vocabulary: int
    heads: int
    kv_heads: int
    head_dim: int


def dimensions(fields: Fields, family: Family) -> Dimensions:
    """Read the sizes; raises Unreadable for a missing or impossible one."""
    hidden, layers = fields.integer(*HIDDEN), layer_count(fields)
    heads = fields.integer(*HEADS)
    if family.heads_split == "grouped":
        kv_heads = fields.integer(*KV_HEADS, default=heads)
    else:
        kv_heads = 1 if family.heads_split == "multi_query" and fields.flag("multi_query", default=True) else heads
    if kv_heads > heads:
        raise fields.broken(KV_HEADS, f"as {kv_heads}, more than its {heads} query heads")
    head_dim = fields.integer(*HEAD_DIM, default=family.head_dim or max(hidden // heads, 1))
    return Dimensions(hidden, layers, vocabulary(fields), heads, kv_heads, head_dim)


def layer_count(fields: Fields) -> int:
    """Blocks of the main model; some configs only list their kinds."""
    listed = fields.texts("layers_block_type") if not fields.has(*LAYERS) else None
    return len(listed) if listed else fields.integer(*LAYERS, most=MOST_LAYERS)


def vocabulary(fields: Fields) -> int:
    return fields.integer(*VOCABULARY, most=1 << 28)


def context_tokens(fields: Fields) -> int | None:
    """The longest context the model was made for; None when the config does not say."""
    found: int | None = fields.integer(*CONTEXT, default=None, most=MOST_TOKENS)
    return found
