"""Layers that keep a state per sequence, whatever the context: state spaces, delta rules, linear attention, convolutions."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.figure import Number, step

from .part import Part, Stored, matrix


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
        return (self.kernel - 1) * self.channels + self.state * self.inner

    @property
    def channels(self) -> Number:
        return self.inner


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
        yield from matrix("ssm_in", hidden, self.inner + self.channels + self.heads, self.bias)
        yield "ssm_conv1d.weight", (self.kernel, self.channels)
        if self.conv_bias:
            yield "ssm_conv1d.bias", (self.channels,)
        yield "ssm_dt.bias", (self.heads,)
        yield "ssm_a", (1, self.heads)
        yield "ssm_d", (1, self.heads)
        if self.gated_norm:
            yield "ssm_norm.weight", (self.inner // self.groups, self.groups)
        yield from matrix("ssm_out", self.inner, hidden, self.bias if self.output_bias is None else self.output_bias)

    @step("ssm2_state")
    def state_values(self) -> Number:
        """The convolution's last inputs and the state, per sequence."""
        return (self.kernel - 1) * self.channels + self.state * self.inner

    @property
    def channels(self) -> Number:
        return self.inner + 2 * self.groups * self.state


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
        return (self.kernel - 1) * self.channels + self.key_dim * self.value_heads * self.value_dim

    @property
    def channels(self) -> Number:
        return 2 * self.key_heads * self.key_dim + self.value_heads * self.value_dim


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
        return (self.kernel - 1) * self.channels + self.heads * self.dim * self.dim

    @property
    def channels(self) -> Number:
        return 3 * self.heads * self.dim


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
        return (self.kernel - 1) * self.channels

    @property
    def channels(self) -> Number:
        return self.hidden


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
        return (self.kernel - 1) * self.channels + self.width

    @property
    def channels(self) -> Number:
        return self.width
