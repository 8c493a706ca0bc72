"""Layer kinds. A model is a sum of unlike layers, and each kind answers for itself: what it stores, what it caches per
token slot, what it keeps as state. The *engine* knows how many token slots it makes; the layer knows bytes per slot.

Shapes: `hidden` is the residual width; a weight's shape is in ggml's order, row length (input) first. Tensor names are
llama.cpp's short names without `blk.N.` and with `.weight`/`.bias`, because its quantisation rules are written on them.
Counted as parameters: everything a published checkpoint holds for the layer. Numbers may be ints, figures or columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from .figure import Number, step, total

Shape: TypeAlias = tuple[Any, ...]
Stored: TypeAlias = Iterator[tuple[str, Shape]]
"""(short tensor name, shape) pairs that a part stores."""


def matrix(name: str, row: Number, rows: Number, bias: bool = False) -> Stored:
    """A linear map from `row` inputs to `rows` outputs, with its bias when it has one."""
    yield f"{name}.weight", (row, rows)
    if bias:
        yield f"{name}.bias", (rows,)


def count(stored: Stored) -> Number:
    """Elements in a list of stored shapes."""
    result: Number = 0
    for _, shape in stored:
        size: Number = 1
        for side in shape:
            size = side if isinstance(size, int) and size == 1 else size * side
        result = size if isinstance(result, int) and result == 0 else result + size
    return result


class Part:
    """One part of a block. Subclasses are frozen dataclasses of shapes; the defaults say "nothing"."""

    __slots__ = ()

    def stored(self, hidden: Number) -> Stored:
        """Names and shapes of what a checkpoint holds for this part."""
        raise NotImplementedError

    def parameters(self, hidden: Number) -> Number:
        """Elements stored."""
        return count(self.stored(hidden))

    def idle_parameters(self, hidden: Number) -> Number:
        """Stored elements that one token does not use (routed experts it skips)."""
        return 0

    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        """Bytes kept for `cells` token slots with keys stored as `k` and values as `v`. Slots that the engine adds are its business."""
        return 0

    def state_values(self) -> Number:
        """Numbers kept per sequence, whatever the context: convolution windows and recurrent states."""
        return 0


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


@dataclass(frozen=True, slots=True)
class Mamba1(Part):
    """Selective state space layer (Mamba, Jamba, Falcon-Mamba)."""

    inner: int
    state: int
    kernel: int
    step_rank: int
    conv_bias: bool = True
    bias: bool = False
    norms: bool = False
    """RMS norms on dt, B and C (Jamba)."""

    def stored(self, hidden: Number) -> Stored:
        yield from matrix("ssm_in", hidden, 2 * self.inner, self.bias)
        yield "ssm_conv1d.weight", (self.kernel, self.inner)
        if self.conv_bias:
            yield "ssm_conv1d.bias", (self.inner,)
        yield from matrix("ssm_x", self.inner, self.step_rank + 2 * self.state)
        yield from matrix("ssm_dt", self.step_rank, self.inner, True)
        if self.norms:
            yield "ssm_dt_norm.weight", (self.step_rank,)
            yield "ssm_b_norm.weight", (self.state,)
            yield "ssm_c_norm.weight", (self.state,)
        yield "ssm_a", (self.state, self.inner)
        yield "ssm_d", (self.inner,)
        yield from matrix("ssm_out", self.inner, hidden, self.bias)

    @step("ssm_state")
    def state_values(self) -> Number:
        """The convolution's last inputs and the state, per sequence."""
        return (self.kernel - 1) * self.inner + self.state * self.inner


@dataclass(frozen=True, slots=True)
class Mamba2(Part):
    """State space duality layer (Mamba-2, Granite 4, Nemotron-H, Falcon-H1)."""

    inner: int
    heads: int
    groups: int
    state: int
    kernel: int
    conv_bias: bool = True
    bias: bool = False
    gated_norm: bool = True
    output_bias: bool | None = None
    """Bias of the output projection; None means as `bias`."""

    def stored(self, hidden: Number) -> Stored:
        convolved = self.inner + 2 * self.groups * self.state
        yield from matrix("ssm_in", hidden, self.inner + convolved + self.heads, self.bias)
        yield "ssm_conv1d.weight", (self.kernel, convolved)
        if self.conv_bias:
            yield "ssm_conv1d.bias", (convolved,)
        yield "ssm_dt.bias", (self.heads,)
        yield "ssm_a", (1, self.heads)
        yield "ssm_d", (1, self.heads)
        if self.gated_norm:
            yield "ssm_norm.weight", (self.inner // self.groups, self.groups)
        yield from matrix("ssm_out", self.inner, hidden, self.bias if self.output_bias is None else self.output_bias)

    @step("ssm2_state")
    def state_values(self) -> Number:
        """The convolution's last inputs and the state, per sequence."""
        return (self.kernel - 1) * (self.inner + 2 * self.groups * self.state) + self.state * self.inner


@dataclass(frozen=True, slots=True)
class GatedDeltaNet(Part):
    """Linear attention with a gated delta rule (Qwen3-Next, Qwen3.5)."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    kernel: int
    fused: bool = True
    """Query, key, value and gate are interleaved in one projection in the checkpoint (Qwen3-Next); llama.cpp stores them apart."""

    def stored(self, hidden: Number) -> Stored:
        keys, values = self.key_heads * self.key_dim, self.value_heads * self.value_dim
        yield from matrix("attn_qkv", hidden, 2 * keys + values)
        yield from matrix("attn_gate", hidden, values)
        if self.fused:
            yield from matrix("ssm_ba", hidden, 2 * self.value_heads)
        else:
            yield from matrix("ssm_beta", hidden, self.value_heads)
            yield from matrix("ssm_alpha", hidden, self.value_heads)
        yield "ssm_conv1d.weight", (self.kernel, 2 * keys + values)
        yield "ssm_dt.bias", (self.value_heads,)
        yield "ssm_a", (self.value_heads,)
        yield "ssm_norm.weight", (self.value_dim,)
        yield from matrix("ssm_out", values, hidden)

    @step("delta_state")
    def state_values(self) -> Number:
        """The convolution's last inputs and one key x value matrix per value head, per sequence."""
        keys, values = self.key_heads * self.key_dim, self.value_heads * self.value_dim
        return (self.kernel - 1) * (2 * keys + values) + self.key_dim * values


@dataclass(frozen=True, slots=True)
class KimiDelta(Part):
    """Kimi delta attention (KDA): a delta rule with a gate per channel and three short convolutions."""

    heads: int
    dim: int
    kernel: int
    full_rank_gate: bool = False
    full_rank_decay: bool = False
    """The decay's projection is one matrix instead of two narrow ones (Ling 3)."""

    def stored(self, hidden: Number) -> Stored:
        wide = self.heads * self.dim
        for name in ("attn_q", "attn_k", "attn_v"):
            yield from matrix(name, hidden, wide)
        for name in ("ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v"):
            yield f"{name}.weight", (self.kernel, wide)
        if self.full_rank_decay:
            yield from matrix("ssm_f", hidden, wide)
        else:
            yield from matrix("ssm_f_a", hidden, self.dim)
            yield from matrix("ssm_f_b", self.dim, wide)
        yield "ssm_dt.bias", (wide,)
        yield "ssm_a", (1, self.heads)
        yield from matrix("ssm_beta", hidden, self.heads)
        if self.full_rank_gate:
            yield from matrix("ssm_g", hidden, wide)
        else:
            yield from matrix("ssm_g_a", hidden, self.dim)
            yield from matrix("ssm_g_b", self.dim, wide)
        yield "ssm_norm.weight", (self.dim,)
        yield from matrix("attn_output", wide, hidden)

    @step("kda_state")
    def state_values(self) -> Number:
        """Three convolution windows and one square matrix per head, per sequence."""
        return 3 * (self.kernel - 1) * self.heads * self.dim + self.heads * self.dim * self.dim


@dataclass(frozen=True, slots=True)
class LightningAttention(Part):
    """Linear attention with a fixed decay per head and an output gate (MiniMax-Text-01, MiniMax-M1)."""

    heads: int
    dim: int

    def stored(self, hidden: Number) -> Stored:
        wide = self.heads * self.dim
        yield from matrix("attn_qkv", hidden, 3 * wide)
        yield from matrix("attn_gate", hidden, wide)
        yield "attn_norm_2.weight", (wide,)
        yield from matrix("attn_output", wide, hidden)

    @step("lightning_state")
    def state_values(self) -> Number:
        """One square matrix per head, per sequence."""
        return self.heads * self.dim * self.dim


@dataclass(frozen=True, slots=True)
class ShortConv(Part):
    """Gated short convolution (LFM2)."""

    kernel: int
    hidden: int
    bias: bool = False

    def stored(self, hidden: Number) -> Stored:
        yield from matrix("shortconv.in_proj", hidden, 3 * hidden, self.bias)
        yield "shortconv.conv.weight", (self.kernel, hidden)
        if self.bias:
            yield "shortconv.conv.bias", (hidden,)
        yield from matrix("shortconv.out_proj", hidden, hidden, self.bias)

    @step("conv_state")
    def state_values(self) -> Number:
        """The convolution's last inputs, per sequence."""
        return (self.kernel - 1) * self.hidden


@dataclass(frozen=True, slots=True)
class Rwkv7(Part):
    """RWKV-7 time mixing: a matrix-valued state per head and two shifted tokens."""

    hidden: int
    head_size: int
    shifts: int = 2
    decay_rank: int = 64
    rate_rank: int = 64
    value_rank: int = 32
    gate_rank: int = 128
    first: bool = False
    """The first layer has no value residual."""

    def stored(self, hidden: Number) -> Stored:
        d = hidden
        ranks = {"w": self.decay_rank, "a": self.rate_rank} | ({} if self.first else {"v": self.value_rank})
        for name, rank in ranks.items():
            yield f"time_mix_{name}0.weight", (d,)
            yield f"time_mix_{name}1.weight", (d, rank)
            yield f"time_mix_{name}2.weight", (rank, d)
        yield "time_mix_g1.weight", (d, self.gate_rank)
        yield "time_mix_g2.weight", (self.gate_rank, d)
        yield "time_mix_lerp_fused.weight", (d, 6)
        for name in ("k_k", "k_a", "r_k"):
            yield f"time_mix_{name}.weight", (d,)
        for name in ("receptance", "key", "value", "output"):
            yield from matrix(f"time_mix_{name}", d, d)
        yield "time_mix_ln.weight", (d,)
        yield "time_mix_ln.bias", (d,)

    @step("wkv_state")
    def state_values(self) -> Number:
        """Shifted tokens and one square matrix per head, per sequence."""
        return self.shifts * self.hidden + self.hidden * self.head_size


@dataclass(frozen=True, slots=True)
class GatedLru(Part):
    """Real-gated linear recurrent unit with a short convolution (RecurrentGemma)."""

    hidden: int
    width: int
    heads: int
    kernel: int

    def stored(self, hidden: Number) -> Stored:
        yield from matrix("lru_x", hidden, self.width, True)
        yield from matrix("lru_y", hidden, self.width, True)
        yield from matrix("lru_out", self.width, hidden, True)
        yield "lru_conv.weight", (self.kernel, self.width)
        yield "lru_conv.bias", (self.width,)
        yield "lru_a", (self.width,)
        for gate in ("lru_input_gate", "lru_a_gate"):
            yield f"{gate}.weight", (self.width // self.heads, self.width)
            yield f"{gate}.bias", (self.width,)

    @step("lru_state")
    def state_values(self) -> Number:
        return (self.kernel - 1) * self.width + self.width


@dataclass(frozen=True, slots=True)
class Mlp(Part):
    """A dense feed-forward part."""

    width: int
    gated: bool = True
    bias: bool = False
    output_bias: bool | None = None
    """Bias of the down projection; None means as `bias`."""
    fused: bool = False
    """Gate and up are one stored matrix (Phi-3, ChatGLM)."""
    extras: int = 0
    """Other learned numbers (parameters of the activation)."""

    def stored(self, hidden: Number) -> Stored:
        down_bias = self.bias if self.output_bias is None else self.output_bias
        if self.gated and not self.fused:
            yield from matrix("ffn_gate", hidden, self.width, self.bias)
        yield from matrix("ffn_up", hidden, self.width * 2 if self.gated and self.fused else self.width, self.bias)
        yield from matrix("ffn_down", self.width, hidden, down_bias)
        if self.extras:
            yield "ffn_act.extra", (self.extras,)


@dataclass(frozen=True, slots=True)
class Moe(Part):
    """A mixture of experts: `used` of `experts` routed experts per token, plus shared experts that always run."""

    experts: int
    used: int
    width: int
    """Inner width of one routed expert."""
    shared_width: int = 0
    """Inner width of all shared experts together; 0 for none."""
    gated: bool = True
    router_bias: bool = False
    """A correction bias per expert, used for choosing only."""
    expert_bias: bool = False
    """Biases inside each expert and on the router's output (gpt-oss)."""
    shared_gate: bool = False
    """A scalar gate on the shared expert (Qwen2-MoE)."""
    fused: bool = False
    """Gate and up of all experts in one stored tensor."""
    latent: int = 0
    """Width that routed experts work in when it is not the residual's (Nemotron 3, Kimi K3); 0 means the residual's."""
    latent_norm: bool = False
    dense: Mlp | None = None
    """A dense part that runs beside the experts (Gemma 4 MoE)."""
    router_extras: int = 0
    """Other learned numbers of the router."""
    empty: int = 0
    """Choices of the router beyond the experts that compute nothing (LongCat): they store no weights."""

    def stored(self, hidden: Number) -> Stored:
        inside = self.latent or hidden
        yield from matrix("ffn_gate_inp", hidden, self.experts + self.empty, self.expert_bias)
        if self.router_bias:
            yield "exp_probs_b.bias", (self.experts + self.empty,)
        if self.router_extras:
            yield "ffn_gate_inp.extra", (self.router_extras,)
        yield from self.routed(inside)
        if self.latent:
            yield from matrix("ffn_latent_down", hidden, self.latent)
            yield from matrix("ffn_latent_up", self.latent, hidden)
            if self.latent_norm:
                yield "ffn_latent_norm.weight", (self.latent,)
        if self.shared_width:
            for name in ("gate", "up") if self.gated else ("up",):
                yield from matrix(f"ffn_{name}_shexp", hidden, self.shared_width)
            yield from matrix("ffn_down_shexp", self.shared_width, hidden)
            if self.shared_gate:
                yield "ffn_gate_inp_shexp.weight", (hidden,)
        if self.dense is not None:
            yield from self.dense.stored(hidden)

    def routed(self, inside: Number) -> Stored:
        """The routed experts alone, for residual width `inside`."""
        if self.gated and self.fused:
            yield "ffn_gate_up_exps.weight", (inside, 2 * self.width, self.experts)
            if self.expert_bias:
                yield "ffn_gate_up_exps.bias", (2 * self.width, self.experts)
        else:
            for name in ("gate", "up") if self.gated else ("up",):
                yield f"ffn_{name}_exps.weight", (inside, self.width, self.experts)
                if self.expert_bias:
                    yield f"ffn_{name}_exps.bias", (self.width, self.experts)
        yield "ffn_down_exps.weight", (self.width, inside, self.experts)
        if self.expert_bias:
            yield "ffn_down_exps.bias", (inside, self.experts)

    def idle_parameters(self, hidden: Number) -> Number:
        return count(self.routed(self.latent or hidden)) // self.experts * (self.experts - self.used)


@dataclass(frozen=True, slots=True)
class Extras(Part):
    """Stored things that neither mix tokens nor feed forward: norms, scalars, per-layer inputs. Shapes are absolute."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    def stored(self, hidden: Number) -> Stored:
        yield from self.shapes


@dataclass(frozen=True, slots=True)
class Block:
    """One residual block: token mixers (two when they run side by side, as in Falcon-H1), a feed-forward part, the rest."""

    mixers: tuple[Part, ...]
    feed: Part | None
    norms: Extras
    parallel: bool = False
    """Mixer and feed-forward read the same residual and are added together (Falcon, GPT-J, Phi-2, Command R)."""

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.mixers, *((self.feed,) if self.feed is not None else ()), self.norms)

    def stored(self, hidden: Number) -> Stored:
        for part in self.parts:
            yield from part.stored(hidden)

    def parameters(self, hidden: Number) -> Number:
        return total(part.parameters(hidden) for part in self.parts)

    def idle_parameters(self, hidden: Number) -> Number:
        return total(part.idle_parameters(hidden) for part in self.parts)

    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        return total(part.cache_bytes(cells, k, v) for part in self.mixers)

    def state_values(self) -> Number:
        return total(part.state_values() for part in self.mixers)


@dataclass(frozen=True, slots=True)
class Embedding(Part):
    """Token embedding, learned positions and everything before the first block; per-layer embeddings of Gemma 3n/4."""

    vocabulary: int
    width: int = 0
    """Width when it differs from the residual's (OPT-350M); 0 means the residual's."""
    positions: int = 0
    extras: tuple[tuple[str, tuple[int, ...]], ...] = ()
    per_layer_width: int = 0
    per_layer_vocabulary: int = 0
    """`per_layer_token_embd`: rows of layers x width values; may stay in host memory."""
    layers: int = 0

    def stored(self, hidden: Number) -> Stored:
        yield "token_embd.weight", (self.width or hidden, self.vocabulary)
        if self.positions:
            yield "position_embd.weight", (hidden, self.positions)
        if self.per_layer_width:
            yield "per_layer_token_embd.weight", (self.per_layer_width * self.layers, self.per_layer_vocabulary)
        yield from self.extras


@dataclass(frozen=True, slots=True)
class Head(Part):
    """What follows the last block: final norm and output projection. `tied` means the token embedding is the projection."""

    vocabulary: int
    tied: bool
    bias: bool = False
    norm: tuple[tuple[str, tuple[int, ...]], ...] = ()
    width: int = 0

    def stored(self, hidden: Number) -> Stored:
        yield from self.norm
        if not self.tied:
            yield "output.weight", (self.width or hidden, self.vocabulary)
        if self.bias:
            yield "output.bias", (self.vocabulary,)


@dataclass(frozen=True, slots=True)
class Tower:
    """A vision, audio or encoder tower beside the language model, by what it stores."""

    kind: str
    """"vision", "audio" or "encoder"."""
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    uncounted: int = 0
    """Elements known only as a sum (a published count), when no rule gives the shapes."""
    tokens_per_image: int = 0
    pixels_per_token: int = 0
    hidden: int = 0
    layers: int = 0

    def parameters(self) -> int:
        return int(count(iter(self.shapes))) + self.uncounted
