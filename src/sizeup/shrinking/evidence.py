"""What shrinking cost in quality where somebody measured it: rows of data/shrink.json, and which of them speaks for a model.

Nothing is drawn through the rows: a row near in size and strength is shown as it was measured, and where none is near the cost is unknown.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from sizeup.facts import Source, data_json
from sizeup.quant_loss import share_kept


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: a model before and after."""

    technique: str
    removed: float
    """The share of layers, experts or weights that went."""
    method: str
    model: str
    parameters: int
    metric: str
    kind: str
    """"score": the larger the better; "perplexity"; "nats": divergence from the whole model; "points": only the difference is known."""
    before: float | None
    after: float
    """Of "points" the difference."""
    healed_tokens: int | None
    """Trained on afterwards; 0 without training, None where nobody says."""
    source: Source
    pattern: str = ""
    routed: bool = False
    """Whether the model is a mixture of experts: dense models say nothing of those."""

    @property
    def share(self) -> float | None:
        """The share of a score that is left, all of it where training added some; of perplexities and divergences by the rule for quantisation; None for bare points."""
        if self.kind == "score" and self.before:
            return min(1.0, self.after / self.before)
        if self.kind == "perplexity" and self.before:
            return _left(math.log(self.after / self.before))
        return _left(self.after) if self.kind == "nats" else None


def _left(nats: float) -> float:
    return float(share_kept(nats, data_json("quality/quant_loss.json")["kept_per_nat"]))


ROUTED = ("experts", "active_experts")
"""Techniques that only models with experts take; every other row is of a dense one."""


@functools.cache
def rows() -> tuple[Row, ...]:
    """Every measurement."""
    return tuple(
        Row(
            row["technique"],
            row["removed"],
            row["method"],
            row["model"],
            row["parameters"],
            row["metric"],
            row["kind"],
            row["before"],
            row["after"],
            row["healed_tokens"],
            Source("published", row["source"], row["date"]),
            row.get("pattern", ""),
            row["technique"] in ROUTED,
        )
        for row in data_json("shrink.json")["rows"]
    )


def nearest(technique: str, removed: float, parameters: int, pattern: str = "", routed: bool = False) -> Row | None:
    """The measurement that speaks for this: the same technique at about this strength on a model of about this size; None: unknown.

    Models with experts (`routed`) are spoken for by such models alone.
    """
    near = data_json("shrink.json")["near"]
    found = [
        row
        for row in rows()
        if row.technique == technique
        and row.pattern == pattern
        and row.routed == routed
        and abs(row.removed - removed) <= near["removed"]
        and abs(math.log(row.parameters / parameters)) <= math.log(near["size_factor"])
    ]
    return min(
        found, key=lambda row: (row.share is None, abs(math.log(row.parameters / parameters)), abs(row.removed - removed)), default=None
    )


def said(technique: str) -> tuple[str, Source] | None:
    """What a source says in words where it gives no figure that fits; None for other techniques."""
    for row in data_json("shrink.json")["said"]:
        if row["technique"] == technique:
            return row["text"], Source("published", row["source"], row["date"])
    return None
