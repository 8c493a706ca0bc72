"""The Pareto front: every way to run a model that no other beats in everything at once."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.choice import Choice
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.page import Page, indented
from sizeup.units import show_rate

from .names import machine_line, seconds
from .options import placement
from .tables import EDGE, Column, table

MOST = 16


def front(page: Page, model: ModelSpec, machine: Machine, choices: Sequence[Choice]) -> str:
    """The ways worth most, a row each, with how many there are in all."""
    t, shown = page.texts, choices[:MOST]
    lines = ["", EDGE + page.paint(model.name, "strong"), *indented(machine_line(page, machine), page.width, EDGE), ""]
    if not choices:
        return "\n".join([*lines, *indented(t("front.none"), page.width, EDGE)]) + "\n"
    waits = [seconds(page, one.first_token_s) if one.first_token_s else "?" for one in shown]
    plans = [one.trial.plan() for one in shown]
    lines += table(
        page,
        [
            Column(t("models.quant"), [plan.quant for plan in plans]),
            Column(t("front.cache"), [str(getattr(plan.settings, "k", "")) for plan in plans], rank=1),
            Column(t("front.context"), [f"{one.context_tokens:,}" for one in shown], right=True),
            Column(t("front.kept"), [f"{one.kept:.1%}" for one in shown], right=True),
            Column(t("front.pace"), [show_rate(one.tokens_per_s) if one.tokens_per_s else "?" for one in shown], right=True),
            Column(t("front.wait"), waits, right=True),
            Column(t("front.room"), [page.bytes(one.room_bytes) for one in shown], right=True, rank=2),
            Column("", [placement(page, plan) for plan in plans], least=10, rank=3),
        ],
    )
    words = t("front.rule", shown=len(shown), count=len(choices))
    return "\n".join([*lines, "", *(page.paint(line, "dim") for line in indented(words, page.width, EDGE))]) + "\n"
