"""Optimizers: what each keeps for a trained weight, and what its step allocates. Facts are rows of data/optimizers.json."""

from __future__ import annotations

from dataclasses import dataclass

from sizeup.errors import UserError, close_names
from sizeup.facts import data_json
from sizeup.figure import Number, ceil_div, least, most, round_up, step, total, where

from .step import Anatomy
from .tape import Tape
from .tensors import CELL, Weight

SMALL = 4096
"""bitsandbytes keeps the state of weights with fewer values in fp32 (min_8bit_size)."""


@dataclass(frozen=True, slots=True)
class Optimizer:
    """A row: copies of the weight kept in its own width, in fp32, in 8-bit blocks; a counter per weight; where it lives."""

    name: str
    own: int = 0
    fp32: int = 0
    blocks8: int = 0
    counter: bool = False
    factored: bool = False
    paged: bool = False
    step_copies: int = 0
    """Temporaries as large as all trained weights during the step (foreach)."""
    low_rank: int = 0
    """GaLore's rank; the states are of the projected gradient."""
    source: str = ""


def optimizer(name: str) -> Optimizer:
    """An optimizer by its name."""
    rows = data_json("optimizers.json")["optimizers"]
    if name not in rows:
        near = close_names(name, rows, 1, 0.4)
        raise UserError(f"“{name}” is no optimizer that is known here.", near[0] if near else ", ".join(rows))
    return Optimizer(name, **rows[name])


@step("optimizer_state")
def moment_bytes(elements: Number, width: int, copies: int) -> Number:
    """So many tensors as large as the weight."""
    return copies * round_up(elements * width, CELL)


@step("optimizer_8bit_state")
def blocks8_bytes(elements: Number, copies: int) -> Number:
    """Moments in 8 bits with one fp32 scale for 256 of them (bitsandbytes)."""
    return copies * (round_up(elements, CELL) + round_up(4 * ceil_div(elements, 256), CELL))


@step("optimizer_low_rank_state")
def galore_bytes(wide: Number, narrow: Number, rank: Number, width: int) -> Number:
    """GaLore: the gradient's projection on its narrow side, and two moments of what is projected."""
    return round_up(width * narrow * rank, CELL) + 2 * round_up(width * wide * rank, CELL)


@step("optimizer_factored_state")
def factored_bytes(rows: Number, columns: Number) -> Number:
    """One fp32 number a row and one a column in place of one a weight."""
    return round_up(4 * rows, CELL) + round_up(4 * columns, CELL)


@step("factored_update")
def factored_update_bytes(elements: Number, rows: Number, width: int) -> Number:
    """What Adafactor's step makes for one matrix: the squared gradient and the update in fp32 and, when the weight is not,
    fp32 copies of gradient and weight; and the rows' factors."""
    whole = round_up(4 * elements, CELL)
    return (2 if width == 4 else 4) * whole + round_up(4 * rows, CELL)


def run(tape: Tape, chosen: Optimizer, trained: list[tuple[Weight, int]], gradients: Number) -> dict[str, Number]:
    """The optimizer's step: all gradients are there, activations are gone. The parts as it begins."""
    missing = gradients - tape.held("gradients")
    tape.hold("gradients", missing)
    tape.note("optimizer step")
    begins = dict(tape.live)
    extra: Number = 0
    if chosen.step_copies:
        extra = chosen.step_copies * total(times * round_up(w.elements * w.width, CELL) for w, times in trained)
    if chosen.factored:
        extra = most(*(factored_update_bytes(w.elements, w.rows, w.width) for w, _ in trained if w.rows))
    tape.hold("buffers", extra)
    tape.note("optimizer step")
    tape.hold("buffers", -extra)
    return begins


def state_bytes(chosen: Optimizer, trained: list[tuple[Weight, int]], mastered: bool = False) -> Number:
    """What the optimizer keeps between steps; beside an fp32 master copy its states are fp32 too."""
    return total(times * _state(chosen, weight, mastered) for weight, times in trained)


def _state(chosen: Optimizer, weight: Weight, mastered: bool) -> Number:
    parts: list[Number] = []
    if chosen.own:
        parts.append(moment_bytes(weight.elements, 4 if mastered else weight.width, chosen.own))
    if chosen.fp32:
        parts.append(moment_bytes(weight.elements, 4, chosen.fp32))
    if chosen.blocks8:
        small = moment_bytes(weight.elements, 4, chosen.blocks8)
        parts.append(where(weight.elements < SMALL, small, blocks8_bytes(weight.elements, chosen.blocks8)))
    if chosen.factored:
        parts.append(factored_bytes(weight.rows, weight.elements // weight.rows) if weight.rows else moment_bytes(weight.elements, 4, 1))
    if chosen.low_rank and weight.rows:
        columns = weight.elements // weight.rows
        wide, narrow = most(weight.rows, columns), least(weight.rows, columns)
        parts = [galore_bytes(wide, narrow, least(narrow, chosen.low_rank), weight.width)]
    if chosen.counter:
        parts.append(CELL)
    return total(parts)


def buffer_bytes(whole: Anatomy) -> Number:
    """Rotary frequencies that the model registers."""
    return 2 * whole.manner.rotary_tables * round_up(whole.rotary_dim * 2, CELL) if whole.manner.rotary else 0
