"""TRL's output projection and loss in one: logits a tile at a time, forwards and again backwards, gradients summed in fp32.

trl 1.16.0 trl/kernels/chunked_logprob.py, as SFTTrainer runs it: log-probabilities, entropy and top-1 of every position.
"""

from __future__ import annotations

from sizeup.figure import Number, least, plain

from . import ops
from .run import Run
from .tape import Tape
from .tensors import Gradients, Tensor, Weight

TILE_ROWS, TILE_TOKENS = 4096, 32768
"""Rows and tokens of the vocabulary of one tile of logits."""
STATISTICS = 7
"""Running fp32 numbers a row: maxima, sums, the target's logit."""
FORWARD_CELL, BACKWARD_CELL = 13, 29
"""Bytes a cell of a tile that folding it takes where there is no Triton kernel (a CPU): fp32 copies, products, a comparison."""


def fused_head(run: Run, hidden: Tensor, weight: Weight, inputs: int, vocabulary: int) -> Tensor:
    """The loss of all positions but each sequence's last, whose label is the next sequence's."""
    tape = run.tape
    rows = run.batch * (run.tokens - 1)
    whole, hidden_width = hidden.elements, hidden.width
    width = 2 if tape.casting else hidden.width
    piece = tape.seen(hidden, lambda gradients: [tape.new(whole, hidden_width, "slice in a whole")], rows * inputs)
    x = _compact(tape, piece, rows, rows * inputs, not run.cpu, bool(plain(run.batch) > 1))
    w = ops.leaf(tape, weight)
    labels = tape.new(rows, 8, "labels")
    tile = least(rows, TILE_ROWS) * TILE_TOKENS
    cells = least(rows, TILE_ROWS) * min(vocabulary, TILE_TOKENS)
    elements, trained = weight.elements, weight.trained

    def tiles(cell_bytes: int) -> None:
        """What one tile takes while it is made and folded."""
        buffer = tape.new(tile, width, "logits of a chunk")
        copies = [tape.new(least(rows, TILE_ROWS) * inputs, width, "cast")] if hidden_width != width else []
        if weight.width != width:
            copies.append(tape.new(min(vocabulary, TILE_TOKENS) * inputs, width, "16-bit copy of a weight"))
        if run.cpu:
            folded = tape.new(cells, cell_bytes, "logits of a chunk")
            del folded
        del buffer, copies

    def backwards(gradients: Gradients) -> Gradients:
        sums = [tape.new(rows * inputs, 4, "gradient of hidden states")] if x.edge is not None else []
        if trained:
            sums.append(tape.new(elements, 4, "gradient of the output projection"))
        tiles(BACKWARD_CELL)
        made: Gradients = []
        for total, kept in zip(sums, (hidden_width, weight.width), strict=False):
            made.append(total if kept == 4 else tape.new(total.elements, kept, "cast"))
        return [*made, None] if not trained else made

    statistics = [tape.new(rows, 4, "losses") for _ in range(STATISTICS)]
    tiles(FORWARD_CELL)
    log_z, entropy = tape.several("losses", (rows, 4), (rows, 4))
    result = tape.one("loss", rows, 4, (x, w), backwards, (x, labels, log_z, entropy))
    del statistics
    return tape.one("loss", 1, 4, (result,), lambda gradients: [tape.new(rows, 4, "loss backward")])


def _compact(tape: Tape, x: Tensor, rows: Number, elements: Number, picks: bool, many: bool) -> Tensor:
    """The positions that count, one after another: picked by an index on a GPU, a reshape elsewhere (a view of one sequence)."""
    if not picks:
        return ops.copied(tape, x) if many else ops.view(tape, x)
    index = tape.new(2 * rows, 8, "index")
    width = x.width

    def put_back(gradients: Gradients) -> Gradients:
        zeros = tape.new(elements, width, "rows put back")
        del zeros
        return [tape.new(elements, width, "rows put back")]

    return tape.one("rows picked", elements, width, (x,), put_back, (index,))
