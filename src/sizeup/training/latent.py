"""Multi-head latent attention under training, as transformers runs DeepSeek V2 and V3: keys and values rebuilt in full."""

from __future__ import annotations

from dataclasses import dataclass

from . import ops
from .attend import attend
from .kernels import Heads
from .linear import Linear, linear
from .norms import rms_norm
from .run import Run
from .tape import Tape
from .tensors import Gradients, Tensor, Weight


@dataclass(frozen=True, slots=True)
class Latent:
    """The part with its weights."""

    heads: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    kv_rank: int
    query: Linear
    down: Linear
    up: Linear
    norm: Weight
    output: Linear
    query_down: Linear | None = None
    query_norm: Weight | None = None


def latent(run: Run, x: Tensor, part: Latent) -> Tensor:
    """Queries, the latent of keys and values and what is rebuilt from it, attention, output projection."""
    tape, rows = run.tape, run.rows
    wide = rows * part.heads
    if part.query_down is None or part.query_norm is None:
        q = linear(tape, x, part.query, rows)
    else:
        q = linear(tape, rms_norm(tape, linear(tape, x, part.query_down, rows), part.query_norm, rows), part.query, rows)
    q = ops.reordered(tape, q)
    q_nope, q_rope = ops.pieces(tape, q, wide * part.nope_dim, wide * part.rope_dim)
    compressed = linear(tape, x, part.down, rows)
    kv_nope, k_rope = ops.pieces(tape, compressed, rows * part.kv_rank, rows * part.rope_dim)
    k_nope = rms_norm(tape, kv_nope, part.norm, rows)
    q_rope, k_rope = _turned(tape, q_rope, k_rope)
    queries = _joined(tape, q_nope, q_rope)
    keys, values = _expanded(tape, k_nope, k_rope, part, run)
    heads = Heads(run.batch, run.tokens, part.heads, part.heads, part.nope_dim + part.rope_dim, part.value_dim)
    result = attend(run, queries, keys, values, heads, 0)
    return linear(tape, result, part.output, rows)


def _turned(tape: Tape, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation as products of complex numbers, in fp32; the angles are kept, they need no gradient."""
    q_wide, k_wide = ops.to(tape, q, 4), ops.to(tape, k, 4)
    q_turned = ops.to(tape, ops.scaled(tape, q_wide), q.width)
    return q_turned, ops.to(tape, ops.scaled(tape, k_wide), k.width)


def _joined(tape: Tape, a: Tensor, b: Tensor) -> Tensor:
    sizes = (a.elements, b.elements)

    def split(gradients: Gradients) -> Gradients:
        gradient = gradients[0]
        assert gradient is not None
        return [gradient.view(elements=size) for size in sizes]

    return tape.one("joined", a.elements + b.elements, a.width, (a, b), split)


def _expanded(tape: Tape, k_nope: Tensor, k_rope: Tensor, part: Latent, run: Run) -> tuple[Tensor, Tensor]:
    """Keys and values of every head from the latent: keys are written into a new tensor in two copies."""
    wide = run.rows * part.heads
    both = ops.reordered(tape, linear(tape, k_nope, part.up, run.rows))
    nope, values = ops.pieces(tape, both, wide * part.nope_dim, wide * part.value_dim)
    whole, width, sizes = wide * (part.nope_dim + part.rope_dim), both.width, (nope.elements, wide * part.rope_dim, k_rope.elements)

    def run_back(gradients: Gradients) -> Gradients:
        gradients.clear()
        # The keys were written in two copies: each one's backward copies the whole gradient, then its own piece of it.
        rope_whole = tape.new(whole, width, "copied into order")
        rope = [tape.new(sizes[1], width, "copied into order")]
        tape.new(sizes[1], width, "zeros")
        nope_whole = tape.new(whole, width, "copied into order")
        del rope_whole
        for_nope = tape.new(sizes[0], width, "copied into order")
        del nope_whole
        for_rope = tape.new(sizes[2], width, "summed")
        rope.clear()
        return [for_nope, for_rope]

    keys = tape.one("keys", whole, width, (nope, k_rope), run_back)
    return keys, values
