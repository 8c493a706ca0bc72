"""A ranking of models for a machine, and why one of them has its score."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.facts import data_json
from sizeup.page import Page, indented
from sizeup.quality import Score
from sizeup.quality_rows import Result, results
from sizeup.recommend import Choice, Ranking
from sizeup.traits import of_row
from sizeup.worth import pace

from .answer import EDGE
from .names import feeling, machine_line, parameters, speed_range
from .tables import Column, pairs, table

MARKS = {"measured": "", "self_reported": "!", "estimated": "~"}
"""How a score says at a glance that it was not measured by others."""


def models(page: Page, found: Ranking) -> str:
    """The models, best first, with what the scores are and what was left out said below."""
    t, choices = page.texts, found.choices
    lines = [""]
    if choices:
        lines += [*indented(machine_line(page, choices[0].machine), page.width, EDGE), ""]
    if not found.met:
        lines += [*_unmet(page, found), ""]
    lines += table(page, columns(page, choices))
    note = t("models.rule", task=t(f"task.{found.task}"), pace=f"{found.slowest_tokens_per_s:g}", anchor=_anchor())
    lines += ["", *(page.paint(line, "dim") for line in indented(note, page.width, EDGE))]
    marks = [
        f"{mark} {t(f'basis.{basis}_means')}" for basis, mark in MARKS.items() if any(c.score.basis == basis for c in choices) and mark
    ]
    if marks:
        lines += [page.paint(line, "dim") for line in indented(t("list.semicolon").join(marks), page.width, EDGE)]
    if any(choice.score.task == "general" for choice in choices):
        lines += [page.paint(line, "dim") for line in indented(_general(page, found.task), page.width, EDGE)]
    if found.lessons:
        lines += [page.paint(line, "dim") for line in indented(t("models.corrected", each=_lessons(page, found)), page.width, EDGE)]
    if choices:
        lines += [page.paint(line, "dim") for line in indented(t("hint.models", model=choices[0].model), page.width, EDGE)]
    return "\n".join(lines) + "\n"


def _lessons(page: Page, found: Ranking) -> str:
    """What the machine's own logs said, part by part; where a part lies on the host and on cards the place is said too."""
    t = page.texts
    words = []
    for one in found.lessons:
        twice = [one.part for other in found.lessons if other.part == one.part][1:]
        part = t.named("part", one.part) + (f" ({t(f'side.{one.side}')})" if twice else "")
        version = one.version or t("verify.no_version")
        words.append(
            t("models.lesson", part=part, percent=f"{one.factor:.1%}", count=one.runs, engine=one.engine, version=version, date=one.date)
        )
    return t("list.semicolon").join(words)


def columns(page: Page, choices: Sequence[Choice]) -> list[Column]:
    """The columns of a ranking, the least needed with the highest rank."""
    t = page.texts
    speeds = [choice.speed for choice in choices]
    return [
        Column("", [str(place) for place in range(1, len(choices) + 1)], right=True),
        Column(t("models.model"), [choice.model.rpartition("/")[2] for choice in choices], least=22),
        Column(t("models.parameters"), [_sizes(page, choice) for choice in choices], right=True, rank=5),
        Column(t("models.quant"), [choice.quant for choice in choices], rank=1),
        Column(t("models.score"), [MARKS[choice.score.basis] + _score(choice.score) for choice in choices], right=True),
        Column(t("models.memory"), [page.bytes(choice.outline.needed_bytes) for choice in choices], right=True, rank=3),
        Column(t("models.decode"), [speed_range(page, s) if s else "?" for s in speeds], right=True, rank=2),
        Column("", [feeling(page, s.tokens_per_s) if s else "" for s in speeds], rank=9),
        Column(t("models.context"), [_thousands(choice.listed.facts["context"]) for choice in choices], right=True, rank=7),
        Column(t("models.license"), [str(choice.listed.facts["license"] or "?") for choice in choices], rank=8),
        Column(t("models.age"), [str(choice.listed.facts["date"] or "?")[:7] for choice in choices], rank=6),
    ]


def _unmet(page: Page, found: Ranking) -> list[str]:
    t = page.texts
    if found.excluded:
        each = [t("models.excludes", wish=t(f"wish.{name}"), models=count) for name, count in found.excluded.items()]
        said = t("models.unmet", each=t("list.comma").join(each))
    elif any(choice.outline.fits for choice in found.choices):
        said = t("models.unmet_together")
    else:
        said = t("models.none")
    return [page.paint(line, "warn") for line in indented(said, page.width, EDGE)]


def _general(page: Page, task: str) -> str:
    """Why general scores stand where a task was asked for."""
    spoken = data_json("quality/tasks.json")["tasks"][task]["benchmarks"]
    return page.texts("models.general_some" if spoken else "models.general", task=page.texts(f"task.{task}"))


def _score(score: Score) -> str:
    return f"{score.value:.0f} ({score.lower:.0f}–{score.upper:.0f})"


def _sizes(page: Page, choice: Choice) -> str:
    total, active = choice.listed.parameters, choice.listed.active_parameters
    return (
        page.texts("models.active", total=parameters(total), active=parameters(active)) if active < total * 9 // 10 else parameters(total)
    )


def _thousands(tokens: int | None) -> str:
    return f"{tokens // 1024}K" if tokens else "?"


def _anchor() -> str:
    return str(data_json("quality/scores.json")["anchor"]["benchmark"])


def why(page: Page, choice: Choice, task: str) -> str:
    """Everything that one model's place rests on: rows with source and date, what was estimated, what the mix leaves, the pace."""
    t, score, kept = page.texts, choice.score, choice.kept
    model = choice.listed
    found = [
        (t("models.score"), t("why.score", score=_score(score), task=t(f"task.{task}"), anchor=_anchor(), basis=t(f"basis.{score.basis}"))),
        (
            t("why.kept"),
            t(
                f"why.kept_{kept.basis}",
                share=f"{kept.share:.1%}",
                low=f"{kept.lower:.1%}",
                high=f"{kept.upper:.1%}",
                kin=_kin(page, kept.kin),
            ),
        ),
    ]
    if score.task == "general":
        found.append((t("why.general"), _general(page, task)))
    rows = results(model.id)
    if score.basis == "estimated":
        found.append((t("why.estimate"), _estimated(page, choice)))
    if choice.speed:
        worth = t(
            "why.pace", speed=speed_range(page, choice.speed), share=f"{pace(choice.speed.tokens_per_s):.2f}", worth=f"{choice.worth:.0f}"
        )
        found.append((t("models.decode"), worth))
    found.append((t("models.license"), str(model.facts["license"] or t("why.unknown"))))
    lines = ["", EDGE + page.paint(f"{model.id}  {choice.quant}", "strong"), "", *pairs(page, found)]
    if rows:
        lines += ["", EDGE + t("why.rows"), "", *table(page, _rows(page, rows))]
        origins = dict.fromkeys(f"{row.source.where} ({row.source.date})" for row in rows)
        lines += ["", *(page.paint(line, "dim") for origin in origins for line in indented(origin, page.width, EDGE))]
    return "\n".join(lines) + "\n"


def _kin(page: Page, kin: str) -> str:
    mix, _, model = kin.partition(" of ")
    return page.texts("why.kin", mix=mix, model=model)


def _rows(page: Page, rows: Sequence[Result]) -> list[Column]:
    t = page.texts
    return [
        Column(t("why.benchmark"), [row.benchmark for row in rows], least=16),
        Column(t("models.score"), [f"{row.score:g}" for row in rows], right=True),
        Column(t("why.by"), [t("basis.self_reported" if row.self_reported else "basis.measured") for row in rows]),
        Column(t("why.for"), [t(f"task.{row.task}") for row in rows], rank=1),
        Column(t("why.date"), [row.source.date for row in rows], rank=2),
    ]


def _estimated(page: Page, choice: Choice) -> str:
    """From what a model without rows was estimated, and how far such estimates were off where rows could be left out."""
    t, model = page.texts, choice.listed
    error = data_json("quality/scores.json")["leave_one_out"]
    traits = of_row(model.facts, model.parameters, model.active_parameters)
    known = data_json("quality/scores.json")["makers"].get(traits.maker)
    return t(
        "why.estimated",
        maker=traits.maker if known else t("why.maker_unknown", maker=traits.maker),
        size=_sizes(page, choice),
        date=t("why.dated", date=traits.date, by=t(f"dated.{traits.dated_by}")) if traits.date else t("why.undated"),
        points=f"{error['median_points']:g}",
        p90=f"{error['p90_points']:g}",
        models=error["models"],
        held=f"{error['inside_80']:.0%}",
    ) + (t("why.made_of", origin=model.facts["made_of"]) if model.facts["made_of"] else "")
