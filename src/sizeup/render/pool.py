"""What a serving engine's pool of cache pages comes to: blocks, tokens, requests at once."""

from __future__ import annotations

from sizeup.figure import plain
from sizeup.page import Page, indented
from sizeup.plan import Plan, ServingBreakdown

from .tables import EDGE


def pool_lines(page: Page, plan: Plan) -> list[str]:
    """The sentence about the pool, with an empty line behind it; nothing where there is none."""
    words = pool_words(page, plan)
    return [*indented(words, page.width, EDGE), ""] if words else []


def pool_words(page: Page, plan: Plan) -> str:
    """One sentence about the pool; "" for engines without one and for plans that do not fit."""
    breakdown = plan.breakdown
    if not isinstance(breakdown, ServingBreakdown) or breakdown.pool is None or not plan.fits:
        return ""
    t, pool = page.texts, breakdown.pool
    block, least = int(plain(pool.block_tokens)), int(plain(pool.least_blocks))
    values = {
        "blocks": f"{breakdown.num_blocks:,}",
        "block": f"{block:,}",
        "tokens": f"{int(plain(pool.request_tokens)):,}",
        "requests": f"{breakdown.max_concurrency:,.2f}",
        "printed": f"{pool.printed_tokens:,}",
        "least": f"{least:,}",
    }
    words = t("pool.slots" if block == 1 else "pool.blocks", **values)
    if left_over(plan):
        words += t("list.semicolon") + t("pool.least", **values)
    return words


def left_over(plan: Plan) -> set[str]:
    """The cache, where it is what other parts leave, and so no surer than they are."""
    pool = plan.breakdown.pool if isinstance(plan.breakdown, ServingBreakdown) else None
    return {"cache"} if pool is not None and plain(pool.least_blocks) != plain(pool.num_blocks) else set()
