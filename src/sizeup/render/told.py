"""An answer's words for a screen that lays out by itself: the sentences of the terminal's answer, keyed, without its lines.

The page draws bars and tables from the numbers; every word beside them is made here, so that no rule of telling is written twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from sizeup.figure import plain
from sizeup.page import Page
from sizeup.plan import Plan

from . import comparison
from .answer import FIRST_TOKENS, basis, doubts, evidence, reclaimable, shortfall, unknown_speed
from .names import feeling, machine_line, pool_name, quant_name, seconds, speed_range
from .options import change, differs, reason
from .origins import origin
from .pool import pool_words

if TYPE_CHECKING:
    from sizeup.comparison import Comparison, Row


class OptionTold(TypedDict):
    """Another plan: what it changes and what it wins, in words; its pace alone."""

    quant: str
    why: str
    words: str
    pace: str
    command: str


class Told(TypedDict):
    """The words of one answer in one language."""

    fits: bool
    quant: str
    machine: str
    pools: dict[str, str]
    origins: dict[str, str]
    """Part -> what its bytes rest on and how exact they are."""
    shortfall: list[str]
    pool: str
    """What a serving engine's pool of cache pages comes to; empty for others."""
    pace: str | None
    full: str | None
    feeling: str | None
    basis: str
    """What binds the pace and what it is known from; why it is unknown when it is."""
    prefill: str | None
    first_tokens: int
    first: list[str] | None
    """Least, likely and most wait for the first token of an answer to `first_tokens` of prompt."""
    load: str | None
    reason: str | None
    evidence: list[str]
    levels: dict[str, str]
    """Part or speed ("decode") -> how well it is known: predicted, or the best of proved, rehearsed and measured that agrees to the byte."""
    doubts: list[tuple[str, str]]
    others: list[OptionTold]
    nearest: list[OptionTold]


def told(page: Page, plan: Plan, others: Sequence[Plan] = (), nearest: Sequence[Plan] = (), prompt_tokens: int | None = None) -> Told:
    """All words of the answer to "does it fit": `others` are further plans for the same model, `nearest` what fits instead.

    `prompt_tokens` is the prompt whose wait is told, FIRST_TOKENS unless said.
    """
    prompt_tokens = prompt_tokens or FIRST_TOKENS
    speed = plan.speed
    first = speed.first_token_s(prompt_tokens)
    better = next((other for other in others if other.fits and other.why == "better"), None)
    return {
        "fits": plan.fits,
        "quant": quant_name(page, plan),
        "machine": machine_line(page, plan.machine),
        "pools": {pool: pool_name(page, plan.machine, pool) for pool in plan.breakdown.by_pool()},
        "origins": {part: _origin(page, plan, part) for part, count in plan.breakdown.by_part().items() if plain(count)},
        "shortfall": shortfall(page, plan),
        "pool": pool_words(page, plan),
        "pace": speed_range(page, speed.decode) if speed.decode else None,
        "full": speed_range(page, speed.full, "speed.at_full") if speed.full else None,
        "feeling": feeling(page, speed.decode.tokens_per_s) if speed.decode else None,
        "basis": basis(page, plan) if speed.decode else unknown_speed(page, plan),
        "prefill": speed_range(page, speed.prefill) if speed.prefill else None,
        "first_tokens": prompt_tokens,
        "first": [seconds(page, count) for count in first] if first else None,
        "load": seconds(page, speed.load_s) if speed.load_s is not None else None,
        "reason": reason(page, plan, better) if plan.fits and plan.why in ("recommended", "asked") else None,
        "evidence": evidence(page, plan),
        "levels": _levels(plan),
        "doubts": doubts(page, plan),
        "others": [_option(page, other, page.texts("list.comma").join(differs(page, plan, other))) for other in others if other.fits],
        "nearest": [_option(page, option, change(page, plan, option)) for option in nearest],
    }


LEVELS = ("predicted", "proved", "rehearsed", "measured")


def _levels(plan: Plan) -> dict[str, str]:
    found = dict.fromkeys([*plan.breakdown.by_part(), "decode"], "predicted")
    for proof in sorted(plan.evidence, key=lambda one: LEVELS.index(one.level)):
        found |= {part: proof.level for part, gap in proof.difference_bytes.items() if gap == 0 and part in found}
        if proof.decode_tokens_per_s:
            found["decode"] = proof.level
    return found


def _origin(page: Page, plan: Plan, part: str) -> str:
    return page.texts("list.semicolon").join(words for words in (origin(page, plan, part), reclaimable(page, plan, part)) if words)


def _option(page: Page, option: Plan, words: str) -> OptionTold:
    pace = speed_range(page, option.speed.decode) if option.speed.decode else ""
    return {"quant": option.quant, "why": option.why, "words": words, "pace": pace, "command": option.command}


class CellTold(TypedDict):
    """One value of a comparison in words, and whether it is the better one."""

    words: str
    best: bool


class RowTold(TypedDict):
    """One row of a comparison."""

    label: str
    differs: bool
    cells: list[CellTold]


class ComparisonTold(TypedDict):
    """The words of a comparison in one language."""

    rows: list[RowTold]
    marks: str


def comparison_told(page: Page, found: Comparison) -> ComparisonTold:
    """All words of things side by side."""

    def cells(row: Row) -> list[CellTold]:
        return [{"words": comparison.cell(page, row, index), "best": index in row.best} for index in range(len(found.names))]

    rows: list[RowTold] = [
        {"label": comparison.row_label(page, row).strip(), "differs": row.differs, "cells": cells(row)} for row in found.rows
    ]
    return {"rows": rows, "marks": comparison.marks(page, found)}
