"""The bytes of a training step: what is there before it, the peak of forward and backward, the optimizer's step."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from sizeup.figure import Number, ceil_div, most, round_up, step, total
from sizeup.layers import Block
from sizeup.model import ModelSpec

from . import optimizers
from .blocks import BlockWeights
from .convolution import ShortConvolution
from .delta import GatedDelta
from .linear import Adapter, Linear
from .recipe import Recipe
from .step import Anatomy, Step, Stretch
from .tape import Tape
from .tensors import CELL, Weight
from .towers import tower_weights
from .weights import Maker, parts, weights_in

Described: TypeAlias = tuple[Anatomy, list[tuple[BlockWeights, int]]]
"""A model as a step runs through it, and its blocks with how many there are of each."""


def anatomy(model: ModelSpec, recipe: Recipe) -> Described:
    """The model as the step runs through it, and its blocks with how many there are of each."""
    maker = Maker(model, recipe)
    thawed = replace(maker, trained=recipe.method == "freeze")
    frozen_layers = model.layers - recipe.trained_layers if recipe.method == "freeze" else model.layers
    kinds: dict[tuple[Block, bool], int] = {}
    order = [0] * model.layers
    for group in model.groups:
        for position in group.positions:
            order[position] = kinds.setdefault((group.block, position >= frozen_layers), len(kinds))
    blocks = list(kinds)

    def make(index: int) -> Callable[[], BlockWeights]:
        block, trained = blocks[index]
        return lambda: (thawed if trained else maker).block(block)

    stretches = tuple(Stretch(index, make(index), len(list(row))) for index, row in itertools.groupby(order))
    counted = [(make(index)(), order.count(index)) for index in kinds.values()]
    embedding = maker.weight(model.hidden * model.vocabulary, model.vocabulary)
    head_weight = embedding if model.head.tied else thawed.weight(model.hidden * model.vocabulary, model.vocabulary)
    embedding.uses = 2 if model.head.tied else 1
    final = tuple(thawed.weight(shape[0]) for _, shape in model.head.norm)
    positions = maker.weight(model.hidden * model.embedding.positions, model.embedding.positions) if model.embedding.positions else None
    rotated = next((block.attention for block, _ in counted if not isinstance(block.attention, ShortConvolution | GatedDelta)), None)
    whole = Anatomy(
        maker.manner, stretches, embedding, positions, model.hidden, model.vocabulary,
        getattr(rotated, "rope_dim", 0) or getattr(rotated, "dim", 0), final,
        Linear(model.hidden, model.vocabulary, head_weight, thawed.weight(model.vocabulary) if model.head.bias else None),
        tuple(sorted({weights.window() for weights, _ in counted})),
    )  # fmt: skip
    return whole, counted


@step("stored_weight")
def weight_bytes(elements: Number, width: int) -> Number:
    """Bytes of a stored weight, in the allocator's cells."""
    return round_up(elements * width, CELL)


@step("nf4_weight")
def nf4_bytes(elements: Number) -> Number:
    """Bytes of a weight in bitsandbytes' NF4 with double quantisation: half a byte each, one scale a block of 64 in 8 bits,
    one fp32 a block of 256 scales, and the tables of both codes."""
    scales = ceil_div(elements, 64)
    return (
        round_up(ceil_div(elements, 2), CELL) + round_up(scales, CELL) + round_up(4 * ceil_div(scales, 256), CELL)
        + round_up(4 * 256, CELL) + 2 * CELL
    )  # fmt: skip


@step("nf4_single_weight")
def nf4_single_bytes(elements: Number) -> Number:
    """As `nf4_bytes` without double quantisation: one fp32 scale a block of 64."""
    return round_up(ceil_div(elements, 2), CELL) + round_up(4 * ceil_div(elements, 64), CELL) + CELL


@step("int8_weight")
def int8_bytes(elements: Number, rows: Number) -> Number:
    """Bytes of a weight in bitsandbytes' LLM.int8(): one a weight and an fp32 scale a row."""
    return round_up(elements, CELL) + round_up(4 * rows, CELL)


@dataclass(frozen=True)
class Memory:
    """A step's bytes, before kernels' workspaces and what the process adds."""

    parameters: int
    trained: int
    weights: Number
    adapter: Number
    gradients: Number
    optimizer: Number
    inputs: Number
    buffers: Number
    peak: Number
    peak_parts: dict[str, Number]
    peak_event: str
    end_parts: dict[str, Number]
    """At the end of backward: every gradient is there, no activation."""
    expert_bytes: Number = 0
    """Of the weights, those of routed experts."""
    block_bytes: Number = 0
    """Weights of the largest block, as they are stored."""


def stored_bytes(weight: Weight, recipe: Recipe) -> Number:
    """Bytes of one weight at rest."""
    if weight.quantised:
        if recipe.method == "lora8bit":
            return int8_bytes(weight.elements, weight.rows)
        return nf4_bytes(weight.elements) if recipe.double_quant else nf4_single_bytes(weight.elements)
    return weight_bytes(weight.elements, weight.width)


def account(model: ModelSpec, recipe: Recipe, detailed: bool = False, described: Described | None = None) -> Memory:
    """The bytes of one step of this recipe; `detailed` tells the peak's parts apart by operation.

    `described` is the model's anatomy where it is at hand; the step uses it up."""
    whole, counted = described or anatomy(model, recipe)
    around = (whole.embedding, whole.final, *((whole.positions,) if whole.positions else ()))
    around = (*around, *(() if model.head.tied else (whole.head.weight,)), *((whole.head.bias,) if whole.head.bias else ()))
    every = [(weight, times) for block, times in counted for weight in weights_in(block)]
    every += [(weight, 1) for weight in weights_in(around)]
    towers = tower_weights(Maker(model, recipe))
    every += [(weight, times) for thing, times in towers for weight in weights_in(thing)]
    adapters = {id(w) for thing, _ in (*counted, *towers) for w in adapter_weights(thing)}
    resting = total(times * stored_bytes(w, recipe) for w, times in every if id(w) not in adapters)
    adapter = total(times * stored_bytes(w, recipe) for w, times in every if id(w) in adapters)
    trained = [(w, times) for w, times in every if w.trained]
    gradients = total(times * weight_bytes(w.elements, w.width) for w, times in trained)
    chosen = optimizers.optimizer(recipe.optimizer)
    states = optimizers.state_bytes(chosen, trained, recipe.mastered)
    if recipe.method == "prompt":
        prompt = Weight(recipe.virtual_tokens * model.hidden, 4, True)
        every, trained = [*every, (prompt, 1)], [(prompt, 1)]
        adapter = weight_bytes(prompt.elements, 4)
        adapters.add(id(prompt))
        gradients = adapter
        recipe = replace(recipe, sequence_tokens=recipe.sequence_tokens + recipe.virtual_tokens, input_gradients=True)
        states = optimizers.state_bytes(chosen, trained)
    rows = recipe.micro_batch * recipe.sequence_tokens
    inputs = (2 + int(recipe.padded)) * round_up(rows * 8, CELL)
    buffers = optimizers.buffer_bytes(whole)
    tape = Tape(autocast=recipe.autocast, accumulated=recipe.accumulate, detailed=detailed)
    tape.hold("weights", resting)
    tape.hold("adapter", adapter)
    tape.hold("optimizer", states)
    tape.hold("inputs", inputs + buffers)
    if recipe.accumulate:
        tape.hold("gradients", gradients)
    if recipe.mastered:
        tape.hold("master", total(times * weight_bytes(w.elements, 4) for w, times in trained))
    done = Step(recipe, whole, tape)
    done.run()
    end = optimizers.run(tape, chosen, trained, gradients)
    blocks = [total(stored_bytes(w, recipe) for w in weights_in(block) if id(w) not in adapters) for block, _ in counted]
    routed = [(w, times) for block, times in counted for w in (getattr(block.feed, "gate_up", None), getattr(block.feed, "down", None))]
    return Memory(
        int(sum(w.elements * times for w, times in every if id(w) not in adapters)),
        int(sum(w.elements * times for w, times in trained)),
        resting, adapter, gradients, states, inputs, buffers,
        tape.peak.bytes, tape.peak.parts, tape.peak.event, end,
        total(times * stored_bytes(w, recipe) for w, times in routed if isinstance(w, Weight)),
        functools.reduce(most, blocks),
    )  # fmt: skip


def adapter_weights(block: object) -> list[Weight]:
    """The weights of the adapters of a block, or of anything made of layers."""
    found: list[Weight] = []

    def look(thing: object) -> None:
        if isinstance(thing, Adapter):
            found.extend(weights_in(thing))
        else:
            for item in thing if isinstance(thing, tuple) else parts(thing):
                look(item)

    look(block)
    return found
