"""Which models of the catalogue suit a machine for a task: by the quality that is left, at a pace that somebody can wait for.

Every model in every mix is outlined from columns (outline.py), best scores first, until nothing better can follow. What is ranked is
score x share kept x what the pace is worth to a reader, by the rule that plans of one model are recommended by (data/preference.json).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .corrections import Learned
from .errors import NotFound, UserError
from .hardware import Machine
from .outline import Outline, Room, outline, room
from .plan import Plan, Speed
from .quality import Kept, Score, score_of
from .quant_loss import kept_share
from .readers.catalogue import find
from .search import fit, resolve_machine
from .shortlist import Listed, listed
from .traits import of_row
from .wishes import Wishes, eligible
from .worth import pace

FASTEST_TOKENS_PER_S = 1000.0
"""No single conversation is decoded faster on any machine here: it bounds what a pace can be worth."""


class Choice(NamedTuple):
    """One model in one mix on one machine, from columns; `plan` is the exact answer."""

    listed: Listed
    machine: Machine
    quant: str
    context_tokens: int
    score: Score
    """Of the task, with what the mix leaves of it."""
    kept: Kept
    outline: Outline
    worth: float
    """What it is ranked by: score x worth of its pace."""

    @property
    def model(self) -> str:
        """Its hub id, as `sizeup fit` takes it."""
        return self.listed.id

    @property
    def speed(self) -> Speed | None:
        """Tokens per second over an empty context; None where a bandwidth is not known."""
        return self.outline.speed

    def plan(self) -> Plan:
        """The same as a full plan: exact bytes, settings, command."""
        return fit(self.model, self.machine, quant=self.quant, context_tokens=self.context_tokens)[0]


class Ranking(NamedTuple):
    """The best models, and what stood in the way when there are none."""

    choices: tuple[Choice, ...]
    met: bool
    """False when nothing meets every wish: then the choices are the nearest."""
    excluded: dict[str, int]
    """Wish -> models that would do if it alone were dropped; empty when the wishes are met."""
    task: str
    slowest_tokens_per_s: float
    lessons: tuple[Learned, ...] = ()
    """What the machine's own logs said of parts, which the bytes here take into account."""


def models(
    machine: Machine | str | None = None,
    *,
    task: str = "chat",
    limit: int = 10,
    context_tokens: int = 8192,
    engine: str = "llama.cpp",
    quant: str | None = None,
    slowest_tokens_per_s: float | None = None,
    license: str | None = None,
    language: str | None = None,
    modality: str | None = None,
    newer_than: str | None = None,
) -> list[Choice]:
    """The best catalogue models for `machine` and `task`, best first, one a maker and size; the nearest where nothing meets the wishes.

    `license` is "permissive" or a licence's name, `modality` "image" or "audio", `language` a code ("zh"), `newer_than` a date.
    Raises UserError for a task, licence, date or count that makes no sense.
    """
    wishes = Wishes(task, context_tokens, quant, slowest_tokens_per_s, license, language, modality, newer_than)
    return list(ranking(machine, wishes, limit, engine).choices)


def ranking(machine: Machine | str | None, wishes: Wishes, limit: int = 10, engine: str = "llama.cpp") -> Ranking:
    """`models` with the reasons: what was excluded by which wish when nothing meets them all."""
    if engine != "llama.cpp":
        raise UserError(f"Models are ranked for llama.cpp; {engine} is not known here.", "llama.cpp")
    wishes = wishes.checked()
    box = resolve_machine(machine)
    where = room(box, wishes.context_tokens)
    return _ranked(where, wishes, limit)._replace(lessons=tuple(where.lessons.values()))


def _ranked(where: Room, wishes: Wishes, limit: int) -> Ranking:
    floor = wishes.floor()
    found = _best(where, wishes, limit)
    if found:
        return Ranking(found, True, {}, wishes.task, floor)
    freed = {name: _best(where, without, 1000) for name, without in wishes.each_dropped()}
    excluded = {name: len(choices) for name, choices in freed.items() if choices}
    if excluded:
        # The wish whose dropping brings the best model is the one to think about first.
        best = max(excluded, key=lambda name: freed[name][0].worth)
        return Ranking(_nearest(freed[best], best, limit), False, excluded, wishes.task, floor)
    rest = _best(where, wishes.bare(), limit) or _closest(where, wishes, limit)
    return Ranking(rest, False, {}, wishes.task, floor)


def one(model: str, machine: Machine | str | None, wishes: Wishes) -> Choice:
    """One model as the ranking would see it, whether or not it meets the wishes. Raises NotFound for what the catalogue does not have."""
    wishes = wishes.checked()
    spec = find(model)
    id = str(spec.card["id"])
    found = next((each for each in listed() if each.id == id), None)
    if found is None:
        raise NotFound(f"{id} is not ranked: llama.cpp does not run it.", "sizeup models --help")
    where = room(resolve_machine(machine), wishes.context_tokens)
    score = score_of(of_row(found.facts, found.parameters, found.active_parameters), id, wishes.task)
    if spec.mix and wishes.quant is None:
        wishes = wishes._replace(quant=spec.mix if spec.mix in found.mixes() else None)
    choices = list(_choices(found, score, where, wishes))
    if not choices:
        raise NotFound(f"In {wishes.quant} nobody makes files of {id}.", ", ".join(found.mixes()))
    return max(choices, key=lambda choice: (choice.outline.fits, choice.worth if choice.outline.fits else -choice.outline.missing_bytes))


def _nearest(choices: tuple[Choice, ...], dropped: str, limit: int) -> tuple[Choice, ...]:
    """Of those that a dropped wish lets in, the ones that come nearest to it: the fastest where the pace was too much to ask."""
    if dropped == "slowest":
        choices = tuple(sorted(choices, key=lambda choice: -(choice.speed.tokens_per_s if choice.speed else 0.0)))
    return choices[:limit]


def _best(where: Room, wishes: Wishes, limit: int) -> tuple[Choice, ...]:
    """Best first. A model's score bounds what any mix of it is worth, so that most of the catalogue is never outlined."""
    fastest = pace(FASTEST_TOKENS_PER_S)
    found: dict[tuple[str, bool, int, int], Choice] = {}
    for model, score in _scored(wishes):
        worths = sorted((choice.worth for choice in found.values()), reverse=True)
        if len(worths) >= limit and worths[limit - 1] >= score.value * fastest:
            break
        # Of a maker's models of one size and shape the best stands for all: what it replaced is not offered beside it.
        key = (str(model.facts["maker"]), bool(model.facts["coder"]), _octaves(model.parameters, 2), _octaves(model.active_parameters, 1))
        to_beat = found[key].worth if key in found else -math.inf
        if score.value * fastest > to_beat and (choice := _of_model(model, score, where, wishes, to_beat)) is not None:
            found[key] = choice
    return tuple(sorted(found.values(), key=lambda choice: -choice.worth)[:limit])


def _octaves(parameters: int, steps: int) -> int:
    return round(math.log2(max(parameters, 1)) * steps)


def _scored(wishes: Wishes) -> Iterable[tuple[Listed, Score]]:
    each = [
        (model, score_of(of_row(model.facts, model.parameters, model.active_parameters), model.id, wishes.task))
        for model in listed()
        if eligible(model, wishes)
    ]
    return sorted(each, key=lambda pair: (-pair[1].value, -(pair[0].facts["downloads"] or 0)))


def _of_model(model: Listed, score: Score, where: Room, wishes: Wishes, to_beat: float) -> Choice | None:
    """The mix of one model that is worth most here, and more than `to_beat`; None when none fits and keeps the pace."""
    best, fastest, floor = None, pace(FASTEST_TOKENS_PER_S), wishes.floor()
    for mix, left in _kept(model, wishes):
        if score.value * left.share * fastest <= to_beat:
            continue
        choice = _choice(model, score, where, wishes, mix, left)
        slow = choice.speed is not None and choice.speed.tokens_per_s < floor
        if choice.outline.fits and not slow and choice.worth > to_beat:
            best, to_beat = choice, choice.worth
    return best


def _choices(model: Listed, score: Score, where: Room, wishes: Wishes) -> Iterator[Choice]:
    return (_choice(model, score, where, wishes, mix, left) for mix, left in _kept(model, wishes))


def _kept(model: Listed, wishes: Wishes) -> Iterator[tuple[str, Kept]]:
    """The mixes that are asked about, each with what it leaves of the model's quality."""
    known = model.mixes()
    for mix in known if wishes.quant is None else [wishes.quant] if wishes.quant in known else []:
        yield mix, kept_share(model.parameters, model.active_parameters, mix, "f16", "f16", str(model.facts["native"] or ""))


def _choice(model: Listed, score: Score, where: Room, wishes: Wishes, mix: str, left: Kept) -> Choice:
    context = min(wishes.context_tokens, model.facts["context"] or wishes.context_tokens)
    drawn = outline(model, mix, where, context)
    told = Score(score.value * left.share, score.lower * left.lower, score.upper * left.upper, *score[3:])
    worth = told.value * pace(drawn.speed.tokens_per_s if drawn.speed else None)
    return Choice(model, where.machine, mix, context, told, left, drawn, worth)


def _closest(where: Room, wishes: Wishes, limit: int) -> tuple[Choice, ...]:
    """Where nothing at all fits: what misses least."""
    each = [choice for model, score in _scored(wishes.bare()) for choice in _choices(model, score, where, wishes.bare())]
    return tuple(sorted(each, key=lambda choice: choice.outline.missing_bytes)[:limit])
