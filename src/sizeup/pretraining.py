"""Plans for training a model from nothing: how many tokens, how long, on how many devices, for what money and energy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .budget import Budget, parse_budget
from .cost import Cost, Fleet, cost, device_hours
from .errors import UserError
from .facts import GIVEN, Source, data_json
from .figure import Figure, leaf
from .hardware import Machine
from .interval import Interval
from .model import ModelSpec
from .pretraining_asked import count_asked, fleet_asked, model_asked, sequence_asked
from .scaling import budget_flops, expected_loss, fitted_sizes, laws, optimal_parameters, optimal_tokens
from .training_flops import RECOMPUTED, token_flops
from .training_runs import TrainingRun, stated_mfu, training_runs

WANTED_DAYS = 30.0
NEAR = 3.0
"""Published runs of models up to so many times larger or smaller are shown beside a plan."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One number of tokens for one size, and what it takes."""

    kind: str
    """"compute_optimal", "over_trained", "asked" or "budget"."""
    parameters: int
    """All weights."""
    active_parameters: int
    """Those that one token meets; the laws go by them."""
    tokens: int
    tokens_spread: Interval
    """Where laws differ; of one point when the tokens were given or are a published run's."""
    flops_per_token: float
    """Forward and backward, from the layers where they are known."""
    rule_flops: float
    """6 x active parameters x tokens, the check beside it."""
    loss: Interval
    """Nats per token on Chinchilla's scale."""
    cost: Cost

    @property
    def tokens_per_parameter(self) -> float:
        return self.tokens / self.active_parameters


@dataclass(frozen=True, slots=True)
class Pretraining:
    """The plans for one model side by side, and the facts that they rest on."""

    model: str
    """Its name; "" for a bare size."""
    parameters: int
    active_parameters: int
    size_spread: Interval | None
    """Where laws differ on the best size; None when the size was given."""
    sequence_tokens: int
    recompute: str
    layered: bool
    """Whether the FLOPs are from real layers; else 6 a weight and token."""
    fleet: Fleet
    plans: tuple[TrainingPlan, ...]
    by_law: tuple[tuple[str, float, bool, Source], ...]
    """Law, its best tokens, whether it stands, its source."""
    published: tuple[TrainingRun, ...]
    """Runs of models near this size, fewest tokens for a parameter first."""
    stated_mfu: Interval | None
    """What authors state for the time that their runs ran on such devices, which is more than the paid hours give; None when nobody does."""
    assumed: tuple[str, ...] = ()


def pretrain(
    model: str | ModelSpec | None = None,
    *,
    parameters: int | str | None = None,
    tokens: int | str | None = None,
    on: str | Machine | None = None,
    gpus: int | None = None,
    gpu: str | Machine | None = None,
    budget: str | Budget | None = None,
    days: float = WANTED_DAYS,
    sequence_tokens: int | None = None,
    recompute: str = "none",
) -> Pretraining:
    """Compute-optimal and over-trained plans for a model or a bare number of parameters.

    `budget` is FLOPs ("1e23FLOP"), device hours ("50000h") or dollars ("$200k"): with a size it says how many tokens it buys, without
    one the best size too. `days` is the time for which the number of devices is told. Raises UserError where the question clashes.
    """
    if days <= 0 or not math.isfinite(days):
        raise UserError(f"{days:g} days are no time to train in.", "--days 30")
    if recompute not in RECOMPUTED:
        raise UserError(f"“{recompute}” is not a kind of checkpointing.", ", ".join(RECOMPUTED))
    spec = model_asked(model, parameters)
    fleet, assumed = fleet_asked(on, gpus, gpu)
    given = count_asked(tokens, "tokens")
    money = parse_budget(budget) if isinstance(budget, str) else budget
    if given and money:
        raise UserError("Tokens and a budget both say how long to train.", "one of --tokens and --budget")
    flops = None if money is None else money.flops(fleet)
    size = count_asked(parameters, "parameters")
    spread = None
    if spec is None and size is None:
        if flops is None:
            raise UserError("Neither a model nor its size is given.", "sizeup pretrain --parameters 8B")
        spread = optimal_parameters(flops)
        size = round(spread.middle)
    total = spec.parameters if spec else size or 0
    active = spec.active_parameters if spec else total
    sequence = sequence_asked(spec, sequence_tokens)
    per_token = _flops_per_token(spec, active, sequence, recompute)

    def plan(kind: str, count: float, spread: Interval | None = None) -> TrainingPlan:
        many = max(round(count), 1)
        known = spread or Interval(many, many, many, GIVEN)
        whole = many * per_token
        rule = float(budget_flops(active, many))
        return TrainingPlan(
            kind, total, active, many, known, per_token, rule, expected_loss(active, many), cost(whole, per_token, fleet, days)
        )

    best = optimal_tokens(active)
    plans = [plan("compute_optimal", best.middle, best)]
    like = _over_trained(active)
    if flops is not None:
        plans = [plan("budget", flops / per_token), *([] if spread else plans)]
    if given:
        plans.insert(0, plan("asked", given))
    if like is not None and like.tokens and like.tokens > best.high and spread is None:
        point = Interval(like.tokens, like.tokens, like.tokens, replace(like.source, where=f"{like.model}: {like.source.where}"))
        plans.append(plan("over_trained", like.tokens, point))
    by_law = tuple((law.name, float(law.tokens(active)), law.current, law.source) for law in laws())
    smallest, largest = fitted_sizes()
    if not smallest <= active <= largest:
        assumed = (
            *assumed,
            f"the laws were fitted to {smallest // 10**6}M to {largest // 10**9}B parameters and are drawn on to this size",
        )
    return Pretraining(
        spec.name if spec else "",
        total,
        active,
        spread,
        sequence,
        recompute,
        spec is not None,
        fleet,
        tuple(plans),
        by_law,
        _near(active),
        stated_mfu(fleet.device),
        assumed,
    )


def _flops_per_token(spec: ModelSpec | None, active: int, sequence: int, recompute: str) -> float:
    if spec is not None:
        return float(token_flops(spec, sequence).spent(recompute))
    # Nothing is known of the layers: recomputing all of them is one more pass forward, of attention alone next to nothing.
    return float(budget_flops(active, 1)) * (4 / 3 if recompute == "full" else 1)


def _over_trained(active: int) -> TrainingRun | None:
    """The run of data/scaling_laws.json's list that is nearest in size."""
    names = data_json("scaling_laws.json")["over_trained"]["like"]
    return min((run for run in training_runs() if run.model in names), key=lambda run: _distance(run, active), default=None)


def _near(active: int) -> tuple[TrainingRun, ...]:
    runs = [run for run in training_runs() if run.tokens and run.active_parameters and _distance(run, active) <= math.log(NEAR)]
    return tuple(sorted(runs, key=lambda run: run.tokens_per_parameter or 0))


def _distance(run: TrainingRun, active: int) -> float:
    return abs(math.log(run.active_parameters / active))


def why_hours(found: Pretraining, kind: str | None = None) -> Figure:
    """The device hours of one plan at the middle of MFU, with their derivation. Raises UserError for a plan that there is not."""
    kinds = [plan.kind for plan in found.plans]
    if kind is not None and kind not in kinds:
        raise UserError(f"There is no plan “{kind}” here.", "--why " + " | ".join(kinds))
    plan = found.plans[kinds.index(kind) if kind else 0]
    fleet = found.fleet
    per_token = leaf("flops_per_token", plan.flops_per_token, Source("derived", found.model or "6 x parameters"))
    flops = leaf("training_tokens", plan.tokens, plan.tokens_spread.source) * per_token
    share = leaf("mfu", fleet.mfu.middle, fleet.mfu.source)
    hours: Figure = device_hours(flops, leaf("peak_flops_per_s", fleet.flops_per_s, fleet.source), share)
    return hours
