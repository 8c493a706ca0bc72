"""Tokens of real things: the whole, each file, what could not be counted; what reading takes, and what retrieval takes."""

from __future__ import annotations

from sizeup.interval import Interval
from sizeup.page import Page, indented, one_line
from sizeup.tokens.found import Thing, Tokens
from sizeup.tokens.rag import Rag
from sizeup.tokens.reading import Reading

from .amounts import amount, percent, rounded
from .answer import assumed, doubted
from .names import seconds
from .rag import rag as retrieved
from .reading import reading as read
from .tables import EDGE, Column, table

MOST_ROWS = 20
"""Files that are listed, the largest first."""
MOST_REASONS = 10
"""Different things that are told of files, each once."""
MOST_NAMED = 3
"""Files that are named for one reason."""
SIZES = (8_192, 32_768, 131_072, 262_144, 1_048_576)
"""Contexts that models are made for, shown where no model is named."""


def tokens(page: Page, found: Tokens, model: str = "", reading: Reading | None = None, rag: Rag | None = None) -> str:
    """The whole answer."""
    lines = ["", *_whole(page, found), *_things(page, found), *_left_out(page, found)]
    if reading is not None:
        lines += ["", *read(page, reading), *doubted(page, assumed(page, reading.plan.model, reading.plan.machine))]
        if found.modality is not None:
            lines += ["", *(page.paint(line, "dim") for line in indented(page.texts("tokens.no_encoder"), page.width, EDGE))]
    elif rag is not None:
        lines += ["", *retrieved(page, rag), *doubted(page, assumed(page, rag.plan.model, rag.plan.machine))]
    elif found.things and not model:
        lines += ["", *_sizes(page, found.tokens)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _whole(page: Page, found: Tokens) -> list[str]:
    t = page.texts
    files = len(found.known)
    said = t("tokens.whole_one" if files == 1 else "tokens.whole", tokens=amount(page, found.tokens), files=f"{files:,}")
    lines = [page.paint(line, "strong") for line in indented(said, page.width, EDGE)]
    if unknown := len(found.things) - files:
        words = t("tokens.without_one" if unknown == 1 else "tokens.without", files=f"{unknown:,}")
        lines += [page.paint(line, "warn") for line in indented(words, page.width, EDGE)]
    if any(thing.characters for thing in found.things) and (found.tokenizer or not found.notes):
        how = t("tokens.counted", tokenizer=found.tokenizer) if found.tokenizer else t("tokens.estimated")
        lines += [page.paint(line, "dim") for line in indented(how, page.width, EDGE)]
    for note in found.notes:
        lines += [page.paint(line, "warn") for line in indented(t.sentence(note), page.width, EDGE)]
    return lines


def _things(page: Page, found: Tokens) -> list[str]:
    """The largest files, each with what is to be known of it."""
    t = page.texts
    shown = sorted(found.things, key=lambda thing: -thing.tokens.middle)[:MOST_ROWS]
    if not shown:
        return []
    kinds = [t(f"tokens.kind_{thing.kind}") for thing in shown]
    counts = ["?" if thing.how == "unknown" else _short(thing.tokens) for thing in shown]
    facts = [_facts(page, thing) for thing in shown]
    columns = [
        Column(t("dataset.tokens"), counts, right=True),
        Column("", kinds),
        Column("", [one_line(thing.path) for thing in shown], least=16),
        Column("", facts, rank=1, least=8),
    ]
    lines = ["", *table(page, columns)]
    if len(found.things) > len(shown):
        rest = sum(thing.tokens.middle for thing in found.things) - sum(thing.tokens.middle for thing in shown)
        words = t("tokens.more", files=f"{len(found.things) - len(shown):,}", tokens=rounded(rest))
        lines += [page.paint(line, "dim") for line in indented(words, page.width, EDGE)]
    same: dict[str, list[str]] = {}
    for thing in found.things:
        for note in thing.notes:
            same.setdefault(note, []).append(thing.path)
    for note, paths in list(same.items())[:MOST_REASONS]:
        words = t("tokens.note", path=_named(page, paths), note=t.sentence(note))
        lines += [page.paint(line, "warn") for line in indented(words, page.width, EDGE)]
    return lines


def _short(tokens: Interval) -> str:
    return f"{tokens.middle:,.0f}" if tokens.low == tokens.high else f"~{rounded(tokens.middle)}"


def _facts(page: Page, thing: Thing) -> str:
    """Pages, pixels, a duration, turns, or an encoding that is not the usual one."""
    t = page.texts
    facts = []
    if thing.pages:
        facts.append(t("tokens.pages_one" if thing.pages == 1 else "tokens.pages", count=f"{thing.pages:,}"))
    if thing.turns:
        facts.append(t("tokens.turns_one" if thing.turns == 1 else "tokens.turns", count=f"{thing.turns:,}"))
    if thing.width and thing.height:
        facts.append(f"{thing.width}×{thing.height}")
    if thing.seconds is not None:
        facts.append(seconds(page, thing.seconds))
    if thing.encoding not in ("", "utf-8", "ascii"):
        facts.append(thing.encoding)
    if thing.picture_tokens is not None:
        facts.append(t("tokens.as_pictures", tokens=_short(thing.picture_tokens)))
    return t("list.comma").join(facts)


def _left_out(page: Page, found: Tokens) -> list[str]:
    """What could not be counted, each by name, and what was passed over, by reason."""
    t = page.texts
    lines: list[str] = []
    if found.skipped:
        lines += ["", EDGE + page.paint(t("tokens.skipped", count=len(found.skipped)), "warn")]
        same: dict[tuple[str, str], list[str]] = {}
        for one in found.skipped:
            same.setdefault((one.message, one.hint), []).append(one.path)
        for (message, hint), paths in list(same.items())[:MOST_REASONS]:
            words = one_line(t.sentence(message))
            words = t("tokens.try", why=words, hint=t.sentence(hint)) if hint else words
            if not any(path in message for path in paths):
                words = t("tokens.note", path=_named(page, paths), note=words)
            lines += indented(words, page.width, EDGE + "  ")
        if len(same) > MOST_REASONS:
            lines.append(EDGE + "  …")
    if found.passed_over:
        each = t("list.comma").join(t(f"tokens.passed_{why}", count=f"{count:,}") for why, count in sorted(found.passed_over.items()))
        lines += ["", *(page.paint(line, "dim") for line in indented(t("tokens.passed", each=each), page.width, EDGE))]
    return lines


def _named(page: Page, paths: list[str]) -> str:
    """The first of several files by name, the others by number."""
    t = page.texts
    files = t("list.comma").join(map(one_line, paths[:MOST_NAMED]))
    return files if len(paths) <= MOST_NAMED else t("tokens.and_files", files=files, count=f"{len(paths) - MOST_NAMED:,}")


def _sizes(page: Page, tokens: Interval) -> list[str]:
    """The share of contexts that models have."""
    t = page.texts
    each = [f"{_context(size)} {percent(tokens.times(1 / size))}" for size in SIZES]
    lines = indented(t("tokens.of_contexts", each=t("list.comma").join(each)), page.width, EDGE)
    return [*lines, *(page.paint(line, "dim") for line in indented(t("tokens.name_a_model"), page.width, EDGE))]


def _context(size: int) -> str:
    return f"{size >> 20}M" if size >= 1 << 20 else f"{size >> 10}K"
