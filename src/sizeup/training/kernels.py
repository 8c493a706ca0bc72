"""Attention, by the kernel that runs it, and the loss: what each keeps and allocates."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.figure import Number, ceil_div, least, plain, round_up, step

from . import ops
from .run import Run
from .tape import Tape
from .tensors import Gradients, Tensor, Weight


@dataclass(frozen=True, slots=True)
class Heads:
    """The shape of one attention call."""

    batch: Number
    tokens: Number
    heads: int
    kv_heads: int
    key_dim: int
    value_dim: int

    @property
    def rows(self) -> Number:
        return self.batch * self.tokens * self.heads

    @property
    def groups(self) -> int:
        """Query heads per key/value head."""
        return self.heads // self.kv_heads

    @property
    def many(self) -> bool:
        """More than one sequence: what one sequence can take as a view has to be copied."""
        return bool(plain(self.batch) > 1)


@step("flash_workspace")
def flash_workspace(batch: Number, tokens: Number, heads: Number, key_dim: Number, value_dim: Number, shared: bool) -> Number:
    """FlashAttention-2's backward (mha_bwd): fp32 query gradients and row sums over padded rows, and 16-bit key and value
    gradients for every query head when heads share keys. Not counted: what it returns."""
    padded = batch * heads * round_up(tokens, 128)
    whole = 2 * batch * tokens * heads * (key_dim + value_dim)
    return 4 * padded * round_up(key_dim, 32) + 4 * padded + (whole if shared else 0)


def flash(tape: Tape, q: Tensor, k: Tensor, v: Tensor, shape: Heads, cpu: bool = False) -> Tensor:
    """FlashAttention: keeps queries, keys, values, its result and one fp32 number a row; two cells hold the random state.
    A processor's kernel works in buffers of a block each thread, too small to count."""
    sizes = [(t.elements, t.width) for t in (q, k, v)]

    def run(gradients: Gradients) -> Gradients:
        made: Gradients = list(tape.several("flash attention backward", *sizes))
        tape.note(
            "flash attention backward",
            0 if cpu else flash_workspace(shape.batch, shape.tokens, shape.heads, shape.key_dim, shape.value_dim, shape.groups > 1),
        )
        return made

    made = ((shape.rows * shape.value_dim, q.width), (shape.rows, 4), (2, 8), (1, 8))
    return tape.apply("flash attention", made, (q, k, v), run, (q, k, v), 4)[0]


def efficient(tape: Tape, q: Tensor, k: Tensor, v: Tensor, shape: Heads, masked: bool) -> Tensor:
    """The memory-efficient kernel: as flash, every query head with keys of its own, and a mask made additive for the call."""
    bias = None
    if masked:
        bias = tape.new(shape.batch * shape.tokens * shape.tokens, q.width, "additive mask")
        inverse = tape.new(bias.elements, 1, "mask")
        del inverse
    sizes = [(t.elements, t.width) for t in (q, k, v)]
    made = (
        (shape.rows * shape.value_dim, q.width),
        (shape.batch * shape.heads * round_up(shape.tokens, 32), 4),
        (1, 8),
        (1, 8),
    )
    keeps = (q, k, v, *((bias,) if bias is not None else ()))
    return tape.apply("efficient attention", made, (q, k, v), lambda _: list(tape.several("efficient backward", *sizes)), keeps, 4)[0]


def eager(
    tape: Tape, q: Tensor, k: Tensor, v: Tensor, shape: Heads, softcap: bool, half: bool, mask: bool = True, wide: bool = False
) -> Tensor:
    """Scores written out: products in the model's width, or in fp32 (`wide`), the softmax in fp32. PyTorch's softmax reads fp16 (`half`)
    and writes fp32 in one kernel; bf16 is copied to fp32 first."""
    if wide:
        # Autocast multiplies in 16 bits all the same.
        q, k = (ops.to(tape, ops.to(tape, x, 4), 2 if tape.casting else 4) for x in (q, k))
    if shape.groups > 1:
        k = ops.repeated(tape, k, shape.groups, shape.kv_heads > 1)
        v = ops.repeated(tape, v, shape.groups, shape.kv_heads > 1)
    scores = shape.rows * shape.tokens
    weights = scores_of(tape, q, k, scores, shape)
    if softcap:
        weights = ops.scaled(tape, weights)
        weights = ops.activation(tape, weights, "tanh", keeps_result=True)
        weights = ops.scaled(tape, weights)
    if mask:
        weights = ops.shifted(tape, weights)
    weights = ops.to(tape, ops.softmax(tape, weights if half else ops.to(tape, weights, 4), 4), v.width)
    result = ops.batched(tape, weights, _batch(tape, v, shape, shape.groups == 1), shape.rows * shape.value_dim)
    return ops.copied(tape, result)


def scores_of(tape: Tape, q: Tensor, k: Tensor, scores: Number, shape: Heads) -> Tensor:
    """Products of queries and keys, scaled."""
    return ops.scaled(tape, ops.batched(tape, _batch(tape, q, shape, True), _batch(tape, k, shape, shape.groups == 1), scores))


def _batch(tape: Tape, x: Tensor, shape: Heads, strided: bool) -> Tensor:
    """Batch and heads as one dimension: a view for one sequence or where heads lie together already, else a copy."""
    return ops.copied(tape, x) if shape.many and strided else x


def math(tape: Tape, q: Tensor, k: Tensor, v: Tensor, shape: Heads, broadcast: bool = False) -> Tensor:
    """PyTorch's attention without a kernel: all of it in fp32, roots of the scale on queries and keys. Key heads are given to their
    query heads first, or by the products themselves (`broadcast`)."""
    width = q.width
    q, k, v = ops.to(tape, q, 4), ops.to(tape, k, 4), ops.to(tape, v, 4)
    q = ops.scaled(tape, q)
    allowed = tape.new(shape.tokens * shape.tokens, 1, "mask")
    lower = tape.new(allowed.elements, 1, "mask")
    del allowed
    bias = tape.new(lower.elements, 4, "additive mask")  # noqa: F841 - alive to the end of the call
    del lower
    if shape.groups > 1 and not broadcast:
        k, v = ops.repeated(tape, k, shape.groups), ops.repeated(tape, v, shape.groups)
    k = ops.scaled(tape, k)
    if broadcast:
        k = ops.repeated(tape, k, shape.groups, shape.many)
    scores = ops.batched(tape, _batch(tape, q, shape, True), _batch(tape, k, shape, shape.groups == 1), shape.rows * shape.tokens)
    scores = ops.shifted(tape, scores)
    scores = ops.softmax(tape, scores)
    returned = ops.to(tape, scores, width)  # noqa: F841 - the call's second result, dropped by its caller
    if broadcast:
        v = ops.repeated(tape, v, shape.groups, shape.many)
    result = ops.batched(tape, scores, _batch(tape, v, shape, shape.groups == 1), shape.rows * shape.value_dim)
    return ops.copied(tape, ops.to(tape, result, width))


def cross_entropy(tape: Tape, logits: Tensor, rows: Number, many: bool) -> Tensor:
    """Hugging Face's loss: fp32 logits, their log-softmax (kept), the mean of the picked ones."""
    logits = ops.to(tape, logits, 4, "fp32 logits")
    labels = tape.new(rows, 8, "labels")
    if many:
        labels = tape.new(rows, 8, "labels")
    whole = logits.elements
    logged = tape.one("log-softmax", whole, 4, (logits,), lambda gradients: [tape.new(whole, 4, "log-softmax backward")], keeps_result=True)
    picked = ((1, 4), (1, 4))
    return tape.apply("loss", picked, (logged,), lambda gradients: [tape.new(whole, 4, "loss backward")], (logged, labels), 2)[0]


def rotary(tape: Tape, tokens: Number, dim: Number, width: int) -> list[Tensor]:
    """Cosines and sines of every position in the model's width; the angles are fp32 and gone afterwards."""
    numbers = tape.new(tokens, 4, "rotary")
    angles = tape.new(tokens * dim // 2, 4, "rotary")
    del numbers
    both = tape.new(tokens * dim, 4, "rotary")
    waves = []
    for _ in range(2):
        wave = tape.new(tokens * dim, 4, "rotary")
        waves.append(tape.new(tokens * dim, 4, "rotary"))
        del wave
    kept = [ops.to(tape, wave, width) for wave in waves]
    del angles, both
    return kept


def masks(tape: Tape, batch: Number, tokens: Number, run: Run, windows: tuple[int, ...]) -> list[Tensor]:
    """Masks that live as long as the model's forward: additive ones for written-out attention, one byte a pair for kernels."""
    eager_mask = run.manner.attention == "eager" or run.attention == "eager"
    pairs = tokens * tokens * (batch if run.padded else 1)
    made = []
    for window in windows or (0,):
        narrow = window and plain(tokens) >= window
        if eager_mask:
            made.append(tape.new(pairs, 2, "mask"))
        elif narrow or run.padded:
            made.append(tape.new(pairs, 1, "mask"))
    return made


def chunked_cross_entropy(tape: Tape, hidden: Tensor, weight: Weight, rows: Number, inputs: int, vocabulary: int) -> Tensor:
    """Liger's fused output projection and loss: logits one chunk of rows at a time, gradients made in the forward."""
    increments = -(-vocabulary // inputs)
    chunk = 1 << (max(1, int(plain(ceil_div(rows, increments)))) - 1).bit_length()
    width = 2 if tape.casting else hidden.width
    hidden = ops.to(tape, hidden, width)
    w = ops.weight_of(tape, weight, width)
    for_hidden = ops.fresh(tape, hidden, "gradient of hidden states")
    for_weight = tape.new(weight.elements, width, "gradient of the output projection") if weight.trained else None
    losses = tape.new(rows, 4, "losses")
    logits = tape.new(least(rows, chunk) * vocabulary, width, "logits of a chunk")
    piece = tape.new(least(rows, chunk) * inputs, width, "gradient of a chunk")
    del piece
    if for_weight is not None:
        piece = tape.new(weight.elements, width, "gradient of the output projection")
        del piece
    del logits
    kept = tuple(t for t in (for_hidden, for_weight) if t is not None)
    made: list[Tensor | None] = [for_hidden.view(), for_weight.view() if for_weight is not None else None]
    loss = tape.one("loss", 1, 4, (hidden, w), lambda gradients: [made.pop(0), made.pop(0)], kept)
    del losses
    return loss
