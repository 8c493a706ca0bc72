"""Tokens of real things: the whole, each file, what could not be counted; what reading takes, and what retrieval takes."""

from __future__ import annotations

from sizeup.interval import Interval
from sizeup.page import Page, cells, cut, indented, one_line, pad
from sizeup.plan import Plan
from sizeup.tokens.found import Thing, Tokens
from sizeup.tokens.rag import Rag
from sizeup.tokens.reading import Reading

from .answer import assumed, doubted, headline, shortfall
from .names import machine_line, pool_name, quant_name, seconds
from .options import nearest_rows
from .tables import EDGE, Column, pairs, table

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
        lines += ["", *_reading(page, reading), *doubted(page, assumed(page, reading.plan.model, reading.plan.machine))]
        if found.modality is not None:
            lines += ["", *(page.paint(line, "dim") for line in indented(page.texts("tokens.no_encoder"), page.width, EDGE))]
    elif rag is not None:
        lines += ["", *_rag(page, rag), *doubted(page, assumed(page, rag.plan.model, rag.plan.machine))]
    elif found.things and not model:
        lines += ["", *_sizes(page, found.tokens)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def amount(page: Page, tokens: Interval) -> str:
    """One number when it was counted; an estimate rounded, with its ends."""
    if tokens.low == tokens.high:
        return f"{tokens.middle:,.0f}"
    return page.texts("dataset.about", middle=_rounded(tokens.middle), low=_rounded(tokens.low), high=_rounded(tokens.high))


def _rounded(count: float) -> str:
    """Three digits are as much as an estimate is worth."""
    whole = round(count)
    places = max(len(str(whole)) - 3, 0)
    return f"{round(whole, -places):,}"


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
        words = t("tokens.more", files=f"{len(found.things) - len(shown):,}", tokens=_rounded(rest))
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
    return f"{tokens.middle:,.0f}" if tokens.low == tokens.high else f"~{_rounded(tokens.middle)}"


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
    each = [f"{_context(size)} {_percent(tokens.times(1 / size))}" for size in SIZES]
    lines = indented(t("tokens.of_contexts", each=t("list.comma").join(each)), page.width, EDGE)
    return [*lines, *(page.paint(line, "dim") for line in indented(t("tokens.name_a_model"), page.width, EDGE))]


def _context(size: int) -> str:
    return f"{size >> 20}M" if size >= 1 << 20 else f"{size >> 10}K"


def _percent(share: Interval) -> str:
    return f"{share.middle:.0%}" if share.middle >= 0.095 else f"{share.middle:.1%}"


def _reading(page: Page, found: Reading) -> list[str]:
    """Does it go in at once, what it holds, how long one waits; else in how many parts, and what would take it whole."""
    t = page.texts
    lines = headline(page, found.plan) if found.plan.fits and found.in_context else _refused(page, found)
    rows = []
    if found.context_tokens and found.share is not None:
        words = t("tokens.share", share=_percent(found.share), context=f"{found.context_tokens:,}", answer=f"{found.answer_tokens:,}")
        rows.append((t("tokens.context"), words))
    rows.append((t("part.cache"), t("tokens.cache", size=page.bytes(found.cache_bytes), tokens=f"{found.plan_tokens:,}")))
    if found.parts is None:
        rows.append((t("tokens.parts"), t("tokens.no_parts")))
    elif found.parts > 1:
        rows.append((t("tokens.parts"), t("tokens.in_parts", parts=f"{found.parts:,}", tokens=f"{found.room_tokens:,}")))
    if found.prefill_s is not None:
        rows.append((t("speed.prefill"), _range(page, *found.prefill_s)))
        if found.first_token_s is not None:
            key = "tokens.first_of_parts" if (found.parts or 1) > 1 else "tokens.first"
            rows.append((t("tokens.wait"), t(key, time=_range(page, *found.first_token_s))))
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


def _range(page: Page, least: float, likely: float, most: float) -> str:
    """A duration with its ends."""
    return page.texts("dataset.about", middle=seconds(page, likely), low=seconds(page, least), high=seconds(page, most))


def _between(page: Page, found: Interval | None) -> str:
    return page.texts("speed.unknown") if found is None else _range(page, found.low, found.middle, found.high)


def _size(page: Page, found: Interval) -> str:
    ends = [page.bytes(end) for end in (found.low, found.middle, found.high)]
    return ends[1] if ends[0] == ends[2] else page.texts("dataset.about", middle=ends[1], low=ends[0], high=ends[2])


def _rag(page: Page, found: Rag) -> list[str]:
    """Chunks, one question's prompt, what is held side by side, and the waits."""
    t, wanted = page.texts, found.wanted
    verdict = t("fit.fits") if found.fits else t("fit.no")
    title = f"{found.plan.model.name}  {quant_name(page, found.plan)}{t('list.plus')}{found.embedder.model.name}"
    space = page.width - len(EDGE) - cells(verdict) - 2
    lines = [EDGE + pad(page.paint(cut(title, space), "strong"), space) + "  " + page.paint(verdict, "good" if found.fits else "bad")]
    lines += indented(machine_line(page, found.plan.machine), page.width, EDGE)
    for plan in (found.plan, found.embedder):
        if not plan.fits:
            lines += [page.paint(line, "bad") for words in shortfall(page, plan) for line in indented(words, page.width, EDGE)]
    if not found.in_context:
        lines += [page.paint(line, "bad") for line in indented(t("tokens.rag_over"), page.width, EDGE)]
    cut_as = t("tokens.cut", chunk=f"{wanted.chunk_tokens:,}", overlap=f"{wanted.overlap_tokens:,}")
    prompt = t(
        "tokens.prompt",
        tokens=f"{found.prompt_tokens:,}",
        chunks=f"{wanted.top_k:,}",
        chunk=f"{wanted.chunk_tokens:,}",
        system=f"{wanted.system_tokens:,}",
        question=f"{wanted.question_tokens:,}",
    )
    index = t("tokens.vectors", size=_size(page, found.index_bytes), dimensions=f"{found.dimensions:,}", type=wanted.vector_type)
    graph = t("tokens.with_links", size=_size(page, found.links_bytes), links=wanted.links) if wanted.links else t("tokens.no_links")
    rows = [
        (t("tokens.chunks"), f"{amount(page, found.chunks)}{t('list.comma')}{cut_as}"),
        (t("tokens.one_prompt"), prompt),
        (t("tokens.answers"), _held(page, found, found.plan)),
        (t("tokens.embeds"), _held(page, found, found.embedder)),
        (
            t("tokens.index"),
            f"{index}{t('list.comma')}{graph}" + ("" if found.index_pool else f"{t('list.semicolon')}{t('tokens.no_room')}"),
        ),
        (t("tokens.wait"), t("tokens.first", time=_between(page, found.first_token_s))),
        (
            t("tokens.whole_answer"),
            f"{_between(page, found.answer_s)}{t('list.comma')}{t('unit.tokens', count=f'{wanted.answer_tokens:,}')}",
        ),
        (t("tokens.embed_all"), _between(page, found.embed_s)),
    ]
    return [*lines, "", *pairs(page, rows)]


def _held(page: Page, found: Rag, plan: Plan) -> str:
    """What a model takes of each memory."""
    pools = [pool for pool in plan.breakdown.by_pool() if pool != "disk"]
    each = [f"{page.bytes(plan.breakdown.needed_bytes(pool))} {pool_name(page, found.plan.machine, pool)}" for pool in pools]
    return page.texts("list.comma").join(each)
