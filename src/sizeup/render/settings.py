"""What an engine can be told by `--set`: name, values, default, and what each does."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.page import Page, cells, indented, pad
from sizeup.settable import Setting

from .tables import EDGE

WIDEST = 34
"""Cells of a name with its values; longer ones have a line of their own."""


def settings(page: Page, engine: str, found: Sequence[tuple[Setting, str]]) -> str:
    """A line or two for each setting."""
    t = page.texts
    lines = ["", *indented(page.paint(t("settings.title", engine=engine), "strong"), page.width, EDGE), ""]
    column = min(max((cells(_typed(one)) for one, _ in found), default=0), WIDEST) + 2
    for one, does in found:
        words = does if one.default in (None, "", ()) else t("settings.default", does=does, default=_said(one.default))
        first = EDGE + pad(_typed(one), column)
        if cells(_typed(one)) + 2 > column:
            lines += indented(_typed(one).replace("|", "| "), page.width, EDGE, EDGE + "    ")
            first = " " * (column + len(EDGE))
        lines += indented(words, page.width, first)
    return "\n".join([*lines, "", *indented(t("settings.how"), page.width, EDGE), ""])


def _typed(one: Setting) -> str:
    return f"{one.name}={one.shown}"


def _said(default: object) -> str:
    """A default as one would type it."""
    return {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default)
