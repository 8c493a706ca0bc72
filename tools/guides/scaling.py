"""Answers to claims about how much data."""

from __future__ import annotations

from typing import Any

from sizeup.interval import Interval
from sizeup.scaling import laws, optimal_tokens
from sizeup.sft import purposes
from sizeup.training_runs import training_runs

from .page import Answer, answers


def _billions(spread: Interval) -> str:
    return f"{spread.middle / 1e9:,.3g}B ({spread.low / 1e9:,.3g}B to {spread.high / 1e9:,.3g}B)"


@answers("G002-27")
def ratio(claim: dict[str, Any]) -> Answer:
    sizes = (10**9, 8 * 10**9, 70 * 10**9, 405 * 10**9)
    spreads = {size: optimal_tokens(size).times(1 / size) for size in sizes}
    told = "; ".join(f"{size / 1e9:,.0f}B: {s.middle:.0f} ({s.low:.0f} to {s.high:.0f})" for size, s in spreads.items())
    gone = next(law for law in laws() if not law.current)
    most = float(gone.tokens(sizes[2])) / sizes[2]
    figures = f"tokens a parameter by the four laws that stand: {told}"
    assert all(s.low <= claim["low"] * 1.05 and s.high >= claim["low"] for s in spreads.values())
    return Answer(figures, f"right; the superseded third approach says {most:.0f} at 70B, and Llama 3's own law more the larger the model")


@answers("G002-28")
def one_billion(claim: dict[str, Any]) -> Answer:
    spread = optimal_tokens(10**9)
    assert claim["low"] * 1e9 in spread
    return Answer(_billions(spread), "right")


@answers("G002-29")
def eight_billion(claim: dict[str, Any]) -> Answer:
    spread = optimal_tokens(8 * 10**9)
    run = next(run for run in training_runs() if run.model == "Llama-3-8B")
    assert abs(claim["low"] * 1e9 / spread.middle - 1) < 0.1
    told = f"{_billions(spread)}; Llama-3-8B had {(run.tokens or 0) / 1e12:.0f}T, {run.tokens_per_parameter:,.0f} a parameter"
    return Answer(
        told, f"right within {abs(claim['low'] * 1e9 / spread.middle - 1):.0%}: a small model that many will use pays to train longer"
    )


@answers("G002-30")
def pairs(claim: dict[str, Any]) -> Answer:
    known = {purpose.name: purpose for purpose in purposes()}
    told = "; ".join(f"{purpose.name} {purpose.low:,} to {purpose.high:,}" for purpose in known.values())
    assert claim["low"] <= known["style"].low <= known["style"].high <= claim["high"]
    return Answer(
        f"examples in published work: {told}",
        f"right if the model shall only answer in a certain way; a fixed format takes {known['format'].low} to {known['format'].high}, "
        f"a general assistant {known['assistant'].low:,} and more",
    )
