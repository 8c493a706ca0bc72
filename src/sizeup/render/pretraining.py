"""Training plans side by side, and below them what they rest on."""

from __future__ import annotations

from collections.abc import Callable

from sizeup.interval import Interval
from sizeup.page import Page, indented
from sizeup.pretraining import Pretraining, TrainingPlan

from .names import parameters, short_device
from .tables import EDGE, Column, table

MOST_RUNS = 6
"""Published runs that are named; of more, those nearest in size."""


def pretraining(page: Page, found: Pretraining) -> str:
    """The answer of `sizeup pretrain`."""
    t = page.texts
    fleet = found.fleet
    size = parameters(found.parameters)
    if found.active_parameters < found.parameters:
        size = t("models.active", total=size, active=parameters(found.active_parameters))
    words = [found.model] if found.model else []
    words += [
        t("pretrain.size", size=size),
        short_device(fleet.device) if fleet.devices is None else f"{fleet.devices:,} × {short_device(fleet.device)}",
    ]
    lines = ["", *indented(t("list.comma").join(words), page.width, EDGE)]
    if found.size_spread is not None:
        low, high = parameters(round(found.size_spread.low)), parameters(round(found.size_spread.high))
        lines += indented(t("pretrain.best_size", low=low, high=high), page.width, EDGE)
    lines += ["", *table(page, _columns(page, found)), ""]
    for note in _notes(page, found):
        lines += [page.paint(line, "dim") for line in indented(note, page.width, EDGE)]
    for sentence in found.assumed:
        lines += [page.paint(line, "warn") for line in indented(t.sentence(sentence), page.width, EDGE + t("doubt.assumed"))]
    return "\n".join(lines) + "\n"


def _columns(page: Page, found: Pretraining) -> list[Column]:
    t = page.texts
    first = found.plans[0].cost
    rows: list[tuple[str, Callable[[TrainingPlan], str]]] = [
        (t("pretrain.tokens"), lambda plan: spread(plan.tokens_spread)),
        (t("pretrain.ratio"), _ratio),
        (t("pretrain.flops"), lambda plan: f"{plan.cost.flops:.2e}"),
        (t("pretrain.rule"), lambda plan: f"{plan.rule_flops:.2e}"),
        (t("pretrain.loss"), lambda plan: f"{plan.loss.middle:.2f} ({plan.loss.low:.2f}–{plan.loss.high:.2f})"),
        (t("pretrain.hours"), lambda plan: spread(plan.cost.device_hours)),
    ]
    if found.fleet.devices:
        rows.append((t("pretrain.days"), lambda plan: spread(plan.cost.days)))
        rows.append((t("pretrain.speed"), lambda plan: spread(plan.cost.tokens_per_s)))
    rows.append((t("pretrain.devices", days=f"{first.wanted_days:g}"), lambda plan: spread(plan.cost.devices_needed)))
    rows.append((t("pretrain.cost"), lambda plan: spread(plan.cost.usd, "$")))
    rows.append((t("pretrain.energy"), lambda plan: spread(plan.cost.kwh, digits=2)))
    columns = [Column("", [label for label, _ in rows], least=10)]
    for place, plan in enumerate(found.plans):
        columns.append(Column(t(f"pretrain.plan_{plan.kind}"), [cell(plan) for _, cell in rows], least=12, rank=place))
    return columns


def _ratio(plan: TrainingPlan) -> str:
    each = plan.tokens_spread.times(1 / plan.active_parameters)
    return f"{each.middle:,.0f}" if each.low == each.high else f"{each.middle:,.0f} ({each.low:,.0f}–{each.high:,.0f})"


def _notes(page: Page, found: Pretraining) -> list[str]:
    """What the figures rest on, a paragraph each."""
    t, fleet, active = page.texts, found.fleet, found.active_parameters
    comma = t("list.comma")
    standing = comma.join(f"{t(f'law.{name}')} {short(tokens)}" for name, tokens, current, _ in found.by_law if current)
    gone = comma.join(f"{t(f'law.{name}')} {short(tokens)}" for name, tokens, current, _ in found.by_law if not current)
    notes = [t("pretrain.laws", standing=standing, gone=gone)]
    if found.published:
        near = sorted(found.published, key=lambda run: max(run.active_parameters, active) / min(run.active_parameters, active))[:MOST_RUNS]
        near.sort(key=lambda run: run.tokens_per_parameter or 0)
        named = comma.join(f"{run.model} {run.tokens_per_parameter or 0:,.0f}" for run in near)
        notes.append(t("pretrain.published", runs=named))
    share = f"{fleet.mfu.middle:.0%} ({fleet.mfu.low:.0%}–{fleet.mfu.high:.0%})"
    rate = f"{fleet.flops_per_s / 1e12:,.0f} TFLOP/s"
    notes.append(t(f"pretrain.mfu_{fleet.mfu.source.kind}", share=share, rate=rate))
    if found.stated_mfu is not None:
        notes[-1] += " " + t("pretrain.stated", low=f"{found.stated_mfu.low:.0%}", high=f"{found.stated_mfu.high:.0%}")
    price = found.plans[0].cost.usd_per_device_hour
    if price is None:
        notes.append(t("pretrain.no_price"))
    else:
        notes.append(t("pretrain.price", low=f"${price.low:.2f}", high=f"${price.high:.2f}", date=price.source.date))
    if found.layered:
        notes.append(t("pretrain.layers", tokens=f"{found.sequence_tokens:,}"))
    return notes


def short(number: float, digits: int = 3) -> str:
    """A large number with the digits that mean something: 0.42, 7.3, 164, 15.2K, 170B, 15T."""
    value, index = float(number), 0
    while value >= 999.5 and index < len(_SUFFIXES) - 1:
        value, index = value / 1000, index + 1
    places = max(0, digits - len(str(int(value))))
    text = f"{value:.{min(places, 2)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + _SUFFIXES[index]


_SUFFIXES = ("", "K", "M", "B", "T", "P", "E")


def spread(interval: Interval | None, before: str = "", digits: int = 2) -> str:
    """The middle with its range, "?" when unknown, one number where there is no range."""
    if interval is None:
        return "?"
    low, middle, high = (before + short(number, digits) for number in (interval.low, interval.middle, interval.high))
    middle = before + short(interval.middle)
    return middle if interval.low == interval.high else f"{middle} ({low}–{high})"
