"""What serves one target of a plan for a cluster: its times against the goals, the memory of a rank, what starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sizeup.page import Page, indented
from sizeup.plan import ServingBreakdown

from .fleet_words import number, seconds, split
from .names import short_device
from .tables import EDGE, pairs

if TYPE_CHECKING:
    from sizeup.fleet.layout import Layout
    from sizeup.fleet.placing import Placed
    from sizeup.fleet.target import Target
    from sizeup.fleet.ways import Part


def asked(page: Page, target: Target) -> str:
    """The load in words."""
    t = page.texts
    load = t("fplan.users", users=f"{target.load:g}") if target.users is not None else t("fplan.rate", rate=f"{target.load:g}")
    return t("fplan.asked", load=load, prompt=f"{target.prompt_tokens:,}", answer=f"{target.answer_tokens:,}", longest=f"{target.length:,}")


def one(page: Page, placed: Placed) -> list[str]:
    """What serves one target: its times against the goals, the memory of a rank, what starts it."""
    t = page.texts
    target = placed.target
    lines = indented(page.paint(target.model.name, "strong") + t("fleet.colon") + asked(page, target), page.width, EDGE)
    for part in placed.way.parts:
        layout, now = part.layout, placed.under(part)
        low, high = layout.paced.band()
        told = [
            (
                t("fplan.first"),
                t(
                    "fplan.first_is",
                    p50=seconds(now.first_p50_s),
                    p90=seconds(now.first_p90_s),
                    least=seconds(now.first_least_s),
                    most=seconds(now.first_most_s),
                    goal=seconds(target.first_token_s),
                ),
            ),
            (
                t("fplan.between"),
                t(
                    "fplan.between_is",
                    likely=seconds(now.token_s),
                    least=seconds(now.token_s * low),
                    most=seconds(now.token_s * high),
                    goal=seconds(target.token_s),
                ),
            ),
            (t("fplan.at_once"), at_once(page, part, now.batch)),
            *(((t("fplan.network"), network(page, layout)),) if layout.split.nodes > 1 else ()),
            (t("fplan.memory"), memory(page, layout)),
            (t("fplan.carries"), carries(page, placed, part)),
        ]
        if len(placed.way.parts) > 1:
            lines += ["", EDGE + page.paint(f"{short_device(layout.on.name)}, {layout.engine} {split(layout.split)}", "strong")]
        lines += pairs(page, told)
        lines += [page.paint(line, "command") for line in indented(layout.command(target), page.width, EDGE + "  ")]
        if on_ray := layout.ray_command(target, part.replicas):
            lines += [*indented(t("fplan.on_ray"), page.width, EDGE)]
            lines += [page.paint(line, "command") for line in indented(on_ray, page.width, EDGE + "  ")]
    return lines


def at_once(page: Page, part: Part, batch: float) -> str:
    """Requests that run at the same time, of those that may."""
    t, layout = page.texts, part.layout
    words = t("fplan.at_once_is", batch=f"{batch:.1f}", places=f"{layout.paced.places:,}")
    if isinstance(layout.breakdown, ServingBreakdown) and layout.breakdown.pool:
        words += t("fplan.at_once_full", full=f"{layout.breakdown.max_concurrency:.1f}")
    return words


def network(page: Page, layout: Layout) -> str:
    """What a step of one token waits for between the nodes of a replica."""
    t, over = page.texts, layout.paced.over
    if over is None:
        return t("fplan.network_unknown")
    least, likely, most = (seconds(float(one.seconds(1))) for one in over)
    return t("fplan.network_is", name=layout.on.network, count=over.likely.crossings, likely=likely, least=least, most=most)


def memory(page: Page, layout: Layout) -> str:
    """Of the fullest rank, by part; what a host's pools take."""
    t = page.texts
    ranks = layout.rank_bytes()
    fullest = max(ranks, key=lambda parts: sum(parts.values()))
    parts = t("list.comma").join(f"{t.named('part', part)} {page.bytes(bytes)}" for part, bytes in fullest.items())
    card = layout.on.card
    pool = layout.on.machine.pool(card.pool) if card is not None and not layout.whole else None
    total = page.bytes(sum(fullest.values()))
    return (
        t("fplan.memory_is", total=total, card=page.bytes(pool.bytes), parts=parts)
        if pool is not None
        else f"{total}{t('fleet.colon')}{parts}"
    )


def carries(page: Page, placed: Placed, part: Part) -> str:
    """What one replica takes within the goals, and what it gets."""
    key = "fplan.carries_users" if placed.target.users is not None else "fplan.carries_rate"
    return page.texts(key, most=number(part.layout.capacity), gets=number(placed.load_each(part)))
