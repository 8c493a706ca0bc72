"""Verdicts on browsers for a terminal: a table of browsers and engines, the reasons beneath; or shares of an audience."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.page import Page, indented

from .tables import EDGE, Column, table

if TYPE_CHECKING:
    Rows = Sequence[tuple["Typical", Sequence["Verdict"]]]

    from sizeup.browser.audience import Audience
    from sizeup.browser.classes import Typical
    from sizeup.browser.load import Reason
    from sizeup.browser.model import Model
    from sizeup.browser.shares import Reach, Share
    from sizeup.browser.verdict import Verdict

MARKS = {"yes": "✓", "maybe": "~", "no": "✗", "unknown": "?"}


def browsers(page: Page, model: str, builds: Sequence[Model], rows: Rows) -> str:
    """A row a typical browser, a column an engine; then why not, and which build it is about."""
    t = page.texts
    lines = ["", EDGE + page.paint(t("browser.cli.title", model=model), "strong"), ""]
    if not builds:
        return "\n".join([*lines, *indented(t("browser.cli.none"), page.width, EDGE)]) + "\n"
    names = [verdict.model.engine for verdict in rows[0][1]]
    columns = [Column(t("browser.cli.browser"), [t(f"browser.class.{one.id}") for one, _ in rows], least=12)]
    for index, name in enumerate(names):
        columns.append(Column(_engine(name), [_cell(verdicts[index]) for _, verdicts in rows]))
    used = {verdict.model.id for _, verdicts in rows for verdict in verdicts}
    lines += [*table(page, columns), "", *_reasons(page, rows), *_builds(page, [build for build in builds if build.id in used])]
    return "\n".join([*lines, "", *_dim(page, t("browser.cli.rule"))]) + "\n"


def visitors(page: Page, model: str, builds: Sequence[Model], audience: Audience, tokens_per_s: float, rows: Sequence[Reach]) -> str:
    """A row an engine: which share downloads it, loads it, runs it at the pace; sure to possible."""
    t = page.texts
    title = t("browser.cli.audience", model=model, count=f"{len(audience.visitors):,}")
    lines = ["", EDGE + page.paint(title, "strong"), ""]
    if not rows:
        return "\n".join([*lines, *indented(t("browser.cli.none"), page.width, EDGE)]) + "\n"
    columns = [
        Column(t("browser.cli.engine"), [_engine(row.engine) if row.engine else t("browser.cli.any") for row in rows]),
        Column(t("browser.cli.can_download"), [_share(row.download) for row in rows], right=True),
        Column(t("browser.cli.can_load"), [_share(row.load) for row in rows], right=True),
        Column(t("browser.cli.at_least", pace=f"{tokens_per_s:g}"), [_share(row.pace) for row in rows], right=True),
    ]
    lines += [*table(page, columns), "", *_dim(page, t("browser.cli.shares")), *_main_reasons(page, rows)]
    smallest = {build.engine: build for build in sorted(builds, key=lambda build: -(build.bytes or 0))}
    lines += ["", *_builds(page, [smallest[row.engine] for row in rows if row.engine])]
    if audience.ignored:
        lines += ["", *_dim(page, t("browser.cli.ignored", names=t("list.comma").join(audience.ignored)))]
    return "\n".join(lines) + "\n"


def reason(page: Page, cause: Reason) -> str:
    """A cause in words, its figures as sizes."""
    from sizeup.browser.limits import value

    figures: dict[str, str] = {}
    for name, figure in cause.figures.items():
        figures[name] = figure if isinstance(figure, str) else f"{figure:.2g}" if name == "upper" else page.bytes(figure)
    if cause.key == "prompt_downloadable":
        figures["size"] = page.bytes(value("builtin.bytes"))
    return page.texts(f"browser.reason.{cause.key}", **figures)


def _engine(id: str) -> str:
    from sizeup.browser.limits import engines

    return engines()[id].name


def _cell(verdict: Verdict) -> str:
    speed = verdict.speed
    if verdict.answer == "no" or speed.lower is None or speed.upper is None:
        return MARKS[verdict.answer]
    return f"{MARKS[verdict.answer]} {_pace(speed.lower)}–{_pace(speed.upper)}"


def _pace(tokens_per_s: float) -> str:
    return f"{tokens_per_s:.1f}" if tokens_per_s < 9.95 else f"{tokens_per_s:.0f}"


def _share(share: Share) -> str:
    low, high = f"{share.sure:.0%}", f"{share.possible:.0%}"
    return high if low == high else f"{low.rstrip('%')}–{high}"


def _reasons(page: Page, rows: Rows) -> list[str]:
    """Each cause once, with the browsers it holds for; figures are those of the first of them."""
    t = page.texts
    found: dict[tuple[str, str], tuple[Verdict, list[str]]] = {}
    for one, verdicts in rows:
        for verdict in verdicts:
            if verdict.reason.key != "fits":
                entry = found.setdefault((verdict.model.engine, verdict.reason.key), (verdict, []))
                entry[1].append(t(f"browser.class.{one.id}"))
    lines = []
    for (engine, _), (verdict, names) in found.items():
        words = f"{_engine(engine)}{t('browser.colon')}{reason(page, verdict.reason)}"
        lines += indented(words, page.width, f"{EDGE}{MARKS[verdict.answer]} ")
        lines += [page.paint(line, "dim") for line in indented(t("list.semicolon").join(names), page.width, EDGE + "  ")]
    return [*lines, ""] if lines else []


def _main_reasons(page: Page, rows: Sequence[Reach]) -> list[str]:
    t = page.texts
    lines = []
    for row in rows:
        if row.reason is not None:
            words = t("browser.cli.main_reason", reason=reason(page, row.reason), share=f"{row.reason_share:.0%}")
            lines += indented(
                f"{_engine(row.engine) if row.engine else t('browser.cli.any')}{t('browser.colon')}{words}", page.width, EDGE + "✗ "
            )
    return ["", *lines] if lines else []


def _builds(page: Page, builds: Sequence[Model]) -> list[str]:
    """What would be downloaded; the browser's own model is its own business."""
    t = page.texts
    builds = [build for build in builds if build.engine != "builtin"]
    if not builds:
        return []
    columns = [
        Column(t("browser.cli.build"), [build.id for build in builds], least=20),
        Column(t("browser.cli.engine"), [_engine(build.engine) for build in builds], rank=1),
        Column(
            t("browser.cli.download"), [page.bytes(build.bytes) if build.bytes else t("browser.unknown") for build in builds], right=True
        ),
        Column("", [t(f"browser.badge.{build.precision}") if build.precision else "" for build in builds]),
    ]
    return table(page, columns)


def _dim(page: Page, words: str) -> list[str]:
    return [page.paint(line, "dim") for line in indented(words, page.width, EDGE)]
