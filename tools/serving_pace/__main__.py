"""Fit the step model of servers and write it with its errors (two minutes): data/serving_pace.json, and a part of docs/serving.md.

python -m tools.serving_pace
"""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sizeup.engines.serving.load import Load
from sizeup.facts import data_json

from .fit import fit, without_model
from .maxima import maxima
from .page import END, START, part
from .rows import LOADED, Run, closed_loops, open_loops
from .scores import Score, median_error, quantile, scores

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "src" / "sizeup" / "data" / "serving_pace.json"
PAGE = ROOT / "docs" / "serving.md"


def main() -> None:
    left_out: Counter[str] = Counter()
    runs = [*open_loops(), *closed_loops(left_out)]
    whole = fit(runs)
    said = without_model(runs, whole)
    known = data_json(FACTS.name)
    known["pace"] = whole._asdict()
    known["decode"] = {**bands(said), "assumed": known["decode"]["assumed"]}
    known["first_token"] = first_token(said)
    found = scores(said, known["first_token"])
    known["left_out"] = left_out_errors(found)
    FACTS.write_text(text(known))
    page = PAGE.read_text()
    apart: Counter[str] = Counter()
    new = part(found, known["first_token"], left_out, maxima(apart), apart, len(runs), len({run.group for run in runs}))
    PAGE.write_text(re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: new, page, flags=re.DOTALL))


def bands(said: Sequence[tuple[Run, Load]]) -> dict[str, dict[str, float]]:
    """80 % intervals of the rate of decoding: measured over predicted, of cards and models that the fit saw others of."""
    found = {}
    for name, experts in (("known", False), ("experts", True)):
        ratios = [load.itl_s / run.token_s for run, load in said if run.experts == experts]
        found[name] = {"low": _short(quantile(ratios, 0.1)), "high": _short(quantile(ratios, 0.9))}
    return found


def first_token(said: Sequence[tuple[Run, Load]]) -> dict[str, Any]:
    """The same of the first token by kind of run, and how far the 90th percentile of unloaded ones lies above their mean."""
    found: dict[str, Any] = {}
    for state in ("unloaded", "loaded", "closed"):
        ratios = [run.ttft_s / load.first.p50_s for run, load in said if run.state == state]
        found[state] = {"low": _short(quantile(ratios, 0.1)), "high": _short(quantile(ratios, 0.9))}
    above = statistics.median(run.p90_s / run.ttft_s for run, _ in said if run.p90_s is not None and run.unloaded)
    return {**found, "loaded_from": LOADED, "p90": _short(above)}


def left_out_errors(found: Sequence[Score]) -> dict[str, dict[str, float]]:
    """What the table of errors says first, for those who read the data."""
    calm = [score for score in found if score.state == "unloaded"]
    return {
        "itl": {"rows": len(found), "median": _short(median_error(score.itl for score in found))},
        "ttft_unloaded": {"rows": len(calm), "median": _short(median_error(score.ttft for score in calm))},
    }


def text(known: dict[str, object]) -> str:
    """One line a fact."""
    lines = []
    for name, value in known.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            rows = ",\n".join(f"  {json.dumps(row)}" for row in value)
            lines.append(f' "{name}": [\n{rows}\n ]')
        else:
            lines.append(f' "{name}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _short(value: float) -> float:
    return float(f"{value:.3g}")


if __name__ == "__main__":
    main()
