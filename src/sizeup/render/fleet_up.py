"""What `sizeup fleet up` started on a cluster, or handed over to be started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.page import Page, indented

from .answer import EDGE
from .tables import pairs

if TYPE_CHECKING:
    from sizeup.fleet.serve_llm import Handed
    from sizeup.fleet.serve_plan import Application
    from sizeup.fleet.serve_told import Served


def started_on_processors(page: Page, one: Served, asked: Application) -> str:
    """A model file that is served: where it answers, what a replica takes of a node, and which nodes cannot run one."""
    t = page.texts
    each = t("fleet.each", cores=asked.cores, bytes=page.bytes(asked.memory_bytes), sequences=asked.sequences)
    why: dict[str, list[str]] = {}
    for name, reason in asked.left_out.items():
        why.setdefault(reason, []).append(name)
    left_out = [f"{t('list.comma').join(names)}{t('fleet.colon')}{t.sentence(reason)}" for reason, names in why.items()]
    rows = [(t("fleet.replica"), each), *((t("fleet.left_out"), words) for words in left_out)]
    return _started(page, one, asked.model, _replicas(page, asked.replicas, asked.room), rows)


def started_on_cards(page: Page, one: Served, asked: Handed) -> str:
    """A checkpoint that is served: where it answers, how its ranks are placed, and what one takes of a card."""
    return _started(page, one, asked.name, _replicas(page, asked.replicas, asked.group.room), _ranks(page, asked)) + warned(
        page, asked.warnings
    )


def _started(page: Page, one: Served, model: str, replicas: str, rows: Sequence[tuple[str, str]]) -> str:
    t = page.texts
    told = [
        (t("fleet.answers"), f"{one.address.rstrip('/')}/v1"),
        (t("fleet.replicas"), replicas),
        *rows,
        (t("fleet.ends"), f"sizeup fleet down {one.name}"),
    ]
    return _titled(page, t("fleet.up", model=model), told)


def handed(page: Page, found: Handed, path: str) -> str:
    """What Ray Serve LLM is handed: where the ranks go, what one takes of a card, the file, what to type."""
    t = page.texts
    rows = [
        (t("fleet.replicas"), _replicas(page, found.replicas, found.group.room)),
        *_ranks(page, found),
        (t("fleet.start_it"), f"serve deploy {path}"),
    ]
    return _titled(page, t("fleet.handed", model=found.plan.model.name), rows) + warned(page, found.warnings)


def warned(page: Page, warnings: Sequence[str]) -> str:
    """What a person should know besides; "" for nothing."""
    t = page.texts
    return "".join("\n" + "\n".join(indented(t.sentence(text), page.width, f"{EDGE}! ")) + "\n" for text in warnings)


def _titled(page: Page, title: str, rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(["", *indented(page.paint(title, "strong"), page.width, EDGE), "", *pairs(page, rows)]) + "\n"


def _replicas(page: Page, replicas: tuple[int, int], room: int) -> str:
    least, most = replicas
    return page.texts("fleet.of_room", replicas=f"{least}" if least == most else f"{least}–{most}", room=room)


def _ranks(page: Page, found: Handed) -> list[tuple[str, str]]:
    t, group, settings = page.texts, found.group, found.plan.settings
    cards = t("fleet.ranks", tensor=settings.tensor_parallel, pipeline=settings.pipeline_parallel, card=group.card or t("fleet.any_card"))
    return [
        (t("fleet.placed"), f"{cards}{t('list.comma')}{group.strategy}"),
        (t("fleet.card_takes"), page.bytes(found.card_bytes)),
    ]
