"""By how much published runs of the same thing differ: about the error below which a prediction of such runs can hardly get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .cases import Case
from .errors import shallow
from .rows import Row


class Floor(NamedTuple):
    """Errors of predicting runs from other sources' runs of the same."""

    runs: int
    same: int
    """Sets of runs with the same device, backend, model and mix."""
    median: float
    p75: float
    p90: float
    farthest: str
    """The set whose sources lie farthest apart."""


def same(case: Case) -> tuple[str, str, str, str]:
    """What runs must have in common to be replicates; depths and builds may differ, as they do in what is predicted."""
    return case.device, case.backend, case.model, case.mix


def repeated(known: Iterable[Case]) -> list[Case]:
    """Short runs that more than one source published of the same thing."""
    sets: dict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in known:
        if shallow(case):
            sets[*same(case), case.metric].append(case)
    return [case for members in sets.values() if len({case.source for case in members}) > 1 for case in members]


def floor(rows: Sequence[Row]) -> Floor | None:
    """Each run against the median of those of the same thing that other sources published; None where there are none."""
    sets: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        sets[same(row.case)].append(row)
    errors: list[float] = []
    told: list[tuple[float, str]] = []
    for (device, backend, model, mix), members in sets.items():
        found = [
            abs(row.seconds / float(np.median(others)) - 1)
            for row in members
            if (others := [other.seconds for other in members if other.case.source != row.case.source])
        ]
        if found:
            errors += found
            told.append((max(found), f"{device}, {backend}, {model.rpartition('/')[2]} {mix}"))
    if not errors:
        return None
    return Floor(len(errors), len(told), *(float(np.quantile(errors, share)) for share in (0.5, 0.75, 0.9)), max(told)[1])


GROUPS: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    ("llama-bench, short", lambda row: row.case.clean and shallow(row.case)),
    ("short, with people's own runs", lambda row: shallow(row.case)),
)


def floors(rows: Sequence[Row]) -> Iterator[tuple[str, str, Floor]]:
    """(what is measured, which runs, by how much they differ)."""
    for metric in ("decode", "prefill"):
        for sort, routed in (("dense", False), ("MoE", True)):
            for name, chosen in GROUPS:
                kin = [row for row in rows if row.case.metric == metric and bool(row.load.expert_layers) == routed and chosen(row)]
                if found := floor(kin):
                    yield f"{metric}, {sort}", name, found


TITLE = "## By how much runs of the same thing differ"


def section(rows: Sequence[Row]) -> str:
    """The page's section."""
    lines = [
        "",
        TITLE,
        "",
        "Runs of one device, backend, model and mix that several sources published, each against the median of the other sources'. Builds,",
        "depths, drivers and power limits differ, mostly unsaid (one source of the RTX 3090 had capped it at 230 of its 350 W). The sets are few",
        "and no sample of all devices; they suggest, and do not prove, why nine of ten within 17 % was not reached.",
        "",
        "| what | runs of | runs | sets | median | p75 | p90 | farthest apart |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for what, name, found in floors(rows):
        shares = " | ".join(f"{value:.0%}" for value in (found.median, found.p75, found.p90))
        lines.append(f"| {what} | {name} | {found.runs} | {found.same} | {shares} | {found.farthest} |")
    return "\n".join(lines) + "\n"
