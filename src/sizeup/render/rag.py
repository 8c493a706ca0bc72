"""What retrieval takes: chunks, one prompt, both models side by side, the index, the waits."""

from __future__ import annotations

from sizeup.interval import Interval
from sizeup.page import Page, cells, cut, indented, pad
from sizeup.plan import Plan
from sizeup.tokens.rag import Rag

from .amounts import amount, duration
from .answer import shortfall
from .names import machine_line, pool_name, quant_name
from .tables import EDGE, pairs


def rag(page: Page, found: Rag) -> list[str]:
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


def _between(page: Page, found: Interval | None) -> str:
    return page.texts("speed.unknown") if found is None else duration(page, found.low, found.middle, found.high)


def _size(page: Page, found: Interval) -> str:
    ends = [page.bytes(end) for end in (found.low, found.middle, found.high)]
    return ends[1] if ends[0] == ends[2] else page.texts("dataset.about", middle=ends[1], low=ends[0], high=ends[2])
