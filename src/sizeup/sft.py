"""How many examples supervised fine-tuning takes, by purpose: what published work did with how many, nothing fitted."""

from __future__ import annotations

from typing import NamedTuple

from .facts import Source, data_json


class Evidence(NamedTuple):
    """One published use of so many examples."""

    examples: int
    what: str
    source: Source


class Purpose(NamedTuple):
    """What somebody wants to teach, and the range of examples that published work taught it with."""

    name: str
    """"format", "style", "reasoning" or "assistant"."""
    evidence: tuple[Evidence, ...]

    @property
    def low(self) -> int:
        return min(each.examples for each in self.evidence)

    @property
    def high(self) -> int:
        return max(each.examples for each in self.evidence)


def purposes() -> tuple[Purpose, ...]:
    """Every purpose of data/sft_examples.json, fewest examples first."""
    return tuple(
        Purpose(
            row["purpose"],
            tuple(Evidence(each["examples"], each["what"], Source("published", each["source"], each["date"])) for each in row["evidence"]),
        )
        for row in data_json("sft_examples.json")["purposes"]
    )
