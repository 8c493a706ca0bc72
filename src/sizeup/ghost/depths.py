"""Which depths and batch sizes a plan's context has room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sizeup.engines.llamacpp.slots import PADDING, slots
from sizeup.errors import UserError
from sizeup.figure import plain
from sizeup.plan import Plan

SPARE = 2
"""Tokens of a step that nobody times, after sequences were copied."""


def needed_context(depths: Sequence[int], batches: Sequence[int], prompt_tokens: int, decode_tokens: int) -> int:
    """Tokens of context that hold every point: each sequence at the deepest, and what is computed after it."""
    each = max(depths, default=0) + max(prompt_tokens, decode_tokens + SPARE)
    return -(-each // PADDING) * PADDING * max(batches, default=1)


def check(plan: Plan, asked: dict[str, Any]) -> None:
    """Raises UserError for points that the plan's settings have no room for."""
    if min(asked["depths"]) < 0 or min(asked["batches"]) < 1:
        raise UserError("A depth is 0 or more tokens, and a batch 1 or more sequences.", "--depths 0,4096 --batches 1,4")
    if not plan.model.causal:
        raise UserError(f"{plan.model.name} keeps no cache, so that it has no depths and batches.", "sizeup rehearse MODEL without them")
    most = max(asked["batches"])
    if most > plan.settings.sequences:
        raise UserError(
            f"A batch of {most} needs as many sequences, and the plan has {plan.settings.sequences}.", f"--sequences {most}"
        )  # fmt: skip
    room = int(plain(slots(plan.model, plan.settings).sequence_tokens))
    if plan.settings.unified_cache:
        room //= most
    deepest, after = max(asked["depths"]), max(asked["prompt_tokens"], asked["decode_tokens"] + SPARE)
    if deepest + after > room:
        raise UserError(
            f"Depth {deepest} and {after} tokens after it do not fit into the context, which holds {room} tokens of each sequence.",
            f"--context {needed_context([deepest], [plan.settings.sequences], asked['prompt_tokens'], asked['decode_tokens'])}",
        )
