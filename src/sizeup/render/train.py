"""The answer to "what does it take to train": verdict, bar, a row per part, what makes the peak, what else would fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sizeup.page import Page, cells, cut, indented, pad, right
from sizeup.training.result import Training

from .bar import GLYPHS, memory_bar
from .names import machine_line
from .names import parameters as count_of

EDGE = "  "


def train(page: Page, training: Training, changes: list[tuple[dict[str, Any], Training]], plan: Sequence[str] = ()) -> str:
    """The whole answer; `changes` are those that make it fit when it does not, `plan` the lines of a plan."""
    t, breakdown = page.texts, training.breakdown
    lines = ["", *_headline(page, training)]
    needed = training.process_bytes
    if training.limit_bytes is not None and not training.fits:
        words = t("train.needs", needed=page.bytes(needed), free=page.bytes(training.limit_bytes))
        lines += [page.paint(line, "bad") for line in indented(words, page.width, EDGE)]
    limit = training.limit_bytes if training.limit_bytes is not None else needed
    lines += ["", *(EDGE + line for line in memory_bar(page, breakdown, "vram:0", limit, page.width - len(EDGE))), ""]
    parts = {part: int(bytes) for part, bytes in breakdown.by_part().items() if int(bytes)}
    width = max(cells(t.named("part", part)) for part in parts) + 2
    for part, count in parts.items():
        start = (
            EDGE + page.paint(GLYPHS.get(part, "■"), part) + " " + pad(t.named("part", part), width) + right(page.bytes(count), 10) + "   "
        )
        lines += indented(t(f"train.part.{part}") if t.has(f"train.part.{part}") else "", page.width, start)
    lines += ["", *indented(t("train.peak", site=t.named("leaf", training.site), peak=page.bytes(training.peak_bytes)), page.width, EDGE)]
    told = {"allocated": training.allocated_bytes, "reserved": training.reserved_bytes, "process": needed}
    lines += indented(t("train.beyond", **{name: page.bytes(count) for name, count in told.items()}), page.width, EDGE)
    if training.tower_parameters:
        words = t(f"train.tower.{training.recipe.tower}", parameters=count_of(training.tower_parameters))
        lines += indented(words, page.width, EDGE)
    if training.host_bytes:
        lines += indented(t("train.host", bytes=page.bytes(training.host_bytes)), page.width, EDGE)
    saved = {name: page.bytes(count) for name, count in (("whole", training.checkpoint_bytes), ("saved", training.saved_bytes))}
    lines += indented(t("train.checkpoint", **saved), page.width, EDGE)
    lines += [page.paint(line, "dim") for line in indented(t(f"train.known.{training.source.kind}"), page.width, EDGE)]
    lines += plan
    if training.fits is False:
        lines += ["", *_changes(page, changes)]
    return "\n".join(line.rstrip() for line in [*lines, ""]) + "\n"


def _headline(page: Page, training: Training) -> list[str]:
    t, recipe = page.texts, training.recipe
    asked = f"{training.model.name}  {recipe.method} {recipe.dtype}  " + t(
        "train.batch", batch=recipe.micro_batch, tokens=f"{recipe.sequence_tokens:,}"
    )
    if training.fits is None or training.machine is None:
        return [EDGE + page.paint(cut(asked, page.width - len(EDGE)), "strong")]
    verdict = t("fit.fits") if training.fits else t("fit.no")
    space = page.width - len(EDGE) - cells(verdict) - 2
    shown = page.paint(verdict, "good" if training.fits else "bad")
    head = EDGE + pad(page.paint(cut(asked, space), "strong"), space) + "  " + shown
    return [head, *indented(machine_line(page, training.machine), page.width, EDGE)]


def _changes(page: Page, changes: list[tuple[dict[str, Any], Training]]) -> list[str]:
    t = page.texts
    if not changes:
        return indented(t("train.nothing"), page.width, EDGE)
    lines = [EDGE + page.paint(t("nearest.title"), "strong")]
    for change, found in changes:
        words = t("list.comma").join(_option(name, value) for name, value in change.items())
        lines.append(EDGE + "  " + pad(words, page.width - len(EDGE) - 14) + right(page.bytes(found.process_bytes), 10))
    return lines


def _option(name: str, value: Any) -> str:
    """A changed setting as it is typed."""
    typed = {"micro_batch": "batch", "sequence_tokens": "sequence", "kbit_prep": "kbit-prep"}.get(name, name)
    return (f"--{typed}" if value else f"--no-{typed}") if isinstance(value, bool) else f"--{typed} {value}"
