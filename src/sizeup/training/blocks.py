"""A decoder block as Hugging Face runs it: the operations in their order."""

from __future__ import annotations

from dataclasses import dataclass

from . import ops
from .attend import attend
from .convolution import ShortConvolution, short_convolution
from .delta import GatedDelta, gated_delta
from .feeds import Dense, Experts, dense, experts
from .kernels import Heads
from .latent import Latent, latent
from .linear import Linear, linear
from .norms import norm
from .run import Run
from .sinks import with_sinks
from .tensors import Tensor, Weight


@dataclass(frozen=True, slots=True)
class SelfAttention:
    """Softmax attention: its matrices apart or in one, norms on queries and keys, a window."""

    heads: int
    kv_heads: int
    dim: int
    value_dim: int
    matrices: tuple[Linear, ...]
    output: Linear
    norms: tuple[tuple[Weight, ...], ...] = ()
    norm_rows: tuple[int, int] = (0, 0)
    """Rows a token that the norms on queries and keys see: their heads, or 1 for a norm over all heads."""
    window: int = 0
    gated: bool = False
    """The query projection holds an output gate too, as wide as the queries."""
    gate: Linear | None = None
    """An output gate of its own matrix: a value of each head's output, or one a head."""
    sinks: Weight | None = None
    """One a head."""


@dataclass(frozen=True, slots=True)
class BlockWeights:
    """A block with its weights."""

    attention: SelfAttention | Latent | ShortConvolution | GatedDelta
    feed: Dense | Experts
    before: tuple[tuple[Weight, ...], tuple[Weight, ...]]
    """Norms of what enters the mixer and the feed-forward part; empty where there is none."""
    after: tuple[tuple[Weight, ...], tuple[Weight, ...]] = ((), ())
    """Norms of what they answer."""
    parallel: bool = False
    """Both read one norm, and are added together (Phi, Falcon, Command R)."""

    def window(self) -> int:
        return self.attention.window if isinstance(self.attention, SelfAttention) else 0


def rotate(run: Run, x: Tensor) -> Tensor:
    """Rotary embedding of queries or keys: x cos + swapped halves of x sin."""
    tape = run.tape
    cos, sin = run.shared["rotary"]
    return ops.add(tape, ops.mul(tape, x, cos, broadcast="b"), ops.mul(tape, ops.halves_swapped(tape, x), sin, broadcast="b"))


def attention(run: Run, x: Tensor, part: SelfAttention) -> Tensor:
    """Projections, norms and rotary embedding, attention, output projection."""
    tape, rows = run.tape, run.rows
    heads = Heads(run.batch, run.tokens, part.heads, part.kv_heads, part.dim, part.value_dim)
    gate: Tensor | None = None
    if len(part.matrices) == 1:
        joined = linear(tape, x, part.matrices[0], rows)
        cut = ops.slices if run.manner.slices else ops.pieces
        q, k, v = cut(tape, joined, rows * part.heads * part.dim, rows * part.kv_heads * part.dim, rows * part.kv_heads * part.value_dim)
    else:
        q = linear(tape, x, part.matrices[0], rows)
        if part.gated:
            q, gate = ops.pieces(tape, q, rows * part.heads * part.dim, rows * part.heads * part.dim)
            gate = ops.copied(tape, gate)
        q = ops.reordered(tape, q)
        k = ops.reordered(tape, linear(tape, x, part.matrices[1], rows))
        v = _values(run, linear(tape, x, part.matrices[2], rows), heads)
    if part.gate is not None:
        gate = linear(tape, x, part.gate, rows)
    if part.norms:
        q = norm(run, q, part.norms[0], rows * part.norm_rows[0])
        k = norm(run, k, part.norms[1], rows * part.norm_rows[1])
    if run.manner.rotary:
        q, k = _rotated(run, q, k)
    result = attend(run, q, k, v, heads, part.window) if part.sinks is None else with_sinks(tape, q, k, v, heads, part.sinks)
    if gate is not None:
        a_head = part.gate is not None and part.gate.outputs < part.heads * part.value_dim
        result = ops.mul(tape, result, ops.activation(tape, gate, "sigmoid", keeps_result=True), broadcast="b" if a_head else "")
    result = linear(tape, result, part.output, rows)
    return ops.dropout(tape, result) if run.manner.residual_dropout else result


def _rotated(run: Run, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    if run.manner.partial_rotary:
        return ops.through_part(run.tape, q, lambda part: rotate(run, part)), ops.through_part(run.tape, k, lambda part: rotate(run, part))
    if run.manner.slices:
        q_rotated = ops.through_slice(run.tape, q, lambda part: rotate(run, part))
        return q_rotated, ops.through_slice(run.tape, k, lambda part: rotate(run, part))
    q_rotated = rotate(run, q)
    return q_rotated, rotate(run, k)


def _values(run: Run, v: Tensor, heads: Heads) -> Tensor:
    """Values as heads. Kernels give their gradient back in the projection's order; written-out attention does not."""
    written = run.manner.attention == "eager" or run.attention in ("eager", "math")
    return ops.reordered(run.tape, v) if written else ops.view(run.tape, v)


def block(run: Run, x: Tensor, weights: BlockWeights) -> Tensor:
    """One residual block."""
    tape = run.tape
    residual = x
    x = maybe_norm(run, x, weights.before[0], before=True)
    if weights.parallel:
        mixed = mixer(run, x, weights)
        fed = feed(run, maybe_norm(run, residual, weights.before[1]) if weights.before[1] else x, weights)
        return ops.add(tape, ops.add(tape, mixed, fed), residual)
    x = mixer(run, x, weights)
    x = maybe_norm(run, x, weights.after[0])
    x = ops.add(tape, residual, x)
    residual = x
    x = maybe_norm(run, x, weights.before[1], before=True)
    x = feed(run, x, weights)
    x = maybe_norm(run, x, weights.after[1])
    return ops.add(tape, residual, x)


def maybe_norm(run: Run, x: Tensor, weights: tuple[Weight, ...], before: bool = False) -> Tensor:
    """The norm of this place; families differ in which places have one, and a bare one has no weights to show it."""
    return norm(run, x, weights, run.rows) if weights or (before and run.manner.norm == "bare") else x


def mixer(run: Run, x: Tensor, weights: BlockWeights) -> Tensor:
    part = weights.attention
    if isinstance(part, ShortConvolution):
        return short_convolution(run, x, part)
    if isinstance(part, GatedDelta):
        return gated_delta(run, x, part)
    return latent(run, x, part) if isinstance(part, Latent) else attention(run, x, part)


def feed(run: Run, x: Tensor, weights: BlockWeights) -> Tensor:
    part = weights.feed
    return experts(run.tape, x, part, run.rows) if isinstance(part, Experts) else dense(run.tape, x, part, run.rows)
