"""What a model is worth for a task, and what of it a quantisation keeps; every figure with its interval and with how it is known.

Scores are told on one benchmark's scale (MMLU-Pro's, 0 to 100), onto which others are put where models are in common. Rows that anybody
else ran count as measured; rows that only the maker reports are marked; a model without rows is estimated from its maker, family, size
and date, and says so. How all this is fitted, with its errors: tools/quality/scores.py. What is assumed: data/quality/estimates.json.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, NamedTuple

from .errors import UserError, close_names
from .facts import data_json
from .figure import Number, step
from .model import ModelSpec
from .quant_loss import SIDE
from .quant_loss import Kept as Kept
from .quant_loss import kept as kept
from .traits import Traits, traits

Basis = Literal["measured", "self_reported", "estimated"]


class Score(NamedTuple):
    """What a model is worth for a task, 0 to 100, with its 80 % interval."""

    value: float
    lower: float
    upper: float
    basis: Basis
    """"measured": somebody else ran it; "self_reported": only its maker did; "estimated": nobody, so that others speak for it."""
    rows: int
    """Rows of the benchmarks that speak for it; 0 when it is estimated."""
    task: str
    """The task it speaks for; "general" where no benchmark of the task itself does."""


class Ability(NamedTuple):
    """A place on the common scale, in logits, normally distributed."""

    mean: float
    sd: float
    basis: Basis
    rows: int
    task: str


def tasks() -> tuple[str, ...]:
    """Every task that may be asked for."""
    return tuple(data_json("quality/tasks.json")["tasks"])


def check_task(task: str) -> str:
    """The task itself; raises UserError with the nearest name."""
    if task not in tasks():
        near = close_names(task, tasks(), 1, 0.5)
        raise UserError(f"No task is called “{task}”.", near[0] if near else ", ".join(tasks()))
    return task


def quality(model: ModelSpec, task: str = "chat", quant: str | None = None, k: str = "f16", v: str = "f16") -> Score:
    """The score of `model` for `task`; with a `quant`, what that mix and the types of the cache leave of it.

    Raises UserError for a task that does not exist, NotFound for a mix or format that does not.
    """
    return score_of(traits(model), str(model.card.get("id") or model.name), check_task(task), kept(model, quant, k, v) if quant else None)


def score_of(found: Traits, id: str, task: str, left: Kept | None = None) -> Score:
    """The score of a model by its traits and catalogue id, times what is `left` of it."""
    at = ability(found, id, task)
    value, lower, upper = (float(points(at.mean + side * at.sd, *_anchor())) for side in (0, -SIDE, SIDE))
    share = (1.0, 1.0, 1.0) if left is None else left[:3]
    return Score(value * share[0], lower * share[1], upper * share[2], at.basis, at.rows, at.task)


@step("quality_points")
def points(ability: Number, location: Number, slope: Number) -> Number:
    """The score that a model of this ability is expected to reach on the benchmark whose scale is used."""
    return 100 / (1 + math.e ** ((location + slope * ability) * -1))


def ability(found: Traits, id: str, task: str) -> Ability:
    """From rows of the task where there are any, else from the model's other rows, else estimated."""
    facts, own = _facts(), _facts()["models"].get(id)
    spoken = bool(data_json("quality/tasks.json")["tasks"][task]["benchmarks"])
    if own is not None and task in own:
        mean, sd, how, count = own[task]
        return Ability(mean, sd, how, count, task)
    basis: Basis = "estimated"
    rows = 0
    if own is None:
        mean, sd = estimate(found)
    else:
        mean, sd, basis, rows = own["general"]
    if not spoken:
        return Ability(mean, sd, basis, rows, "general")
    # The task's benchmarks were not run on it: it leans towards the task as its size and date say, give or take.
    mean += leaning(found, task)
    return Ability(mean, math.hypot(sd, facts["sd"]["task"]), basis, rows, "general" if own else task)


def leaning(found: Traits, task: str) -> float:
    """What size, date and purpose say of a task beyond what they say in general: reasoning follows the date more, knowledge the size."""
    coefficients, assumed = _facts()["coefficients"], data_json("quality/estimates.json")
    since = damped(assumed["undated_years"] if found.years is None else found.years, assumed)
    size = math.log2((found.active or found.parameters) / 8e9)
    lean = coefficients.get(f"{task} years", 0.0) * since + coefficients.get(f"{task} active", 0.0) * size
    lean += coefficients.get(f"{task} thinker", 0.0) if found.thinker else 0.0
    return float(lean + (coefficients["coder"] if task == "code" and found.coder else 0.0))


@functools.lru_cache(maxsize=2048)
def estimate(found: Traits) -> tuple[float, float]:
    """(mean, standard deviation) of the ability of a model without rows, from size, date, maker and family."""
    facts, assumed = _facts(), data_json("quality/estimates.json")
    undated = found.years is None
    since = damped(assumed["undated_years"] if found.years is None else found.years, assumed)
    active = found.active or found.parameters
    sizes = [1.0, math.log2(active / 8e9), math.log2(found.parameters / active), since]
    names = ["open", "active", "spread", "years"]
    mean = sum(facts["coefficients"][name] * size for name, size in zip(names, sizes, strict=True))
    covariance = facts["coefficients_covariance"]
    variance = sum(covariance[i][j] * sizes[i] * sizes[j] for i in range(4) for j in range(4)) + facts["sd"]["model"] ** 2
    if undated:
        variance += (facts["coefficients"]["years"] * assumed["undated_sd_years"]) ** 2
    spread = facts["sd"]["maker"]
    maker_mean, maker_sd = _faded("makers", found.maker, spread, assumed["unknown_maker_sds"] * spread, found.years or since, assumed)
    family_mean, family_sd = _faded("families", found.family, facts["sd"]["family"], 0.0, found.years or since, assumed)
    mean += maker_mean + family_mean - (assumed["base_loss"] if found.base else 0.0)
    return mean, math.sqrt(variance + maker_sd**2 + family_sd**2)


def damped(years: float, assumed: dict[str, Any]) -> float:
    """Years of progress at a date: as many as passed while there were rows, fewer and fewer beyond the last."""
    last, halving = assumed["last_rows_years"], assumed["trend_halving_years"]
    if years <= last:
        return years
    return float(last + halving / math.log(2) * (1 - 0.5 ** ((years - last) / halving)))


def _faded(kind: str, key: str, spread: float, unknown: float, years: float, assumed: dict[str, Any]) -> tuple[float, float]:
    """(mean, standard deviation) of what a maker's or family's other models say of this one: less, the longer ago they came out."""
    known = _facts()[kind].get(key)
    if known is None:
        return unknown, spread
    mean, sd, last = known
    weight = 0.5 ** (max(years - last, 0.0) / assumed["maker_halving_years"])
    return weight * mean, math.sqrt((weight * sd) ** 2 + (1 - weight**2) * spread**2)


def _anchor() -> tuple[float, float]:
    anchor = _facts()["anchor"]
    return anchor["a"], anchor["s"]


def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = data_json("quality/scores.json")
    return facts
