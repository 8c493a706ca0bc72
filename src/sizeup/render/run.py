"""A real run: what was predicted beside what was measured, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sizeup.page import Page, cells, indented, pad
from sizeup.plan import PARTS, Measurement, Plan
from sizeup.units import show_rate

from .answer import EDGE
from .names import seconds, speed_range
from .points import energy, held, loads, points, shown_rate, spread
from .tables import Column, table


def measurement(page: Page, plan: Plan, found: Measurement) -> str:
    """Predicted and measured bytes per part with the difference, the process, then the speeds."""
    t = page.texts
    predicted = plan.breakdown.as_reported()
    # Of fewer layers no part can be the whole's.
    parts = (
        [] if found.layers_run else [part for part in PARTS if found.buffers.get(part) or (predicted.get(part) and part in found.buffers)]
    )
    rows = [(t.named("part", part), predicted.get(part), found.buffers[part]) for part in parts]
    if found.peak_resident_bytes is not None and not found.layers_run:
        rows.append((t("run.resident"), found.expected_resident_bytes, found.peak_resident_bytes))
    title = t("run.title" if found.level == "measured" else "rehearse.title", engine=found.engine)
    lines = ["", *(page.paint(line, "strong") for line in indented(title, page.width, EDGE)), ""]
    lines += table(
        page,
        [
            Column("", [name for name, _, _ in rows], least=8),
            Column(t("run.predicted"), [_size(page, guess) for _, guess, _ in rows], right=True),
            Column(t("run.measured"), [_size(page, real) for _, _, real in rows], right=True),
            Column(t("run.difference"), [_gap(page, guess, real) for _, guess, real in rows], right=True, least=7),
        ],
    )
    lines += ["", *_speeds(page, plan, found), *points(page, found)]
    if found.layers_run:
        words = t("rehearse.thinned", layers=found.layers_run, whole=plan.model.layers)
        lines += [page.paint(line, "warn") for line in indented(words, page.width, EDGE)]
    elif found.level == "rehearsed":
        lines += [page.paint(line, "dim") for line in indented(t("rehearse.note"), page.width, EDGE)]
    if found.resident_bytes is not None:
        words = held(page, found)
        lines += [page.paint(line, "dim") for said in (t("run.resident_note"), words) if said for line in indented(said, page.width, EDGE)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _size(page: Page, count: int | None) -> str:
    return "–" if count is None else page.bytes(count)


def _gap(page: Page, predicted: int | None, measured: int) -> str:
    if predicted is None:
        return ""
    if predicted == measured:
        return page.texts("run.equal")
    share = (measured - predicted) / predicted * 100 if predicted else 0.0
    return f"{'+' if share >= 0 else '−'}{abs(share):.1f} %"


def _speeds(page: Page, plan: Plan, found: Measurement) -> list[str]:
    t = page.texts
    rows: list[tuple[str, str, str]] = []
    if found.decode_tokens_per_s:
        guess = speed_range(page, plan.speed.decode) if plan.speed.decode and not found.points else ""
        rows.append((t("speed.decode"), t("speed.rate", range=show_rate(found.decode_tokens_per_s)) + spread(found.decode_spread), guess))
    if found.prefill_tokens_per_s:
        guess = speed_range(page, plan.speed.prefill) if plan.speed.prefill else ""
        rows.append(
            (t("speed.prefill"), t("speed.rate", range=show_rate(found.prefill_tokens_per_s)) + spread(found.prefill_spread), guess)
        )
    if found.load_s is not None:
        guess = seconds(page, plan.speed.load_s) if plan.speed.load_s is not None else ""
        rows.append((t("speed.load"), loads(page, found), guess))
    if found.energy_note:
        rows.append((t("rehearse.energy"), energy(page, found), ""))
    width = max((cells(name) for name, _, _ in rows), default=0) + 2
    lines = []
    for name, real, guess in rows:
        words = real + ("   " + t("run.was_predicted", guess=guess) if guess else "")
        lines += indented(words, page.width, EDGE + pad(name, width))
    return lines


def proof(page: Page, plan: Plan, found: Measurement) -> str:
    """Predicted beside what the engine plans, part by part, in bytes."""
    t = page.texts
    parts = [part for part in PARTS if found.buffers.get(part) or found.difference_bytes.get(part)]
    lines = [
        "",
        *(page.paint(line, "strong") for line in indented(t("prove.title", model=plan.model.name, engine=found.engine), page.width, EDGE)),
        "",
    ]
    lines += table(
        page,
        [
            Column("", [t.named("part", part) for part in parts], least=8),
            Column(t("run.predicted"), [f"{found.buffers[p] - found.difference_bytes.get(p, 0):,} B" for p in parts], right=True),
            Column(t("prove.planned"), [f"{found.buffers[part]:,} B" for part in parts], right=True),
            Column(t("run.difference"), [bytes_apart(page, found.difference_bytes.get(part, 0)) for part in parts], right=True, least=7),
        ],
    )
    lines += ["", *(page.paint(line, "dim") for line in indented(t("prove.note"), page.width, EDGE))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def bytes_apart(page: Page, gap: int) -> str:
    """A difference in bytes with its sign, or the word for none."""
    return page.texts("run.equal") if not gap else f"{'+' if gap > 0 else '−'}{abs(gap):,} B"


def proof_line(page: Page, found: Measurement) -> str:
    """One line below an answer: what the engine says to it."""
    t = page.texts
    wrong = {part: gap for part, gap in found.difference_bytes.items() if gap}
    if not wrong:
        words = t("prove.all_equal", engine=found.engine)
    else:
        listed = t("list.comma").join(f"{t.named('part', part)} {bytes_apart(page, gap)}" for part, gap in wrong.items())
        words = t("prove.differs", engine=found.engine, parts=listed)
    return "\n".join(page.paint(line, "good" if not wrong else "warn") for line in indented(words, page.width, EDGE)) + "\n"


def census(page: Page, rows: Sequence[Any]) -> str:
    """How many models the engine plans just as predicted, and each that it does not."""
    t = page.texts
    equal, kinds = sum(row.equal for row in rows), len({row.architecture for row in rows})
    lines = ["", *indented(t("prove.census", equal=equal, models=len(rows), architectures=kinds), page.width, EDGE), ""]
    for row in rows:
        if not row.equal:
            apart = t("list.comma").join(f"{t.named('part', part)} {bytes_apart(page, gap)}" for part, gap in row.differences.items())
            lines += indented(f"{row.architecture}: {apart or t.sentence(row.refused)}", page.width, f"{EDGE}{row.model}  ")
    return "\n".join(lines) + "\n"


def rehearsals(page: Page, rows: Sequence[tuple[Plan, Measurement]]) -> str:
    """Several rehearsals of one model side by side."""
    t = page.texts
    lines = ["", *indented(rows[0][0].model.name, page.width, EDGE), ""]
    found = [measured for _, measured in rows]
    lines += table(
        page,
        [
            Column(t("models.quant"), [plan.quant for plan, _ in rows]),
            Column(t("run.resident"), ["–" if m.layers_run else _size(page, m.peak_resident_bytes) for m in found], right=True),
            Column(t("speed.prefill"), [shown_rate(page, m.prefill_tokens_per_s) + spread(m.prefill_spread) for m in found], right=True),
            Column(t("speed.decode"), [shown_rate(page, m.decode_tokens_per_s) + spread(m.decode_spread) for m in found], right=True),
            Column(t("speed.load"), [seconds(page, m.load_s) if m.load_s is not None else "–" for m in found], right=True, rank=1),
        ],
    )
    if any(m.layers_run for m in found):
        lines += ["", *indented(t("rehearse.some_thinned"), page.width, EDGE)]
    return "\n".join(line.rstrip() for line in lines) + "\n"
