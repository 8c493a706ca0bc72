"""A training plan's lines behind the account of its step: why, how fast, how large, what else would do, how to write it down."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sizeup.page import Page, indented, pad, right
from sizeup.training.planned import TrainingPlan

from .answer import command

EDGE = "  "
OTHERS = 2


def plan_lines(page: Page, plans: Sequence[TrainingPlan], typed: Sequence[str]) -> list[str]:
    """The best plan, the next ones in a line each, and the command that writes the best one's configuration; `typed` is what was
    asked for, as words of a command."""
    t, best = page.texts, plans[0]
    recipe, split = best.training.recipe, best.training.split
    lines = ["", *(line for reason in best.reasons for line in indented(t.sentence(reason), page.width, EDGE))]
    key, places = ("plan.batch", {"devices": split.data}) if split.data > 1 else ("plan.batch_one", {})
    whole = best.accumulation * recipe.micro_batch * split.data
    lines += indented(t(key, batch=recipe.micro_batch, times=best.accumulation, sequences=whole, **places), page.width, EDGE)
    if best.speed is None or best.step_s is None:
        lines += indented(t("plan.speed_unknown"), page.width, EDGE)
    else:
        low, high = (f"{best.speed.low:,.0f}", f"{best.speed.high:,.0f}")
        lines += indented(t("plan.speed", low=low, high=high, sequences=whole, seconds=_seconds(best.step_s)), page.width, EDGE)
        if best.speed.source.kind == "assumed":
            lines += [page.paint(line, "dim") for line in indented(t("plan.speed_assumed"), page.width, EDGE)]
    longest = {"tokens": f"{recipe.sequence_tokens:,}", "longest": f"{best.largest_sequence_tokens:,}"}
    lines += indented(t("plan.largest", batch=best.largest_micro_batch, **longest), page.width, EDGE)
    if len(plans) > 1:
        lines += ["", EDGE + page.paint(t("plan.others"), "strong")]
        lines += [_other(page, plan) for plan in plans[1 : 1 + OTHERS]]
    words = shlex.join(["sizeup", "train", *typed, "--emit", "trl", "--to", "./run"])
    return [*lines, "", *indented(t("plan.emit"), page.width, EDGE), *command(page, words)]


def _other(page: Page, plan: TrainingPlan) -> str:
    t, recipe, split = page.texts, plan.training.recipe, plan.training.split
    words = f"{recipe.method} {recipe.dtype}  " + t("train.batch", batch=recipe.micro_batch, tokens=f"{recipe.sequence_tokens:,}")
    if split.data > 1:
        words += f"  ZeRO {split.zero}" if split.zero else "  DDP"
    rate = t("plan.rate_unknown") if plan.tokens_per_s is None else t("plan.rate", rate=f"{plan.tokens_per_s:,.0f}")
    return EDGE + "  " + pad(words, 40) + right(page.bytes(plan.training.process_bytes), 10) + "   " + rate


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:,.0f} s"
