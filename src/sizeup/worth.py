"""What a way to run a model is worth to the person who waits for it: the order in which plans are recommended, data/preference.json."""

from __future__ import annotations

from .facts import data_json
from .figure import Number, least, most, step


@step("worth_of_pace")
def worth_of_pace(
    tokens_per_s: Number, reading: Number, fluent: Number, below_reading: Number, below_fluent: Number, beyond: Number
) -> Number:
    """1 at a fluent pace; less below it, still less below reading, hardly more beyond."""
    slow = least(tokens_per_s / reading, 1) ** below_reading
    middle = least(most(tokens_per_s, reading) / fluent, 1) ** below_fluent
    return slow * middle * most(tokens_per_s / fluent, 1) ** beyond


@step("worth_of_wait")
def worth_of_wait(seconds: Number, bearable: Number, beyond: Number, below: Number) -> Number:
    """1 at a bearable wait for the first token; less beyond it, hardly more below."""
    return least(bearable / seconds, 1) ** beyond * most(bearable / seconds, 1) ** below


def pace(tokens_per_s: float | None) -> float:
    """The worth of a decode speed as one conversation sees it; 1 where it is not known, for all plans alike."""
    if tokens_per_s is None:
        return 1.0
    powers, paces = data_json("preference.json")["pace"], data_json("paces.json")
    fluent = next(row["from_tokens_per_s"] for row in paces["steps"] if row["feeling"] == "fluent")
    powers = (powers["below_reading"], powers["below_fluent"], powers["beyond"])
    return float(worth_of_pace(tokens_per_s, paces["reading_tokens_per_s"], fluent, *powers))


def wait(seconds: float | None) -> float:
    """The worth of a time to the first token; 1 where it is not known."""
    row = data_json("preference.json")["wait"]
    return 1.0 if seconds is None else float(worth_of_wait(seconds, row["bearable_s"], row["beyond"], row["below"]))
