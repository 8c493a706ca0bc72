"""Fit the speed rates and write them with their errors.

python -m tools.speed            fit, leave devices out for the errors (minutes), write data/speed_rates.json and the table
python -m tools.speed --quick    fit and write the rates only; errors and intervals stay
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from sizeup.facts import data_json
from sizeup.rates import RATES, branch

from . import mlx
from .errors import Line, spreads, tables, without_device, without_model
from .fit import HABITS, Fit
from .replicates import section
from .rows import CLASSES, Row, usable

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "src" / "sizeup" / "data" / "speed_rates.json"
PAGE = ROOT / "docs" / "speed.md"

WHAT = (
    "What devices reach of their specified bandwidth and arithmetic, and the fixed time of a layer: products of factors over the "
    "backend, the vendor, the family and the device (rates: share of bandwidth, seconds per layer, share of dense half-precision "
    "arithmetic). shared: costs of number formats relative to that, and what all devices have alike. spread: the 80 % interval "
    "around a predicted rate, from runs of devices and models that were left out of the fit. runs: published runs behind each. "
    "chips: families that are another's chip with other memory, or "
    "of a line of designs (RDNA, or GCN and CDNA, as ggml-cuda/common.cuh tells them apart)."
)
SOURCE = "fitted by tools/speed from published runs of llama.cpp (tests/data/speed_published.csv.xz names the page of each)"
DATE = "2026-11-21"


def facts(fit: Fit, rows: list[Row]) -> dict[str, Any]:
    """The rates as data: factors with four digits."""
    rates = {node: [_short(np.exp(fit.value(f"{rate}:{node}"))) for rate in RATES] for node in fit.nodes}
    of_nodes = {f"{rate}:{node}" for rate in RATES for node in fit.nodes}
    shared = {name: _short(np.exp(fit.theta[i])) for name, i in fit.index.items() if name not in HABITS and name not in of_nodes}
    runs: Counter[str] = Counter()
    for row in rows:
        runs.update(branch(row.case.device, row.case.family, row.case.backend))
    usual = {name: value for name, value in shared.items() if not ("@" in name and abs(value - 1) < 1e-3)}
    told = {node: value for node, value in rates.items() if not node or any(abs(v - 1) >= 1e-3 for v in value)}
    return {"rates": told, "shared": usual, "runs": dict(sorted(runs.items()))}


def page(left_out: Counter[str], lines: list[tuple[str, str, Line]], rows: list[Row]) -> str:
    """docs/speed.md."""
    head = (
        "# How far speeds are off\n\n"
        f"Written by `python -m tools.speed` from {len(rows):,} published runs of llama.cpp on one device ({DATE}). Every run is predicted by "
        "rates that were fitted **without any run of its device**. The error is predicted over measured tokens/s, less one. "
        "“Interval holds”: how often the stated 80 % interval contains the run. For comparison the median errors of two rules of "
        "thumb on the same runs, with the exact weights that a token reads: 0.55 × bandwidth ÷ weights, and bandwidth ÷ weights.\n"
    )
    body, title = "", ""
    for what, name, line in lines:
        if what != title:
            title = what
            body += f"\n## {what[0].upper()}{what[1:]}\n\n| runs of | runs | devices | median | p75 | p90 | interval holds | 0.55 rule | bare |\n"
            body += "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        body += f"| {name} | {line.runs} | {line.devices} | {' | '.join(_percent(value) for value in line[2:])} |\n"
    tail = "\n## Rows that were not used\n\n" + "".join(f"* {reason}: {count}\n" for reason, count in left_out.most_common())
    return head + body + section(rows) + tail


def _percent(value: float) -> str:
    return "–" if value != value else f"{value:.1%}" if value < 0.1 else f"{value:.0%}"


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def main() -> None:
    left_out: Counter[str] = Counter()
    rows = usable(left_out)
    fit = Fit(rows)
    before = data_json(FACTS.name)
    told: dict[str, Any] = {
        "what": WHAT,
        "source": SOURCE,
        "date": DATE,
        "formats": before["formats"],
        "backends": before["backends"],
        "chips": before["chips"],
        "classes": list(CLASSES),
        **facts(fit, rows),
        "spread": before.get("spread", {}),
        "engines": before.get("engines", {}),
    }
    if "--quick" not in sys.argv:
        apart = list(without_device(rows, fit))
        near = list(without_model(rows, fit))
        told["spread"] = {kind: [_short(low), _short(high)] for kind, (low, high) in spreads([*apart, *near]).items()}
        PAGE.write_text(page(left_out, list(tables(apart)), rows))
    FACTS.write_text(json.dumps(told, indent=1) + "\n")
    data_json.cache_clear()
    mlx.main()


if __name__ == "__main__":
    main()
