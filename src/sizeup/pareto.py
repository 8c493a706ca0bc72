"""The search: every mix, cache type, flash attention, micro batch and placement of a model on a machine, and the best of them.

Best first: every way is sketched with working buffers of similar settings, rather too small than too large, so that a sketch looks
no worse than the way itself; the most promising is laid out exactly, until one that is exact beats every sketch that is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from .choice import Choice, choice
from .engine import Engine
from .errors import Refused, UserError
from .facts import data_json
from .hardware import Machine
from .model import ModelSpec
from .placements import Buffers, Spot, mixed, spots
from .trial import Trial, attempt

VARIED = ("k", "v", "flash_attention", "micro_batch_tokens")
"""Settings that the search tries beside mixes and placements."""


class Search:
    """The ways to run one model on one machine that seem to fit."""

    def __init__(
        self,
        model: ModelSpec,
        machine: Machine,
        engine: Engine,
        quants: Sequence[str | None],
        settings: Any,
        fixed: set[str],
        around: bool = True,
    ) -> None:
        """`quants` are tried, and the settings named in `fixed` stay as they are. `around` False takes placements with experts in RAM
        as they come, without looking for a little better ones beside them."""
        self._asked = (model, machine, engine)
        self._fixed, self._buffers = fixed, Buffers()
        self._around = around
        self._refined: set[int] = set()
        self.found: list[Choice] = []
        self._settings, self.quants = settings, list(quants)
        for quant in quants:
            self._add(quant, settings)
        for quant in quants:
            if self._may_win(quant):
                for variant in variants(settings, fixed):
                    self._add(quant, variant)

    def best(self, accept: Callable[[Choice], bool] = lambda _: True) -> Choice | None:
        """The accepted one that is worth most, exact; None when none fits."""
        while True:
            top = max((c for c in self.found if accept(c)), key=lambda c: c.worth, default=None)
            if top is None or (top.trial.exact and not self._refine(top)):
                return top
            if not top.trial.exact:
                self._settle(top)

    def faster(self, than: Choice) -> Choice | None:
        """The one worth most among those that decode clearly faster; None when there is none."""
        factor = data_json("preference.json")["alternative"]["faster"]
        return self.best(lambda c: bool(c.tokens_per_s and than.tokens_per_s and c.tokens_per_s >= factor * than.tokens_per_s))

    def better(self, than: Choice) -> Choice | None:
        """The one worth most among those that keep more of the quality; None when there is none."""
        return self.best(lambda c: c.kept > than.kept)

    def least_short(self, quant: str | None) -> Trial:
        """When nothing fits: the placement of this mix that lacks least."""
        start = attempt(*self._asked, quant, self._settings)
        tried = [spot.at(spot.off) or start for spot in spots(start, self._fixed, self._buffers)]
        return min([start, *tried], key=lambda trial: trial.shortfall_bytes)

    def all_short(self) -> list[Trial]:
        """When nothing fits: of every mix the placement that lacks least. Raises Refused when the engine refuses them all."""
        found, refused = [], None
        for quant in self.quants:
            try:
                found.append(self.least_short(quant))
            except Refused as error:
                refused = refused or error
        if refused is not None and not found:
            raise refused
        return found

    def all(self) -> list[Choice]:
        """Every way, exact."""
        for one in [c for c in self.found if not c.trial.exact]:
            self._settle(one)
        return self.found

    def _add(self, quant: str | None, settings: Any) -> None:
        start = self._start(quant, settings)
        if start is not None:
            self.found += [choice(spot) for spot in spots(start, self._fixed, self._buffers) if spot.trial.fits]

    def _start(self, quant: str | None, settings: Any) -> Trial | None:
        """The trial that placements begin with: everything in host memory. None when the engine refuses it."""
        kind = "all" if "gpu_layers" in self._fixed else "host"
        try:
            if not self._buffers.known:
                first = attempt(*self._asked, quant, settings)
                self._buffers.keep(kind, first)
                if kind == "host" and self._asked[1].devices and hasattr(settings, "gpu_layers"):
                    self._buffers.keep("all", first.changed(gpu_layers="all"))
            model, machine, engine = self._asked
            compute = self._buffers.like(kind, Trial(model, machine, engine, quant, settings, None, {}))  # type: ignore[arg-type]
            return attempt(model, machine, engine, quant, settings, compute)
        except (Refused, UserError):
            return None

    def _may_win(self, quant: str | None) -> bool:
        """Whether a variant of this mix might be worth most: even with the smallest cache and no working buffers at the quality of the largest."""
        best = max((c.worth for c in self.found), default=0.0)
        if not best or not hasattr(self._settings, "micro_batch_tokens"):
            return not best
        small = list(variants(self._settings, self._fixed))
        if not small:
            return False
        leanest = replace(small[-1], micro_batch_tokens=self._settings.micro_batch_tokens)
        start = self._start(quant, leanest)
        if start is None:
            return False
        empty = Buffers({"all": ((), 1), "host": ((), 1)})
        bounds = [choice(spot) for spot in spots(start, self._fixed, empty) if spot.trial.fits]
        plain = choice(Spot("host", start._replace(settings=self._settings), start, lambda _: {}, 0, 0, frozenset()))
        return any(bound.worth / bound.kept * plain.kept * 1.1 > best for bound in bounds)

    def _settle(self, one: Choice) -> None:
        """Put the exact one in the place of a sketch, or nothing when it does not fit."""
        at = self.found.index(one)
        trial = one.spot.settled(self._buffers)
        if trial is None or not trial.fits:
            del self.found[at]
        else:
            self.found[at] = choice(one.spot._replace(trial=trial))

    def _refine(self, top: Choice) -> bool:
        """Look around a placement with experts in RAM once; whether anything promising came of it."""
        if not self._around or id(top.trial.settings) in self._refined:
            return False
        self._refined.add(id(top.trial.settings))
        around = [choice(spot) for spot in mixed(top.trial, self._fixed) if spot.trial.fits]
        self.found += [one for one in around if one.worth > top.worth]
        return any(one.worth > top.worth for one in around)


def variants(settings: Any, fixed: set[str]) -> Iterator[Any]:
    """The settings with every other cache type, flash attention off, and other micro batches; the leanest last, not the settings themselves."""
    rule = data_json("preference.json")
    if not hasattr(settings, "micro_batch_tokens"):
        return
    pairs: list[tuple[str, str]] = [] if {"k", "v"} & fixed else [tuple(pair) for pair in rule["kv_types"]]
    flash = [] if "flash_attention" in fixed else ["auto", False]
    micro = [] if {"micro_batch_tokens", "batch_tokens"} & fixed else rule["micro_batches"]
    for k, v in pairs or [(settings.k, settings.v)]:
        for attention in flash or [settings.flash_attention]:
            # Values that are quantised are read by flash attention alone.
            if attention is False and v not in ("f16", "bf16", "f32"):
                continue
            for tokens in micro or [settings.micro_batch_tokens]:
                other = replace(settings, k=k, v=v, flash_attention=attention, micro_batch_tokens=tokens)
                if other != settings:
                    yield other


def front(found: Iterable[Choice]) -> list[Choice]:
    """The choices that no other one equals or beats in every goal, by worth; of equals the plainest."""
    ordered = sorted(found, key=lambda c: (c.goals, -c.departures), reverse=True)
    unbeaten: list[Choice] = []
    for one in ordered:
        if not any(all(a >= b for a, b in zip(other.goals, one.goals, strict=True)) for other in unbeaten):
            unbeaten.append(one)
    return sorted(unbeaten, key=lambda c: -c.worth)
