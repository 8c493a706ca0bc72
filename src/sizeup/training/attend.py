"""Which attention kernel runs, and the call of it."""

from __future__ import annotations

from sizeup.figure import plain

from . import kernels, ops
from .kernels import Heads
from .run import Run
from .tensors import Tensor


def kernel(run: Run, width: int, heads: Heads, masked: bool) -> str:
    """The kernel that runs: what was asked, or what CUDA's dispatch would pick. Flash takes 16-bit numbers without a mask;
    the memory-efficient one wants as many key heads as query heads, which transformers provides only when there is a mask
    (older versions, "efficient-repeated", always)."""
    if run.manner.attention == "eager" or run.attention == "eager":
        return "eager"
    if run.cpu and run.attention not in ("math", "efficient-repeated"):
        return "flash"
    if run.manner.attention == "math":
        return "math"
    same = heads.key_dim == heads.value_dim and heads.key_dim <= 256
    shared = heads.groups > 1 and not masked and same
    if run.attention == "math":
        return "math"
    if run.attention == "efficient-repeated":
        return "efficient"
    if run.attention != "efficient" and width == 2 and not masked and same:
        return "flash"
    return "math" if shared else "efficient"


def attend(run: Run, q: Tensor, k: Tensor, v: Tensor, heads: Heads, window: int) -> Tensor:
    """Queries against keys, by the kernel that runs."""
    tape = run.tape
    masked = run.padded or bool(window and plain(run.tokens) >= window)
    if tape.casting and run.manner.attention != "eager" and run.attention != "eager":
        q, k, v = ops.to(tape, q, 2), ops.to(tape, k, 2), ops.to(tape, v, 2)
    chosen = kernel(run, q.width, heads, masked)
    if chosen == "eager":
        return kernels.eager(tape, q, k, v, heads, run.manner.softcap, run.half and q.width == 2, wide=run.manner.wide_scores)
    if chosen == "math":
        return kernels.math(tape, q, k, v, heads, run.manner.attention == "math")
    if chosen == "flash":
        result = kernels.flash(tape, q, k, v, heads, run.cpu)
        # The kernel answers in the order of its queries: joined ones lie head by head, so that the projection needs a copy.
        return ops.copied(tape, result) if run.manner.partial_rotary or run.manner.slices else result
    if heads.groups > 1:
        k = ops.repeated(tape, k, heads.groups, heads.kv_heads > 1)
        v = ops.repeated(tape, v, heads.groups, heads.kv_heads > 1)
    return kernels.efficient(tape, q, k, v, heads, masked)
