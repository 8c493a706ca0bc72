"""What shrinking saves and costs: a table of outcomes, and below it what the figures rest on."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.facts import Source
from sizeup.figure import plain
from sizeup.i18n import Texts
from sizeup.page import Page, cells, indented
from sizeup.shrinking import Shrinkage
from sizeup.shrinking.evidence import Row
from sizeup.shrinking.notes import Note
from sizeup.shrinking.steps import Step
from sizeup.shrinking.weigh import Outcome
from sizeup.units import show_rate

from .answer import assumed, doubted
from .names import machine_line, parameters
from .tables import EDGE, Column, table

LONGEST = 42
"""Cells that the names of combinations may take before they take a second line."""
LONGEST_ALONE = 24
"""The same of techniques beside all that they save."""


def shrink(page: Page, found: Shrinkage) -> str:
    """The answer of `sizeup shrink`."""
    t = page.texts
    base = found.base
    head = t(
        "shrink.head",
        model=found.model.name,
        parameters=parameters(found.model.parameters),
        quant=base.form.label,
        tokens=f"{found.context_tokens:,}",
    )
    lines = ["", *indented(head, page.width, EDGE), *indented(machine_line(page, found.machine), page.width, EDGE), ""]
    if found.goal is not None:
        lines += [*indented(_goal(page, found), page.width, EDGE), ""]
    # The model as it is stands in the first row already.
    reached = [row for row in found.reached if row.steps]
    rows = [base, *found.alone, *([found.together] if found.together else []), *reached]
    marks = _marks(rows)
    lines += [*table(page, _columns(page, rows, marks, found.goal is not None)), ""]
    lines += [*_formats(page, found), ""] if found.formats else []
    rest = [t("shrink.formats_note")] if found.formats else []
    rest += [(t(f"shrink.note_{note.key}", **_places(page, note))) for note in found.notes]
    rest += [f"{steps_words(t, row.steps)}: {t.sentence(row.refusal.message)}" for row in rows if row.refusal is not None]
    rest += [t("shrink.measured", mark=mark, row=row_words(t, row)) for row, mark in marks.items()]
    rest += [t("shrink.rests_on", names=t("list.comma").join(kin))] if (kin := _kin(rows)) else []
    rest += [t("shrink.scores", names=names) for names in dict.fromkeys(names for row in rows for names in row.cost.scores)]
    rest += [t("shrink.said", text=t.sentence(text), source=source.where, date=source.date) for text, source in _told(rows)]
    beside = sum(int(plain(tower.parameters())) for tower in found.model.towers)
    rest += [t("shrink.beside", parameters=parameters(beside))] if beside else []
    rest += [*_training(page, rows), t("shrink.rule")]
    for words in rest:
        lines += [page.paint(line, "dim") for line in indented(words, page.width, EDGE + "· ", EDGE + "  ")]
    lines += doubted(page, assumed(page, found.model, found.machine))
    return "\n".join(lines) + "\n"


def _formats(page: Page, found: Shrinkage) -> list[str]:
    """What other engines read, in the order of their names."""
    t, listed = page.texts, found.formats
    columns = [
        Column(t("shrink.format"), [one.name for one in listed]),
        Column(t("shrink.engine"), [one.engine for one in listed]),
        Column(t("shrink.stored"), [page.bytes(one.stored_bytes) for one in listed], right=True),
        Column(t("shrink.kept"), [_share(one.kept.share) for one in listed], right=True),
    ]
    return table(page, columns)


def _goal(page: Page, found: Shrinkage) -> str:
    t = page.texts
    assert found.goal is not None
    to = page.bytes(found.goal.to_bytes)
    if found.reached:
        return t("shrink.reached" if found.reached[0].steps else "shrink.reached_as_is", to=to)
    least = found.goal.smallest
    if least is None:
        return t("shrink.unreached", to=to)
    return t("shrink.smallest", to=to, least=page.bytes(least.needed_bytes), steps=steps_words(t, least.steps))


def _columns(page: Page, rows: Sequence[Outcome], marks: dict[Row, int], combined: bool) -> list[Column]:
    t = page.texts
    names = [steps_words(t, row.steps) for row in rows]
    memory = ["–" if row.memory_bytes is None else page.bytes(row.memory_bytes) for row in rows]
    # Of combinations it matters most what they are made of, and what they need; of one technique what it saves.
    stored, moved, needed = (1, 2, 0) if combined else (0, 1, 2)
    least = min(max(map(cells, names)), LONGEST if combined else LONGEST_ALONE)
    return [
        Column(t("shrink.technique"), names, least=least, wraps=True),
        Column(t("shrink.stored"), [page.bytes(row.stored_bytes) for row in rows], right=True, rank=stored),
        Column(t("shrink.moved"), [page.bytes(row.moved_bytes) for row in rows], right=True, rank=moved),
        Column(t("shrink.memory"), memory, right=True, rank=needed),
        Column(t("shrink.pace"), [_pace(t, row) for row in rows], right=True),
        Column(t("shrink.kept"), [_kept(t, row, marks) for row in rows], right=True),
        Column(t("shrink.work"), [t(f"shrink.work_{row.cost.labour.level}") if row.steps else "" for row in rows]),
    ]


def steps_words(t: Texts, steps: Sequence[Step]) -> str:
    """Several steps as one cell."""
    words = (t(f"shrink.step_{step.technique}", **{name: _shown(value) for name, value in step.places.items()}) for step in steps)
    return " + ".join(words) or t("shrink.as_is")


def _shown(value: object) -> str:
    """A count with its thousands apart, a share in per cent, a name as it is."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.0%}" if isinstance(value, float) else str(value)


def _pace(t: Texts, row: Outcome) -> str:
    if row.plan is None:
        return "–"
    if not row.plan.fits:
        return t("shrink.no_room")
    return "?" if row.decode is None else show_rate(row.decode.tokens_per_s)


def _kept(t: Texts, row: Outcome, marks: dict[Row, int]) -> str:
    if not row.steps:
        return ""
    cost = row.cost
    found = t("shrink.unknown") if cost.share is None else _share(cost.share)
    return found + "".join(f" [{marks[one]}]" for one in cost.rows)


def _share(share: float) -> str:
    return f"{share:.1%}" if share > 0.9 else f"{share:.0%}"


def _marks(rows: Sequence[Outcome]) -> dict[Row, int]:
    """Every measurement with its number below the table."""
    found: dict[Row, int] = {}
    for row in rows:
        for one in row.cost.rows:
            found.setdefault(one, len(found) + 1)
    return found


def row_words(t: Texts, row: Row) -> str:
    """A measurement in one line: what was done to which model, before and after, by whom."""
    before = "" if row.before is None or row.kind == "nats" else f"{row.before:g} → "
    unit = {"points": t("shrink.points"), "nats": t("shrink.nats")}.get(row.kind, "")
    healed = t("shrink.healed", tokens=parameters(row.healed_tokens)) if row.healed_tokens else ""
    figures = f"{row.metric} {before}{row.after:g}{' ' + unit if unit else ''}"
    return t(
        "shrink.row",
        method=row.method,
        model=row.model,
        removed=f"{row.removed:.0%}",
        figures=figures,
        healed=healed,
        source=row.source.where,
        date=row.source.date,
    )


def _kin(rows: Sequence[Outcome]) -> list[str]:
    """What losses of formats rest on, without repeating the mix of every row."""
    return list(dict.fromkeys(kin.rpartition(" of ")[2].partition(",")[0] for row in rows for kin in row.cost.kin))


def _told(rows: Sequence[Outcome]) -> list[tuple[str, Source]]:
    return list(dict.fromkeys(told for row in rows for told in row.cost.told))


def _training(page: Page, rows: Sequence[Outcome]) -> list[str]:
    """Device hours of what has to be trained, each once."""
    t = page.texts
    found: dict[str, None] = {}
    for row in rows:
        work = row.cost.labour
        if work.device_hours is not None:
            hours = f"{work.device_hours.low:,.0f}–{work.device_hours.high:,.0f}"
            words = t(
                "shrink.training", steps=steps_words(t, row.steps), tokens=parameters(work.tokens or 0), hours=hours, device=work.device
            )
            found[words] = None
    return list(found)


def _places(page: Page, note: Note) -> dict[str, object]:
    return {name: page.bytes(value) if name == "bytes" else _shown(value) for name, value in note.places.items()}
