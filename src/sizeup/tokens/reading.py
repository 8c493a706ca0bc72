"""What it takes a model to read so many tokens: share of its context, cache, the wait; in how many parts where it is too much."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sizeup import recommend, remedies, search
from sizeup.errors import SizeupError, UserError
from sizeup.figure import ceil_div, plain, round_up
from sizeup.hardware import Machine
from sizeup.interval import Interval
from sizeup.model import ModelSpec
from sizeup.plan import Plan, Speed
from sizeup.search import CONTEXT_STEP
from sizeup.throughput import run_of
from sizeup.wishes import Wishes

ANSWER_TOKENS = 512
"""Room for the answer beside what is read, unless said."""
OTHERS = 3
"""Models with enough context that are named."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one model reads the whole on one machine. Not counted: a question, a system prompt, the marks of a chat template."""

    tokens: Interval
    answer_tokens: int
    context_tokens: int | None
    """The most that the model takes, or that was asked for; None when nobody says."""
    plan: Plan
    """At the context that is needed, or at the longest there is."""
    longest_tokens: int | None
    """The longest context of this plan on this machine; None when it does not fit with any."""
    nearest: tuple[Plan, ...]
    """What would make the plan fit, where it does not."""
    others: tuple[str, ...]
    """Models of the catalogue with enough context that fit the machine, where this one's is too short."""

    @property
    def needed_tokens(self) -> int:
        """The upper end of what is read, and the answer."""
        return stepped(self.tokens.high + self.answer_tokens)

    @property
    def in_context(self) -> bool:
        """Whether the model takes it all at once."""
        return self.context_tokens is None or self.tokens.high + self.answer_tokens <= self.context_tokens

    @property
    def fits(self) -> bool:
        """Whether it is read at once, on this machine."""
        return self.in_context and self.plan.fits

    @property
    def room_tokens(self) -> int:
        """Tokens that one part may have beside the answer; 0 when the machine has no room for the model at all."""
        held = self.plan_tokens if self.plan.fits else self.longest_tokens or 0
        return max(held - self.answer_tokens, 0)

    @property
    def plan_tokens(self) -> int:
        return int(plain(self.plan.settings.context_tokens))

    @property
    def parts(self) -> int | None:
        """In how many parts it can be read, at the upper end; None when in none."""
        if self.fits:
            return 1
        return int(plain(ceil_div(math.ceil(self.tokens.high), self.room_tokens))) if self.room_tokens else None

    @property
    def share(self) -> Interval | None:
        """Of the model's context; None when nobody says how long that is."""
        return self.tokens.times(1 / self.context_tokens) if self.context_tokens else None

    @property
    def cache_bytes(self) -> int:
        """Cache (and recurrent state) of the plan: for everything and the answer, or for one part."""
        return int(plain(self.plan.breakdown.bytes("cache") + self.plan.breakdown.bytes("state")))

    @property
    def prefill_s(self) -> tuple[float, float, float] | None:
        """Least, likely and most seconds to read everything, all parts together; None where no speed is known."""
        parts = self.parts
        if parts is None:
            return None
        each = self.tokens.times(1 / parts)
        pace = run_of(self.plan).prefill(max(round(each.middle), 1))
        return (
            None if pace is None else (self.tokens.low / pace.upper, self.tokens.middle / pace.tokens_per_s, self.tokens.high / pace.lower)
        )

    @property
    def first_token_s(self) -> tuple[float, float, float] | None:
        """Least, likely and most seconds until the answer begins, of the first part where there are several."""
        parts, reading = self.parts, self.prefill_s
        if parts is None or reading is None:
            return None
        pace = self.decode
        if pace is None:
            return None
        least, likely, most = (one / parts for one in reading)
        return least + 1 / pace.upper, likely + 1 / pace.tokens_per_s, most + 1 / pace.lower

    @property
    def decode(self) -> Speed | None:
        """The pace of the answer, over a context that holds what was read."""
        return run_of(self.plan).decode(min(round(self.tokens.middle / (self.parts or 1)), self.plan_tokens - 1))


def reading(
    tokens: Interval,
    model: ModelSpec,
    machine: Machine,
    *,
    answer_tokens: int = ANSWER_TOKENS,
    context_tokens: int | None = None,
    engine: str = "llama.cpp",
    quant: str | None = None,
    settings: Mapping[str, Any] | None = None,
    modality: str | None = None,
) -> Reading:
    """How `model` reads so many tokens on `machine` with its best plan.

    `modality` is what other models must take beside text, "image" or "audio". Raises UserError where the answer alone fills the context."""
    if not model.causal:
        raise UserError(
            f"{model.name} writes no answers; it turns texts into vectors.", f"--rag --embedder {model.card.get('id') or 'MODEL'}"
        )
    limit = min((each for each in (model.context_tokens, context_tokens) if each), default=None)
    if limit is not None and answer_tokens >= limit:
        raise UserError(f"An answer of {answer_tokens:,} tokens leaves nothing of a context of {limit:,}.", "--answer-tokens 256")
    needed = stepped(tokens.high + answer_tokens)
    context = needed if limit is None else min(needed, limit)
    plan = search.fit(model, machine, engine=engine, quant=quant, context_tokens=context, **(settings or {}))[0]
    within = limit is None or tokens.high + answer_tokens <= limit
    longest = context if plan.fits else search.longest_context(plan)
    nearest = () if plan.fits else tuple(remedies.nearest(model, plan))
    return Reading(tokens, answer_tokens, limit, plan, longest, nearest, () if within else _others(machine, needed, model, modality))


def _others(machine: Machine, needed: int, model: ModelSpec, modality: str | None) -> tuple[str, ...]:
    """The best models that take so much at once on this machine."""
    try:
        found = recommend.ranking(machine, Wishes("chat", needed, modality=modality), OTHERS)
    except SizeupError:
        return ()
    return tuple(one.model for one in found.choices if one.model != model.card.get("id")) if found.met else ()


def stepped(tokens: float) -> int:
    """The context that holds so many tokens: a whole number of the steps that contexts are tried in."""
    return int(plain(round_up(math.ceil(tokens), CONTEXT_STEP)))
