"""A plan computed once more with figures, so that every number of it can say how it was made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from .corrections import corrected
from .engines import engine as find_engine
from .facts import GIVEN, Source
from .figure import leaf, plain, traced
from .layers import Block
from .model import Group, ModelSpec
from .plan import Breakdown, Plan

_COUNTS = ("context_tokens", "sequences", "batch_tokens", "micro_batch_tokens")
"""Settings that formulas compute with; the others choose formulas."""


@dataclass(frozen=True, slots=True)
class TracedGroup(Group):
    """A group whose number of layers remembers where it is from."""

    source: Source | None = None

    @property
    def layers(self) -> Any:
        return leaf("layers", len(self.positions), self.source)


def traced_model(model: ModelSpec) -> ModelSpec:
    """The same model with every shape a leaf that names its source."""
    source = model_source(model)
    groups = tuple(TracedGroup(_traced_block(group.block, source), group.positions, source) for group in model.groups)
    counts: dict[str, Any] = {
        name: leaf(name, getattr(model, name), source) for name in ("vocabulary", "tokenizer_tokens") if getattr(model, name)
    }
    return dataclasses.replace(model, groups=groups, **counts)


def model_source(model: ModelSpec) -> Source:
    """Where the model's shapes are from, with the model's name when the source does not say."""
    return model.source if model.source.where else dataclasses.replace(model.source, where=model.name)


def _traced_block(block: Block, source: Source) -> Block:
    # Feed-forward parts hold weights, which are summed over the real tensors; only mixers enter formulas of shapes.
    return dataclasses.replace(block, mixers=tuple(_traced_part(part, source) for part in block.mixers))


def _traced_part(part: Any, source: Source) -> Any:
    """A part with leaves for shapes; flags of zero stay plain, since formulas may test them."""
    made = traced(part, source)
    zeros = {
        field.name: 0
        for field in dataclasses.fields(part)
        if plain(getattr(part, field.name)) == 0 and type(getattr(part, field.name)) is int
    }
    return dataclasses.replace(made, **zeros) if zeros else made


def traced_settings(settings: Any) -> Any:
    """The same settings with their counts as leaves: given by the user or the engine's defaults."""
    default = type(settings)()
    changes = {}
    for name in _COUNTS:
        value = getattr(settings, name, None)
        if type(value) is int:
            source = GIVEN if value != getattr(default, name) else Source("given", "the default")
            changes[name] = leaf(name, value, source)
    return dataclasses.replace(settings, **changes)


def traced_breakdown(plan: Plan) -> Breakdown:
    """The plan's breakdown made of figures; the plan's own where its engine cannot compute with figures.

    The law int == Figure holds for every claim that is replaced.
    """
    engine = find_engine(plan.engine)
    try:
        replay = engine.account(traced_model(plan.model), plan.asked_quant, traced_settings(plan.settings))
        replay = corrected(replay, plan.machine.kept_as, plan.engine)
    except (TypeError, ValueError, AttributeError, ArithmeticError):
        return plan.breakdown
    pairs = zip(plan.breakdown.claims, replay.claims, strict=True)
    claims = tuple(
        dataclasses.replace(claim, bytes=again.bytes) if plain(claim.bytes) == plain(again.bytes) and claim.part == again.part else claim
        for claim, again in pairs
    )
    return dataclasses.replace(plan.breakdown, claims=claims)
