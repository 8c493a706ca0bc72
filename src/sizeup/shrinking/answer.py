"""The public `shrink`: one model, techniques one by one and together, and what reaches a size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sizeup.errors import Refused, UserError
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.search import read_model, resolve_machine
from sizeup.units import parse_bytes

from .form import Form, published, quantised
from .formats import Format, others
from .goal import Goal, reach
from .menu import every_mix, menu
from .notes import Note, notes
from .steps import Asked, Step, steps
from .weigh import Outcome, weighed


@dataclass(frozen=True)
class Shrinkage:
    """Outcomes side by side."""

    model: ModelSpec
    machine: Machine
    context_tokens: int
    base: Outcome
    """The model as it is."""
    alone: tuple[Outcome, ...]
    """One technique each."""
    together: Outcome | None
    """All that were asked for; None when nothing or one thing was."""
    notes: tuple[Note, ...]
    goal: Goal | None
    """What was wanted of `to`."""
    reached: tuple[Outcome, ...]
    """The goal's combinations, weighed, the gentlest first."""
    formats: tuple[Format, ...] = ()
    """Of engines other than llama.cpp, where every format was asked for."""

    @property
    def best(self) -> Outcome:
        """What to build: the gentlest that reaches the goal, else all that was asked for, else the model as it is."""
        if self.reached:
            return self.reached[0]
        return self.together or (self.alone[0] if len(self.alone) == 1 else self.base)

    @property
    def met(self) -> bool:
        """Whether the size that was asked for can be reached."""
        return self.goal is None or bool(self.reached)


def shrink(
    model: ModelSpec | str,
    machine: Machine | str | None = None,
    *,
    to: int | str | None = None,
    context_tokens: int | None = None,
    source: str | None = None,
    every_format: bool = False,
    sibling: ModelSpec | str | None = None,
    layers: int | None = None,
    hidden: int | None = None,
    inner: int | None = None,
    heads: int | None = None,
    kv_heads: int | None = None,
    share_kv: int | None = None,
    experts: int | None = None,
    active_experts: int | None = None,
    vocabulary: int | None = None,
    tie: bool = False,
    quant: str | None = None,
    kv_type: str | None = None,
    share_layers: int | str | None = None,
    rank: int | None = None,
    sparsity: str | float | None = None,
    adapters: int | None = None,
    adapter_rank: int = 16,
) -> Shrinkage:
    """What shrinking `model` would save on `machine` (None: this one) and cost, beside the model as it is stored.

    Each technique that is given is weighed alone and all together; none given, each at its usual strengths; `every_format` every mix
    and what other engines read.
    `to` ("8GiB") searches combinations that run in so much memory, all of it, at `context_tokens` (None: 8,192 or the model's limit).
    `source` is the mix to start from; None is the published format. Raises UserError for what the model does not have or what makes
    nothing smaller, Refused where the engine would not start.
    """
    spec, box = read_model(model), resolve_machine(machine)
    tokens = context_tokens or min(8192, spec.context_tokens or 8192)
    form = published(spec) if source is None else quantised(published(spec), source.upper())
    asked = Asked(
        sibling=None if sibling is None else read_model(sibling),
        layers=layers,
        hidden=hidden,
        inner=inner,
        heads=heads,
        kv_heads=kv_heads,
        share_kv=share_kv,
        experts=experts,
        active_experts=active_experts,
        vocabulary=vocabulary,
        tie=tie,
        quant=quant,
        kv_type=kv_type,
        share_layers=share_layers,
        rank=rank,
        sparsity=sparsity,
        adapters=adapters,
        adapter_rank=adapter_rank,
    )
    base = weighed((), form, box, tokens)
    wanted = steps(form, asked)

    def outcome(done: Iterable[Step]) -> Outcome:
        return weighed(tuple(done), form, box, tokens, base.plan)

    goal = None if to is None else reach(form, box, tokens, parse_bytes(to) if isinstance(to, str) else to, asked)
    reached = () if goal is None else tuple(outcome(one.steps) for one in goal.found)
    alone: tuple[Outcome, ...] = ()
    if goal is None:
        alone = tuple(_usual(form, every_format, outcome)) if not wanted or every_format else tuple(map(outcome, _each(form, wanted)))
    together = outcome(wanted) if goal is None and len(wanted) > 1 else None
    formats = tuple(others(spec, tokens)) if every_format and goal is None else ()
    shown = [*alone, *([together] if together else []), *reached]
    return Shrinkage(spec, box, tokens, base, alone, together, _noted(form, shown), goal, reached, formats)


def _each(form: Form, wanted: tuple[Step, ...]) -> list[tuple[Step, ...]]:
    """Each step alone; after a sibling the others stand on it."""
    if wanted[0].technique == "sibling":
        return [wanted[:1], *((wanted[0], step) for step in wanted[1:])] if len(wanted) > 1 else [wanted]
    return [(step,) for step in wanted]


def _usual(form: Form, every_format: bool, outcome: Callable[[Iterable[Step]], Outcome]) -> Iterable[Outcome]:
    """The menu, without what this model cannot take."""
    for asked in every_mix(form) if every_format else menu(form):
        try:
            yield outcome(steps(form, asked))
        except (UserError, Refused):
            continue


def _noted(form: Form, outcomes: Iterable[Outcome]) -> tuple[Note, ...]:
    """What is to be said of all steps that are shown, each thing once."""
    found: dict[str, Note] = {}
    for outcome in outcomes:
        for step in outcome.steps:
            for note in notes(step, form, outcome.form):
                found.setdefault(note.key, note)
    return tuple(found.values())
