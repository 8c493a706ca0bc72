"""What a rehearsal tells beyond one speed: depths and batches, cold and warm loads, what the process held, energy."""

from __future__ import annotations

from sizeup.page import Page, indented
from sizeup.plan import Measurement
from sizeup.units import show_rate

from .names import seconds
from .tables import EDGE, Column, table


def points(page: Page, found: Measurement) -> list[str]:
    """A row for each depth and batch; those that time did not reach are named below."""
    t = page.texts
    if not found.points:
        return []
    shown = [point for point in found.points if point.prefill_tokens_per_s or point.reached]
    batches = any(point.sequences > 1 for point in found.points)
    lines = [""]
    if shown:
        lines += table(
            page,
            [
                Column(t("rehearse.depth"), [f"{point.depth_tokens:,}" for point in shown], right=True),
                Column(t("rehearse.batch"), [str(point.sequences) if batches else "" for point in shown], right=True),
                Column(
                    t("speed.prefill"),
                    [shown_rate(page, p.prefill_tokens_per_s, "") + spread(p.prefill_spread) for p in shown],
                    right=True,
                ),
                Column(t("speed.decode"), [shown_rate(page, p.decode_tokens_per_s) + spread(p.decode_spread) for p in shown], right=True),
                Column(t("rehearse.each"), [shown_rate(page, p.each_tokens_per_s) if batches else "" for p in shown], right=True, rank=1),
                Column(t("rehearse.joules"), [_joules(p.decode_joules_per_1000_tokens) for p in shown], right=True, rank=2),
            ],
        )
    missed = [t("rehearse.point", depth=f"{p.depth_tokens:,}", batch=p.sequences) for p in found.points if not p.reached]
    if missed:
        words = t("rehearse.not_reached", points=t("list.comma").join(missed))
        lines += [page.paint(line, "warn") for line in indented(words, page.width, EDGE)]
    return [*lines, *(page.paint(line, "dim") for line in indented(t("rehearse.points_note"), page.width, EDGE))]


def loads(page: Page, found: Measurement) -> str:
    """Seconds to load: warm and cold where both were measured."""
    warm = seconds(page, found.load_s or 0.0)
    if found.load_cold_s is not None:
        return page.texts("rehearse.load_warm", warm=warm, cold=seconds(page, found.load_cold_s))
    return page.texts("rehearse.load_kept", warm=warm) if found.load_cold_note else warm


def held(page: Page, found: Measurement) -> str:
    """The process's own memory and mapped files apart; nothing where the system does not tell."""
    peaks = found.peaks.get("ram", {})
    if not {"anonymous", "file"} <= set(peaks):
        return ""
    return page.texts("rehearse.held", anonymous=page.bytes(peaks["anonymous"]), file=page.bytes(peaks["file"]))


def energy(page: Page, found: Measurement) -> str:
    """Joules for 1,000 tokens, or why there are none."""
    spent = (found.decode_joules_per_1000_tokens, found.prefill_joules_per_1000_tokens)
    if found.energy_note == "read":
        decode, prefill = (_joules(value) or "–" for value in spent)
        return page.texts(
            "rehearse.energy_read", decode=decode, prefill=prefill, counters=page.texts("list.comma").join(found.energy_counters)
        )
    return page.texts("rehearse.energy_denied" if found.energy_note == "denied" else "rehearse.energy_none")


def _joules(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def spread(share: float) -> str:
    """Half the distance of the quartiles behind a rate."""
    return f" ± {share * 100:.1f} %" if share else ""


def shown_rate(page: Page, value: float | None, missing: str = "–") -> str:
    """Tokens per second, or a dash."""
    return page.texts("speed.rate", range=show_rate(value)) if value else missing
