"""Layers that keep something per token: softmax, latent and compressed attention, with the indexers that thin them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sizeup.figure import Number, step

from .part import Part, Stored, count, matrix


@dataclass(frozen=True, slots=True)
class BlockIndexer(Part):
    """Picks blocks of tokens for sparse attention (MiniMax-M3): `heads` small queries against one small key."""

    heads: int
    dim: int

    def stored(self, hidden: Number) -> Stored:
        yield from matrix("indexer.q_proj", hidden, self.heads * self.dim)
        yield from matrix("indexer.k_proj", hidden, self.dim)
        yield "indexer.q_norm.weight", (self.dim,)
        yield "indexer.k_norm.weight", (self.dim,)

    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        """One key of `dim` values per token slot, a cache of its own."""
        return cells * k.row_bytes(self.dim)


@dataclass(frozen=True, slots=True)
class Attention(Part):
    """Softmax attention with `heads` query heads over `kv_heads` key/value heads (MHA, GQA and MQA alike)."""

    heads: int
    kv_heads: int
    key_dim: int
    value_dim: int
    window: int = 0
    """Tokens a sliding or chunked layer looks back over; 0 looks at everything."""
    chunked: bool = False
    """The window is a fixed chunk (Llama 4) instead of sliding."""
    caches: bool = True
    """False for layers that reuse an earlier layer's keys and values (Gemma 3n, Gemma 4)."""
    stores_kv: bool = True
    """False when a layer that reuses keys and values also stores no weights for them."""
    unused_kv: bool = False
    """True when a layer that reuses keys and values still stores its own weights for them: stored, but no parameter of the model."""
    value_is_key: bool = False
    """True when values are the keys (Gemma 4 full layers): no value projection is stored, yet values are cached."""
    bias: bool = False
    """Bias on query, key and value."""
    output_bias: bool = False
    norm: str = ""
    """Norm on queries and keys: "" none, "head" one vector per head width, "full" one over all heads, "layer" one vector for
    each head, "biased" one vector per head width with a bias."""
    gate: bool = False
    """An output gate as wide as the queries, in the query projection (Qwen3-Next)."""
    separate_gate: int = 0
    """Width of an output gate stored as its own matrix (AFMoE: heads x head width; Step 3.5: heads)."""
    sinks: bool = False
    """One learned sink per head (gpt-oss)."""
    fused: bool = False
    """Query, key and value in one stored matrix."""
    cross: bool = False
    """Attends to another tower's states (Llama 3.2 Vision)."""
    indexer: BlockIndexer | None = None
    """Small keys of their own that pick which blocks of tokens to attend to (MiniMax-M3)."""

    def stored(self, hidden: Number) -> Stored:
        queries, keys, values = self.heads * self.key_dim, self.kv_heads * self.key_dim, self.kv_heads * self.value_dim
        if self.fused:
            yield from matrix("attn_qkv", hidden, queries + keys + values, self.bias)
        else:
            yield from matrix("attn_q", hidden, queries * 2 if self.gate else queries, self.bias)
            if self.stores_kv:
                yield from matrix("attn_k", hidden, keys, self.bias)
                if not self.value_is_key:
                    yield from matrix("attn_v", hidden, values, self.bias)
        yield from matrix("attn_output", self.heads * self.value_dim, hidden, self.output_bias)
        if self.separate_gate:
            yield from matrix("attn_gate", hidden, self.separate_gate)
        if self.norm == "head":
            yield "attn_q_norm.weight", (self.key_dim,)
            if self.stores_kv:
                yield "attn_k_norm.weight", (self.key_dim,)
        elif self.norm == "full":
            yield "attn_q_norm.weight", (queries,)
            yield "attn_k_norm.weight", (keys,)
        elif self.norm == "biased":
            for name in ("attn_q_norm", "attn_k_norm"):
                yield f"{name}.weight", (self.key_dim,)
                yield f"{name}.bias", (self.key_dim,)
        elif self.norm == "layer":
            yield "attn_q_norm.weight", (self.key_dim, self.heads)
            yield "attn_k_norm.weight", (self.key_dim, self.kv_heads)
        if self.sinks:
            yield "attn_sinks.weight", (self.heads,)
        if self.indexer is not None:
            yield from self.indexer.stored(hidden)

    def parameters(self, hidden: Number) -> Number:
        """Elements stored that some token uses."""
        if not self.unused_kv:
            return count(self.stored(hidden))
        return count(replace(self, stores_kv=False, unused_kv=False).stored(hidden))

    @step("kv_cache")
    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        """Bytes of keys and values for `cells` token slots. Not counted: slots and row padding that the engine adds."""
        if not self.caches:
            return 0
        return cells * (k.row_bytes(self.kv_heads * self.key_dim) + v.row_bytes(self.kv_heads * self.value_dim))

    @step("attention_flops")
    def mixing_flops(self, cells: Number) -> Number:
        """Each query head against every cell's key, and every cell's value weighed: two FLOPs a number."""
        return 2 * self.heads * (self.key_dim + self.value_dim) * cells


@dataclass(frozen=True, slots=True)
class Indexer(Part):
    """The lightning indexer of sparse attention (DeepSeek V3.2, GLM-5): its own small keys pick the tokens to attend to."""

    heads: int
    dim: int
    query_rank: int
    top_tokens: int = 0

    def stored(self, hidden: Number) -> Stored:
        yield from matrix("indexer.attn_q_b", self.query_rank, self.heads * self.dim)
        yield from matrix("indexer.attn_k", hidden, self.dim)
        yield "indexer.k_norm.weight", (self.dim,)
        yield "indexer.k_norm.bias", (self.dim,)
        yield from matrix("indexer.proj", hidden, self.heads)

    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        """One key of `dim` values per token slot, shared by the indexer's heads."""
        return cells * k.row_bytes(self.dim)


@dataclass(frozen=True, slots=True)
class LatentAttention(Part):
    """Multi-head latent attention (MLA): keys and values are rebuilt from one latent vector per token.

    When the engine absorbs the up-projections it caches `kv_rank + rope_dim` values per token and no V; when it does
    not (MiniCPM3 in llama.cpp, files converted before the MLA tensors) it caches full heads.
    """

    heads: int
    query_rank: int
    """Width of the compressed query; 0 when queries are projected at once."""
    kv_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    absorbed: bool = True
    bias: bool = False
    output_gate: bool = False
    gate_width: int = 0
    """Width of the output gate when it is not one value per value (Ling 3: one per head)."""
    indexer: Indexer | None = None

    def stored(self, hidden: Number) -> Stored:
        wide = self.heads * (self.nope_dim + self.rope_dim)
        if self.query_rank:
            yield from matrix("attn_q_a", hidden, self.query_rank, self.bias)
            yield "attn_q_a_norm.weight", (self.query_rank,)
            yield from matrix("attn_q_b", self.query_rank, wide)
        else:
            yield from matrix("attn_q", hidden, wide)
        yield from matrix("attn_kv_a_mqa", hidden, self.kv_rank + self.rope_dim, self.bias)
        yield "attn_kv_a_norm.weight", (self.kv_rank,)
        if self.absorbed:
            yield "attn_k_b.weight", (self.nope_dim, self.kv_rank, self.heads)
            yield "attn_v_b.weight", (self.kv_rank, self.value_dim, self.heads)
        else:
            yield from matrix("attn_kv_b", self.kv_rank, self.heads * (self.nope_dim + self.value_dim))
        yield from matrix("attn_output", self.heads * self.value_dim, hidden, self.bias)
        if self.output_gate:
            yield from matrix("attn_gate", hidden, self.gate_width or self.heads * self.value_dim)
        if self.indexer is not None:
            yield from self.indexer.stored(hidden)

    @step("latent_cache")
    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        """Bytes for `cells` token slots: the latent and its rotary part once, or full heads when not absorbed; the indexer's keys are a separate cache."""
        if self.absorbed:
            return cells * k.row_bytes(self.kv_rank + self.rope_dim)
        return cells * (k.row_bytes(self.heads * (self.nope_dim + self.rope_dim)) + v.row_bytes(self.heads * self.value_dim))

    @step("latent_flops")
    def mixing_flops(self, cells: Number) -> Number:
        """As for ordinary attention; absorbed, every head works on the latent vector."""
        if self.absorbed:
            return 2 * self.heads * (2 * self.kv_rank + self.rope_dim) * cells
        return 2 * self.heads * (self.nope_dim + self.rope_dim + self.value_dim) * cells


@dataclass(frozen=True, slots=True)
class CompressedAttention(Part):
    """Compressed sparse attention (DeepSeek-V4): one latent head serves as key and value; beside a short window of raw tokens the
    layer attends to one pooled entry per `ratio` tokens, which an indexer picks from when the ratio is small."""

    heads: int
    dim: int
    """Width of the one shared key/value head, and of each query head."""
    query_rank: int
    output_groups: int
    output_rank: int
    window: int = 0
    ratio: int = 0
    """Tokens pooled into one entry; 0 keeps raw tokens only."""
    overlap: bool = False
    """Pools overlap: the compressor is twice as wide."""
    index_heads: int = 0
    index_dim: int = 0
    top_tokens: int = 0

    def stored(self, hidden: Number) -> Stored:
        yield from matrix("attn_q_a", hidden, self.query_rank)
        yield "attn_q_a_norm.weight", (self.query_rank,)
        yield from matrix("attn_q_b", self.query_rank, self.heads * self.dim)
        yield from matrix("attn_kv", hidden, self.dim)
        yield "attn_kv_a_norm.weight", (self.dim,)
        yield from matrix("attn_output_a", self.heads * self.dim // self.output_groups, self.output_groups * self.output_rank)
        yield from matrix("attn_output_b", self.output_groups * self.output_rank, hidden)
        yield "attn_sinks.weight", (self.heads,)
        if self.ratio:
            yield from self.compressor("attn_compressor", hidden, self.dim)
        if self.index_heads:
            yield from self.compressor("indexer_compressor", hidden, self.index_dim)
            yield from matrix("indexer.attn_q_b", self.query_rank, self.index_heads * self.index_dim)
            yield from matrix("indexer.proj", hidden, self.index_heads)

    def compressor(self, name: str, hidden: Number, width: int) -> Stored:
        """What pools `ratio` tokens into one entry of `width` values."""
        wide = 2 * width if self.overlap else width
        yield from matrix(f"{name}_kv", hidden, wide)
        yield from matrix(f"{name}_gate", hidden, wide)
        yield f"{name}_ape.weight", (wide, self.ratio)
        yield f"{name}_norm.weight", (width,)

    @step("compressed_window")
    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        """Bytes of raw entries for `cells` token slots. Not counted: pooled entries (`pooled_bytes`)."""
        return cells * k.row_bytes(self.dim)

    @step("compressed_pool")
    def pooled_bytes(self, entries: Number, k: Any) -> Number:
        """Bytes of `entries` pooled entries with the indexer's key for each."""
        return entries * (k.row_bytes(self.dim) + (k.row_bytes(self.index_dim) if self.index_heads else 0))

    @step("compressed_flops")
    def mixing_flops(self, cells: Number) -> Number:
        """Each head against every raw cell. Not counted: pooled entries."""
        return 4 * self.heads * self.dim * cells

    @step("compressor_state")
    def state_values(self) -> Number:
        """Values and scores of tokens that are not pooled yet, per sequence: of one pool, or of two where pools overlap."""
        pools = 2 if self.overlap else 1
        return 2 * pools * self.ratio * pools * (self.dim + (self.index_dim if self.index_heads else 0))
