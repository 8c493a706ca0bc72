"""Feed-forward parts: dense, and mixtures of experts."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.figure import Number

from .part import Part, Stored, count, matrix


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
