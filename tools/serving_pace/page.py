"""The part of docs/serving.md that says how far the step model is off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .maxima import Maximum
from .rows import LOADED
from .scores import Score, median_error, quantile

START, END = "<!-- written by python -m tools.serving_pace -->\n", "<!-- end of what tools.serving_pace wrote -->\n"

GROUPS: tuple[tuple[str, Callable[[Score], bool]], ...] = (
    ("all", lambda score: True),
    ("dense models", lambda score: not score.experts),
    ("models with experts", lambda score: score.experts),
    ("vLLM", lambda score: score.engine == "vllm"),
    ("SGLang", lambda score: score.engine == "sglang"),
    ("TensorRT-LLM", lambda score: score.engine == "trtllm"),
    ("requests at a rate, unloaded", lambda score: score.state == "unloaded"),
    ("requests at a rate, loaded", lambda score: score.state == "loaded"),
    ("so many users (closed loop)", lambda score: score.state == "closed"),
)

OTHERS = """| Vidur | 4, of models that it had profiled | 2 % | 4 % | 14 % |
| BLIS-evolved | 15, trained in part on such runs | 17 % | 20 % | 12 % |
| AIConfigurator 0.9 | 9 | 12 % | 25 % | 653 % |
| LLMServingSim | 32, another set | 19 % | 22 % | 73 % |
| llm-optimizer | 11 | 39 % | 56 % | 619 % |
| BLIS-roofline | 15 | 49 % | 54 % | 279 % |
"""
"""Median absolute errors that inference-sim/sim-to-real-accuracy-validation @dcec3fd found on its own runs."""


def part(
    scored: Sequence[Score],
    spread: Mapping[str, Any],
    left_out: Counter[str],
    fullest: Sequence[Maximum],
    apart: Counter[str],
    runs: int,
    models: int,
) -> str:
    """Tables of errors, before and now, and beside what others reach."""
    lines = [
        START,
        f"Fitted to {runs} measurements of {models} models, and scored with **every model left out** of its own fit; a score is a row of "
        "`tests/data/serving_throughput.csv`. Median of |predicted ÷ measured − 1|; in brackets the error that nine of ten rows stay under.\n",
        "\n| rows | n | between tokens, before | now | first token, before | now |\n|---|---|---|---|---|---|\n",
    ]
    for name, member in GROUPS:
        found = [score for score in scored if member(score)]
        cells = [_cell([getattr(score, what) for score in found]) for what in ("itl_before", "itl", "ttft_before", "ttft")]
        lines.append(f"| {name} | {len(found)} | {' | '.join(cells)} |\n")
    held = sum(score.held for score in scored if score.state == "unloaded")
    unloaded = sum(score.state == "unloaded" for score in scored)
    lines.append(
        f"\n*Unloaded* is a rule, not a choice: requests come at a rate of their own, and rate × measured duration fills less than "
        f"{100 * LOADED:.0f} % of the places. The stated interval of the first token holds {held} of these {unloaded} rows, and "
        f"{sum(score.held for score in scored if score.state != 'unloaded')} of the other {len(scored) - unloaded}, for which it is wide: "
        f"up to {spread['loaded']['high']:.0f} × under load, {spread['closed']['high']:.0f} × with several users. "
        f"With another limit the median error of the first token would be {_at(scored, 0.15)} (15 %) or {_at(scored, 0.5)} (50 %). "
        "“Before” had no load: one sequence alone, and prompts at an assumed 60 % of the arithmetic.\n"
    )
    lines.append(
        "\nRows of the table without these two times: " + "; ".join(f"{count} × {why}" for why, count in left_out.most_common()) + ".\n"
    )
    vllm = [score for score in scored if score.whole is not None]
    calm = [score for score in vllm if score.state == "unloaded"]
    lines.append(
        "\nBeside other simulators, median errors as `inference-sim/sim-to-real-accuracy-validation` @dcec3fd measured them on its runs of "
        "vLLM 0.15.1 (each on as many as it can answer); sizeup on the same repository's rows, each model left out:\n"
        "\n| | runs | whole answer | between tokens | first token |\n|---|---|---|---|---|\n"
    )
    for name, found in (("sizeup, all", vllm), ("sizeup, unloaded", calm)):
        wholes = [score.whole for score in found if score.whole is not None]
        three = (wholes, [score.itl for score in found], [score.ttft for score in found])
        lines.append(f"| {name} | {len(found)} | {' | '.join(f'{median_error(ratios):.0%}' for ratios in three)} |\n")
    return "".join([*lines, OTHERS, *_maxima(fullest, apart), END])


def _maxima(found: Sequence[Maximum], left_out: Counter[str]) -> list[str]:
    """Throughput of full servers, which nothing was fitted to."""
    lines = [
        f"\nThe most tokens a second that a full server writes, against {len(found)} of TensorRT-LLM's published maxima. **Nothing was "
        "fitted to these**; how many requests fit is vLLM's account with an 8-bit cache in 95 % of the memory, which is assumed. Not "
        "compared: " + "; ".join(f"{count} × {why}" for why, count in left_out.items()) + ".\n",
        "\n| rows | n | median error | nine of ten under | predicted ÷ published |\n|---|---|---|---|---|\n",
    ]
    names = sorted({row.model for row in found})
    groups = [("all models", list(found)), *((name, [row for row in found if row.model == name]) for name in names)]
    for name, rows in groups:
        ratios = [row.ratio for row in rows]
        most = quantile([abs(ratio - 1) for ratio in ratios], 0.9)
        lines.append(f"| {name} | {len(rows)} | {median_error(ratios):.0%} | {most:.0%} | {min(ratios):.2f}–{max(ratios):.2f} |\n")
    return lines


def _at(scored: Sequence[Score], limit: float) -> str:
    found = [score.ttft for score in scored if score.fill is not None and score.fill < limit]
    return f"{median_error(found):.0%} of {len(found)} rows"


def _cell(ratios: Sequence[float]) -> str:
    off = [abs(ratio - 1) for ratio in ratios]
    most = quantile(off, 0.9)
    return f"{median_error(ratios):.0%} ({most:.0%})" if most < 100 else f"{median_error(ratios):.0%} (boundless)"
