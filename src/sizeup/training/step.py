"""One training step of a whole model on the tape: forward, loss, backward.

The tape goes through the model's first block and through one of each kind; blocks like it do to the tape what it did,
wherever they stand, so their bytes and peaks are added without going through them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial

from sizeup.figure import plain

from . import kernels, ops
from .again import Again
from .backward import backward
from .blocks import BlockWeights, block
from .fused_head import fused_head
from .linear import Linear, linear
from .manner import Manner
from .norms import norm
from .passage import Passage, repeat, through
from .recipe import Recipe
from .run import Run
from .tape import Tape
from .tensors import PENDING, Edge, Gradients, Node, Tensor, Weight


@dataclass
class Segment:
    """A part of the model whose backward runs on its own, and where the gradient of its input arrives."""

    edge: Edge | None
    arrived: list[Tensor]


@dataclass
class Known:
    """A block that the tape went through for all that are alike, and what it did."""

    segment: Segment
    forward: Passage
    copies: list[Weight]
    """Weights of which autocast keeps a copy."""
    backward: Passage | None = None
    repeated: int = 0


@dataclass(frozen=True)
class Alike:
    """So many blocks in a row that do what a known one did."""

    known: Known
    times: int


@dataclass(frozen=True)
class Stretch:
    """Blocks of one kind in a row, and how one is made."""

    kind: int
    make: Callable[[], BlockWeights]
    times: int


def alike(kind: int, x: Tensor) -> Hashable:
    """What makes two blocks do the same to the tape: their kind, and whether what enters them needs a gradient."""
    return kind, x.edge is not None


@dataclass(frozen=True)
class Anatomy:
    """What the step runs through: stretches of blocks, what stands before and behind them."""

    manner: Manner
    stretches: tuple[Stretch, ...]
    embedding: Weight
    positions: Weight | None
    hidden: int
    vocabulary: int
    rotary_dim: int
    final: tuple[Weight, ...]
    head: Linear
    windows: tuple[int, ...] = ()
    head_bias: bool = False


@dataclass
class Step:
    """One forward and backward of a recipe."""

    recipe: Recipe
    anatomy: Anatomy
    tape: Tape
    segments: list[Segment | Alike] = field(default_factory=list)
    known: dict[Hashable, Known] = field(default_factory=dict)
    outputs: Tensor | None = None

    def run(self) -> None:
        """Forward and backward; the tape then holds the gradients."""
        tape = self.tape
        tape.casting = self.recipe.autocast
        loss = self.forward()
        self.forget_copies()
        tape.casting = False
        self.backward(loss)

    def forget_copies(self) -> None:
        """The autocast region ends: what that frees of a known block it frees of all that are like it."""
        tape = self.tape
        for known in self.known.values():
            before = dict(tape.live)
            for weight in known.copies:
                weight.cast = None
            for part, bytes in before.items():
                tape.hold(part, known.repeated * (tape.live[part] - bytes))
        tape.forget_copies()

    def forward(self) -> Tensor:
        """The model's forward and its loss."""
        tape, recipe, anatomy = self.tape, self.recipe, self.anatomy
        attention = "sdpa" if recipe.attention == "flash" else recipe.attention
        half, cpu = recipe.dtype == "fp16", recipe.device == "cpu"
        run = Run(tape, recipe.micro_batch, recipe.sequence_tokens, anatomy.manner, attention, recipe.padded, half, cpu)
        hidden = self.body(run)
        tape.part = "logits"
        hidden, boundary = bounded(tape, hidden)
        loss = self.loss(run, hidden)
        self.segments.append(Segment(loss.edge, boundary))
        return loss

    def loss(self, run: Run, hidden: Tensor) -> Tensor:
        """Output projection and loss."""
        tape, anatomy = self.tape, self.anatomy
        if self.recipe.loss == "chunked":
            return kernels.chunked_cross_entropy(tape, hidden, anatomy.head.weight, run.rows, anatomy.hidden, anatomy.vocabulary)
        if self.recipe.loss == "trl":
            return fused_head(run, hidden, anatomy.head.weight, anatomy.hidden, anatomy.vocabulary)
        logits = linear(tape, hidden, anatomy.head, run.rows)
        if anatomy.manner.head_softcap:
            logits = ops.scaled(tape, logits)
            logits = ops.activation(tape, logits, "tanh", keeps_result=True)
            logits = ops.scaled(tape, logits)
        if self.recipe.keep_outputs:
            self.outputs = logits.view()
        return kernels.cross_entropy(tape, logits, run.rows, bool(plain(run.batch) > 1))

    def body(self, run: Run) -> Tensor:
        """Embedding, blocks and final norm."""
        tape, anatomy = self.tape, self.anatomy
        stream = [self.embedded(run)]
        for position, stretch in enumerate(anatomy.stretches):
            self.stretch(run, stream, stretch, position == 0)
        x, boundary = bounded(tape, stream.pop())
        x = norm(run, x, anatomy.final, run.rows)
        self.segments.append(Segment(x.edge, boundary))
        return x.view(PENDING if x.edge else None)

    def embedded(self, run: Run) -> Tensor:
        """What enters the first block, and what lives as long as the model's forward."""
        tape, anatomy, manner = self.tape, self.anatomy, self.anatomy.manner
        x = ops.embedding(tape, anatomy.embedding, run.rows, anatomy.hidden)
        if manner.scaled_embedding:
            x = ops.scaled(tape, x)
        # transformers makes what the embedding answers need a gradient whenever it checkpoints (activation_checkpointing_enable).
        if (self.recipe.checkpointing or self.recipe.input_gradients) and x.edge is None:
            x.edge = (Node(-1, (), 1, lambda gradients: []), 0)
        run.shared["positions"] = [ops.positions(tape, run.tokens)]
        if anatomy.positions is not None:
            x = ops.add(tape, x, ops.positions_embedded(tape, anatomy.positions, run.tokens, run.batch, anatomy.hidden))
        run.shared["masks"] = kernels.masks(tape, run.batch, run.tokens, run, anatomy.windows)
        if manner.rotary:
            tables = [kernels.rotary(tape, run.tokens, anatomy.rotary_dim, x.width) for _ in range(manner.rotary_tables)]
            run.shared["rotary"] = tables[0]
            run.shared["more rotary"] = [table for more in tables[1:] for table in more]
        if manner.residual_dropout:
            x = ops.dropout(tape, x)
        run.shared["embedded"] = [x.view()]
        self.segments.append(Segment(x.edge, []))
        return x.view(PENDING if x.edge else None)

    def stretch(self, run: Run, stream: list[Tensor], stretch: Stretch, first: bool) -> None:
        """A row of equal blocks over the one tensor of `stream`. The model's first is like no other: what enters it is also kept elsewhere."""
        left = stretch.times
        if first:
            self.segments.append(self.segment(run, stream, stretch.make()))
            left -= 1
        while left:
            key, times = alike(stretch.kind, stream[0]), left
            known = self.known.get(key)
            if known is None:
                copied, times = len(self.tape.copies), 1
                segment, passage = through(self.tape, lambda: self.segment(run, stream, stretch.make()))
                known = self.known[key] = Known(segment, passage, self.tape.copies[copied:])
            else:
                repeat(self.tape, known.forward, times)
                known.repeated += times
            self.segments.append(Alike(known, times))
            left -= times

    def segment(self, run: Run, stream: list[Tensor], weights: BlockWeights) -> Segment:
        """Run a block over the tensor of `stream` so that its backward can be run alone. The stream alone refers to a tensor
        between blocks, so that what no block keeps is freed."""
        tape = self.tape
        x, boundary = bounded(tape, stream.pop())
        if self.recipe.checkpointing:
            tape.again = Again(tape, lambda y: block(run, y, weights), x)
        result = block(run, x, weights)
        tape.again = None
        stream.append(result.view(PENDING if result.edge else None))
        return Segment(result.edge, boundary)

    def backward(self, loss: Tensor) -> None:
        """All segments, the last first. The loss and its gradient stay to the end."""
        tape = self.tape
        tape.part = "buffers"
        one = tape.new(1, 4, "gradient of the loss")
        gradient = [one]
        while self.segments:
            segment = self.segments.pop()
            times, known = (segment.times, segment.known) if isinstance(segment, Alike) else (1, None)
            if known is not None and known.backward is not None:
                repeat(tape, known.backward, times)
                continue
            block = segment if isinstance(segment, Segment) else segment.known.segment
            if block.edge is None or not gradient:
                break
            if known is None:
                backward(tape, block.edge, gradient)
            else:
                # The block that was gone through stands for the last of its kind, whose backward is the first.
                _, known.backward = through(tape, partial(backward, tape, block.edge, gradient))
                repeat(tape, known.backward, times - 1)
            gradient = block.arrived


def bounded(tape: Tape, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The tensor at the start of a segment, and where its gradient will arrive."""
    arrived: list[Tensor] = []
    if x.edge is None:
        return x.view(), arrived

    def run(gradients: Gradients) -> Gradients:
        gradient = gradients.pop()
        assert gradient is not None
        arrived.append(gradient)
        return []

    return x.view((Node(-1, (), 1, run), 0)), arrived
