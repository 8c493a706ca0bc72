"""Where a number comes from: how a figure, a breakdown or a plan was made."""

from __future__ import annotations

from .derivation_line import Derivation, Line
from .derivation_plan import breakdown_lines, format_lines, room_lines, speed_lines
from .derivation_walk import Walk
from .figure import Figure
from .i18n import Texts, texts
from .plan import PARTS, Breakdown, Plan
from .replay import traced_breakdown

SPEED_PARTS = ("decode",)
PARTS_TO_ASK = (*PARTS, *SPEED_PARTS, "all")
"""What may stand after --why."""


def explain(thing: Figure | Breakdown | Plan, part: str | None = None, lang: str = "en", units: str = "iec") -> Derivation:
    """How the numbers of a figure, a breakdown or a plan were made; `part` keeps one part ("cache", "decode").

    A plan is computed once more with figures, and the total must come out the same. Raises UserError for a part that
    is not in it, with those that are.
    """
    t = texts(lang)
    if isinstance(thing, Figure):
        return Derivation((Walk(t, units).line(thing),), lang, units)
    if isinstance(thing, Plan):
        return Derivation(tuple(plan_lines(thing, part, t, units)), lang, units)
    return Derivation(tuple(breakdown_lines(thing, part, Walk(t, units))), lang, units)


def plan_lines(plan: Plan, part: str | None, t: Texts, units: str) -> list[Line]:
    """The trees of a plan: its claims replayed with figures, its weights by format, the room, its speed."""
    breakdown, walk = traced_breakdown(plan), Walk(t, units)
    lines = [] if part in SPEED_PARTS else breakdown_lines(breakdown, part, walk)
    if part in (None, "weights", "repacked"):
        lines += format_lines(plan, t)
    if part is None:
        lines += room_lines(plan, t)
    if part is None or part in SPEED_PARTS:
        lines += speed_lines(plan, walk)
    return lines
