"""A bench: a row for each depth and batch, measured beside predicted, and bars of the decode rates."""

from __future__ import annotations

from sizeup.bench.whole import Outcome
from sizeup.page import Page, cells, indented, pad
from sizeup.units import show_rate

from .names import seconds, speed_range
from .points import shown_rate, spread
from .tables import EDGE, Column, table

BAR, MARK = "█", "│"
NARROWEST = 10


def bench(page: Page, found: Outcome) -> str:
    """The whole answer."""
    t, measured = page.texts, found.measurement
    rows = list(zip(found.benched.points, found.benched.prompts, found.predicted, strict=True))
    title = t("bench.title", model=measured.model, engine=measured.engine)
    lines = ["", *(page.paint(line, "strong") for line in indented(title, page.width, EDGE)), ""]
    lines += table(
        page,
        [
            Column(t("rehearse.depth"), [f"{point.depth_tokens:,}" for point, _, _ in rows], right=True),
            Column(t("bench.prompt"), [f"{prompt:,}" if prompt else "–" for _, prompt, _ in rows], right=True, rank=2),
            Column(t("rehearse.batch"), [str(point.sequences) for point, _, _ in rows], right=True),
            Column(
                t("speed.prefill"),
                [shown_rate(page, p.prefill_tokens_per_s, "") + spread(p.prefill_spread) for p, _, _ in rows],
                right=True,
            ),
            Column(t("speed.decode"), [shown_rate(page, p.decode_tokens_per_s) + spread(p.decode_spread) for p, _, _ in rows], right=True),
            Column(t("run.predicted"), [speed_range(page, guess) if guess else "–" for _, _, guess in rows], right=True),
            Column(
                t("rehearse.each"),
                [shown_rate(page, p.each_tokens_per_s) if p.sequences > 1 else "" for p, _, _ in rows],
                right=True,
                rank=1,
            ),
        ],
    )
    lines += ["", *plot(page, found), ""]
    if measured.load_s is not None:
        lines += indented(f"{t('speed.load')}  {seconds(page, measured.load_s)}", page.width, EDGE)
    missed = [t("rehearse.point", depth=f"{p.depth_tokens:,}", batch=p.sequences) for p, _, _ in rows if not p.reached]
    if missed:
        words = t("bench.missed", points=t("list.comma").join(missed))
        lines += [page.paint(line, "warn") for line in indented(words, page.width, EDGE)]
    note = f"{t('bench.note')} {t(f'bench.timed_{found.benched.timed_by}')}"
    lines += [page.paint(line, "dim") for line in indented(note, page.width, EDGE)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def plot(page: Page, found: Outcome) -> list[str]:
    """A bar for each row's decode rate of all answers together; a mark stands where it was predicted."""
    rows = [(p, guess) for p, guess in zip(found.benched.points, found.predicted, strict=True) if p.decode_tokens_per_s]
    if not rows:
        return []
    names = [page.texts("rehearse.point", depth=f"{p.depth_tokens:,}", batch=p.sequences) for p, _ in rows]
    rates = [show_rate(p.decode_tokens_per_s or 0.0) for p, _ in rows]
    width = max(map(cells, names))
    room = max(NARROWEST, page.width - len(EDGE) - width - max(map(cells, rates)) - 3)
    most = max(max(p.decode_tokens_per_s or 0.0, guess.tokens_per_s if guess else 0.0) for p, guess in rows)
    lines = []
    for (point, guess), name, rate in zip(rows, names, rates, strict=True):
        bar = BAR * max(1, round((point.decode_tokens_per_s or 0.0) / most * room))
        if guess is not None:
            at = min(room - 1, round(guess.tokens_per_s / most * room))
            bar = pad(bar, room)[:at] + MARK + pad(bar, room)[at + 1 :]
        lines.append(f"{EDGE}{pad(name, width)} {pad(bar.rstrip(), room)} {rate}")
    return lines
