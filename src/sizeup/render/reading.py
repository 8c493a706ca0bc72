"""What reading takes a model: does it go in at once, what it holds, how long one waits, in how many parts."""

from __future__ import annotations

from sizeup.page import Page, cells, cut, indented, pad
from sizeup.tokens.reading import Reading

from .amounts import duration, percent
from .answer import headline, shortfall
from .names import machine_line, quant_name
from .options import nearest_rows
from .tables import EDGE, pairs


def reading(page: Page, found: Reading) -> list[str]:
    """Does it go in at once, what it holds, how long one waits; else in how many parts, and what would take it whole."""
    t = page.texts
    lines = headline(page, found.plan) if found.plan.fits and found.in_context else _refused(page, found)
    rows = []
    if found.context_tokens and found.share is not None:
        words = t("tokens.share", share=percent(found.share), context=f"{found.context_tokens:,}", answer=f"{found.answer_tokens:,}")
        rows.append((t("tokens.context"), words))
    rows.append((t("part.cache"), t("tokens.cache", size=page.bytes(found.cache_bytes), tokens=f"{found.plan_tokens:,}")))
    if found.parts is None:
        rows.append((t("tokens.parts"), t("tokens.no_parts")))
    elif found.parts > 1:
        rows.append((t("tokens.parts"), t("tokens.in_parts", parts=f"{found.parts:,}", tokens=f"{found.room_tokens:,}")))
    if found.prefill_s is not None:
        rows.append((t("speed.prefill"), duration(page, *found.prefill_s)))
        if found.first_token_s is not None:
            key = "tokens.first_of_parts" if (found.parts or 1) > 1 else "tokens.first"
            rows.append((t("tokens.wait"), t(key, time=duration(page, *found.first_token_s))))
    else:
        rows.append((t("speed.prefill"), t("speed.unknown")))
    lines += ["", *pairs(page, rows)]
    if found.others:
        words = t("tokens.others", models=t("list.comma").join(found.others))
        lines += ["", *indented(words, page.width, EDGE)]
    if not found.plan.fits and found.nearest:
        lines += ["", *nearest_rows(page, found.plan, found.nearest)]
    if not found.in_context:
        lines += ["", *(page.paint(line, "dim") for line in indented(t("tokens.or_rag"), page.width, EDGE))]
    return lines


def _refused(page: Page, found: Reading) -> list[str]:
    """The verdict where it does not go in at once: of the context, and of the machine."""
    t = page.texts
    verdict = page.paint(t("fit.no"), "bad")
    name = f"{found.plan.model.name}  {quant_name(page, found.plan)}"
    space = page.width - len(EDGE) - cells(verdict if not page.colour else t("fit.no")) - 2
    lines = [EDGE + pad(page.paint(cut(name, space), "strong"), space) + "  " + verdict]
    lines += indented(machine_line(page, found.plan.machine), page.width, EDGE)
    if not found.in_context:
        needed = f"{found.tokens.high + found.answer_tokens:,.0f}"
        words = t("tokens.over", needed=needed, context=f"{found.context_tokens or 0:,}")
        lines += [page.paint(line, "bad") for line in indented(words, page.width, EDGE)]
    if not found.plan.fits:
        lines += [page.paint(line, "bad") for words in shortfall(page, found.plan) for line in indented(words, page.width, EDGE)]
    return lines
