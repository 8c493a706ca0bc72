"""One training step of a whole model on the tape: forward, loss, backward.

A stack of equal blocks is run three times, not once a layer: every moment's live bytes are affine in a block's place in
its run, so the largest are at the run's ends. The layers between are held as so many times the second one's bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sizeup.figure import Number, plain

from . import kernels, ops
from .again import Again
from .backward import backward
from .blocks import BlockWeights, block
from .linear import Linear, linear
from .manner import Manner
from .norms import norm
from .recipe import Recipe
from .run import Run
from .tape import Tape
from .tensors import PENDING, Edge, Gradients, Node, Tensor, Weight

EXPLICIT = 3
"""Repeats of a run that the tape goes through: the first (whose input may need no gradient), the second, the last."""


@dataclass
class Segment:
    """A part of the model whose backward runs on its own, and where the gradient of its input arrives."""

    edge: Edge | None
    arrived: list[Tensor]


@dataclass
class Held:
    """Layers that the tape does not go through: what they keep, as bytes by part, and how many there are."""

    times: int
    kept: dict[str, Number]
    copies: Number = 0
    """Of what they keep, autocast's copies of weights that only autocast keeps."""


@dataclass(frozen=True)
class Stack:
    """Blocks that repeat: `unit` makes one round of them."""

    unit: tuple[Callable[[], BlockWeights], ...]
    times: int


@dataclass(frozen=True)
class Anatomy:
    """What the step runs through: stacks of blocks, what stands before and behind them."""

    manner: Manner
    stacks: tuple[Stack, ...]
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
    segments: list[Segment | Held] = field(default_factory=list)
    outputs: Tensor | None = None

    def run(self) -> None:
        """Forward and backward; the tape then holds the gradients."""
        tape = self.tape
        tape.casting = self.recipe.autocast
        loss = self.forward()
        tape.forget_copies()
        for part in self.segments:
            if isinstance(part, Held) and self.recipe.checkpointing:
                key = "activations|16-bit copy of a weight" if tape.detailed else "activations"
                tape.hold(key, -part.times * part.copies)
                part.kept[key] = part.kept.get(key, 0) - part.copies
        tape.casting = False
        self.backward(loss)

    def forward(self) -> Tensor:
        """The model's forward and its loss."""
        tape, recipe, anatomy = self.tape, self.recipe, self.anatomy
        attention = "sdpa" if recipe.attention == "flash" else recipe.attention
        run = Run(tape, recipe.micro_batch, recipe.sequence_tokens, anatomy.manner, attention, recipe.padded, recipe.dtype == "fp16")
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
        x = self.embedded(run)
        for stack in anatomy.stacks:
            x = self.stack(run, x, stack)
        x, boundary = bounded(tape, x)
        x = norm(run, x, anatomy.final, run.rows)
        self.segments.append(Segment(x.edge, boundary))
        return x.view(PENDING if x.edge else None)

    def embedded(self, run: Run) -> Tensor:
        """What enters the first block, and what lives as long as the model's forward."""
        tape, anatomy, manner = self.tape, self.anatomy, self.anatomy.manner
        x = ops.embedding(tape, anatomy.embedding, run.rows, anatomy.hidden)
        if manner.scaled_embedding:
            x = ops.scaled(tape, x)
        if self.recipe.input_gradients and x.edge is None:
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

    def stack(self, run: Run, x: Tensor, stack: Stack) -> Tensor:
        """A run of equal rounds of blocks."""
        tape = self.tape
        before, copied = dict(tape.live), len(tape.copies)
        for round in range(min(stack.times, EXPLICIT)):
            if round == EXPLICIT - 1 and stack.times > EXPLICIT:
                copies: Number = sum(weight.cast.storage.bytes for weight in tape.copies[copied:] if weight.cast is not None)
                kept = {part: bytes - before.get(part, 0) for part, bytes in tape.live.items()}
                held = Held(stack.times - EXPLICIT, kept, copies)
                for part, bytes in kept.items():
                    tape.hold(part, held.times * bytes)
                self.segments.append(held)
            before, copied = dict(tape.live), len(tape.copies)
            for make in stack.unit:
                x = self.segment(run, x, make())
        return x

    def segment(self, run: Run, x: Tensor, weights: BlockWeights) -> Tensor:
        """Run a block so that its backward can be run alone."""
        tape = self.tape
        x, boundary = bounded(tape, x)
        if self.recipe.checkpointing:
            tape.again = Again(tape, lambda y: block(run, y, weights), x)
        result = block(run, x, weights)
        tape.again = None
        self.segments.append(Segment(result.edge, boundary))
        return result.view(PENDING if result.edge else None)

    def backward(self, loss: Tensor) -> None:
        """All segments, the last first. The loss and its gradient stay to the end."""
        tape = self.tape
        tape.part = "buffers"
        one = tape.new(1, 4, "gradient of the loss")
        gradient, made = [one], 0
        before = tape.held("gradients")
        while self.segments:
            segment = self.segments.pop()
            if isinstance(segment, Held):
                grown = made
                for part, bytes in segment.kept.items():
                    tape.hold(part, -segment.times * bytes)
                tape.hold("gradients", segment.times * grown)
                continue
            if segment.edge is None or not gradient:
                break
            before = tape.held("gradients")
            backward(tape, segment.edge, gradient)
            made = tape.held("gradients") - before
            gradient = segment.arrived


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
