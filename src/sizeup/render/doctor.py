"""What the doctor found, a line each, with the way out under it."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.doctor import Check
from sizeup.page import Page, cells, indented, pad

from .answer import EDGE

MARKS = {"ok": "✓", "note": "·", "bad": "✗"}
PAINT = {"ok": "", "note": "dim", "bad": "bad"}


def doctor(page: Page, checks: Sequence[Check]) -> str:
    """A line for each check: its mark, what it is about, what was found; below it what to do."""
    t = page.texts
    names = {check.name: t(f"doctor.{check.name}") for check in checks}
    column = max(cells(name) for name in names.values()) + 2
    lines = [""]
    for check in checks:
        head = f"{EDGE}{MARKS[check.state]} {pad(names[check.name], column)}"
        lines += [page.paint(line, PAINT[check.state]) for line in indented(said(page, check), page.width, head)]
        if check.hint:
            blank = " " * (cells(EDGE) + 2 + column)
            lines += indented(t("error.try", hint=t.sentence(check.hint)), page.width, blank)
    return "\n".join(lines) + "\n"


def said(page: Page, check: Check) -> str:
    """What was found, in words: sizes as this page shows them."""
    if check.said:
        return page.texts.sentence(check.said)
    shown = {name.removesuffix("_bytes"): page.bytes(value) if name.endswith("_bytes") else value for name, value in check.values.items()}
    if "limits" in shown or "why" in shown:
        shown = {name: page.texts.sentence(value) if name in ("limits", "why") and value else value for name, value in shown.items()}
    if "part" in shown:
        shown["part"] = page.texts.named("part", str(shown["part"]))
    if check.name == "logs" and check.state == "note" and not check.values["older"]:
        return page.texts("doctor.logs.formula", **shown)
    return page.texts(f"doctor.{check.name}.{check.state}", **shown)
