"""A dataset file, and how many examples which purpose takes."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.datasets.count import Dataset
from sizeup.page import Page, indented
from sizeup.sft import Purpose

from .tables import EDGE, Column, pairs, table


def dataset(page: Page, found: Dataset, known: Sequence[Purpose]) -> str:
    """Examples, tokens, their lengths, and which purposes took so many."""
    t = page.texts
    spread = found.tokens
    if found.counted:
        count = f"{spread.middle:,.0f}"
    else:
        count = t("dataset.about", middle=f"{spread.middle:,.0f}", low=f"{spread.low:,.0f}", high=f"{spread.high:,.0f}")
    rows = [
        (
            t("dataset.examples"),
            f"{found.examples:,}" + (f"{t('list.comma')}{t('dataset.empty', count=f'{found.empty:,}')}" if found.empty else ""),
        ),
        (t("dataset.tokens"), count),
        (
            t("dataset.example"),
            t("dataset.lengths", median=f"{found.median_tokens:,}", p95=f"{found.p95_tokens:,}", longest=f"{found.longest_tokens:,}"),
        ),
        (t("dataset.characters"), f"{found.characters:,}"),
    ]
    if found.by_kind:
        shares = t("list.comma").join(f"{t(f'script.{kind}')} {number / found.characters:.0%}" for kind, number in found.by_kind)
        rows.append((t("dataset.scripts"), shares))
    rows += [(t("dataset.fields"), " ".join(found.fields)), (t("dataset.passed_over"), " ".join(found.passed_over))]
    rows.append((t("dataset.tokenizer"), found.tokenizer or t("dataset.estimated")))
    near = [purpose for purpose in known if purpose.low <= found.examples]
    suits = t("list.comma").join(t(f"purpose.{purpose.name}") for purpose in near)
    rows.append((t("dataset.enough"), suits or t("dataset.too_few", count=known[0].low)))
    lines = ["", *(page.paint(line, "strong") for line in indented(found.path, page.width, EDGE)), "", *pairs(page, rows)]
    for note in found.notes:
        lines += ["", *(page.paint(line, "warn") for line in indented(t.sentence(note), page.width, EDGE))]
    return "\n".join(lines) + "\n"


def purposes(page: Page, known: Sequence[Purpose]) -> str:
    """Examples by purpose, each with the published work it rests on."""
    t = page.texts
    lines = ["", *indented(t("purpose.title"), page.width, EDGE), ""]
    names = [t(f"purpose.{purpose.name}") for purpose in known]
    ranges = [f"{purpose.low:,}–{purpose.high:,}" for purpose in known]
    lines += table(page, [Column("", names, least=10), Column(t("dataset.examples"), ranges, right=True)])
    lines.append("")
    for purpose in known:
        for each in purpose.evidence:
            words = f"{each.examples:,}{t('list.comma')}{each.source.where}"
            lines += [page.paint(line, "dim") for line in indented(words, page.width, EDGE)]
    return "\n".join([*lines, "", *(page.paint(line, "dim") for line in indented(t("purpose.quality"), page.width, EDGE))]) + "\n"
