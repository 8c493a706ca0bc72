"""Where the layers of a model may lie on a machine: on all devices, on the fastest of them, experts in RAM, fewer layers, RAM alone.

A step's time is a sum over layers, so the fastest placement lies at an end: everything on the devices, nothing, or as little off
them as must be. Those ends are tried, not every placement between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .errors import Refused, UserError
from .model import ModelSpec
from .plan import Claim
from .trial import Trial

DOUBT = 0.25
"""Working buffers of one layer more or less are supposed to differ by no more than this share."""


@dataclass
class Buffers:
    """Working buffers that were laid out, by kind of placement: they stand in for those of similar settings."""

    known: dict[str, tuple[tuple[Claim, ...], int]] = field(default_factory=dict)

    def like(self, kind: str, trial: Trial) -> tuple[Claim, ...] | None:
        """Buffers for this kind and a micro batch as the trial's, rather too small than too large; None when nothing like it is known."""
        claims, tokens = self.known.get(kind) or self.known.get("all") or self.known.get("host") or ((), 0)
        if not tokens:
            return None
        share = min(1.0, int(trial.settings.micro_batch_tokens) / tokens) if hasattr(trial.settings, "micro_batch_tokens") else 1.0
        return tuple(Claim(c.part, c.pool, int(c.bytes * share), c.within) for c in claims)

    def keep(self, kind: str, trial: Trial) -> None:
        self.known.setdefault(kind, (trial.compute, int(getattr(trial.settings, "micro_batch_tokens", 1))))


class Spot(NamedTuple):
    """One kind of placement with as little moved off the cards as seems needed."""

    kind: str
    trial: Trial
    base: Trial
    change: Callable[[int], dict[str, Any]]
    """A number moved -> the settings."""
    off: int
    """Moved; 0 where nothing is."""
    most: int
    fixed: frozenset[str]

    def at(self, count: int, compute: tuple[Claim, ...] | None = None) -> Trial | None:
        return _changed(self.base, self.fixed, compute, **self.change(count))

    def settled(self, buffers: Buffers) -> Trial | None:
        """The trial with its working buffers laid out: the least that must really move. None when it does not fit after all."""
        if self.trial.exact:
            return self.trial
        if not self.off:
            found = self.at(0)
            if found is not None:
                buffers.keep(self.kind, found)
            return found
        short, enough, best, count = 0, self.most + 1, None, self.off
        while short + 1 < enough:
            found = self.at(count)
            if found is None:
                return None
            buffers.keep(self.kind, found)
            if found.cards_fit:
                enough, best = count, found
                if count == 1 or self._surely_short(count - 1, found):
                    break
            else:
                short = count
            compute = found.compute
            guess = least_that(short + 1, enough - 1, lambda n, c=compute: (t := self.at(n, c)) is not None and t.cards_fit)  # type: ignore[misc]
            count = min(guess or enough - 1, enough - 1)
        return best

    def _surely_short(self, count: int, beside: Trial) -> bool:
        """Whether one less could not fit even if its working buffers were clearly smaller."""
        smaller = tuple(Claim(c.part, c.pool, int(c.bytes * (1 - DOUBT)), c.within) for c in beside.compute)
        trial = self.at(count, smaller)
        return trial is None or not trial.cards_fit


def spots(start: Trial, given: set[str], buffers: Buffers) -> Iterator[Spot]:
    """Ways to place this trial's model; settings in `given` stay. What needs too much is left out, as far as that can be told."""
    fixed, model = frozenset(given), start.model
    layers = model.layers
    cards = [device for device in start.machine.devices if start.machine.pool(device.pool)]
    split = not {"gpu_layers", "tensor_split", "gpus"} & fixed

    def whole(kind: str, base: Trial, **changes: Any) -> Spot | None:
        trial = _changed(base, fixed, buffers.like(kind, base), **changes)
        return None if trial is None else Spot(kind, trial, base, lambda _: changes, 0, 0, fixed)

    def moved(kind: str, base: Trial, change: Callable[[int], dict[str, Any]]) -> Spot | None:
        """The least of something moved off the cards so that they hold the rest; only they decide, since moving fills RAM."""
        compute = buffers.like(kind, base) or ()

        def fits(count: int) -> bool:
            trial = _changed(base, fixed, compute, **change(count))
            return trial is not None and trial.cards_fit

        least = least_that(1, layers, fits)
        if least is None:
            return None
        trial = _changed(base, fixed, compute, **change(least))
        return None if trial is None else Spot(kind, trial, base, change, least, layers, fixed)

    def off(count: int) -> dict[str, Any]:
        return {"gpu_layers": layers + 1 - count}

    def found() -> Iterator[Spot | None]:
        if (spread := getattr(start.engine, "spread", None)) is not None:
            # Such an engine runs on cards alone, and knows itself how to share a model among them.
            for ways in spread(model, start.settings, fixed):
                yield whole(f"spread{ways}", start, **ways)
            return
        if "gpu_layers" not in fixed and cards and hasattr(start.settings, "gpu_layers"):
            every = whole("all", start, gpu_layers="all")
            yield every
            for number, shares in enumerate(_fastest(start) if split else ()):
                alone = whole(f"all{number}", start, gpu_layers="all", tensor_split=shares)
                yield alone if alone is None or alone.trial.cards_fit else moved(f"layers{number}", alone.trial, off)
            # Where nothing needs to move, the host alone is still tried: a small GPU may be slower than its processor.
            if every is not None and not every.trial.cards_fit:
                if has_experts(model) and "cpu_moe_layers" not in fixed:
                    yield moved("experts", every.trial, lambda n: {"cpu_moe_layers": n})
                    bare = _changed(every.trial, fixed, every.trial.compute, cpu_moe_layers=layers)
                    yield None if bare is None else moved("bare", bare, off)
                    if split and len(cards) > 1:
                        free = tuple(pool.free_bytes for card in cards if (pool := start.machine.pool(card.pool)))
                        yield moved("even", every.trial, lambda n: {"cpu_moe_layers": n, "tensor_split": balanced(model, n, free)})
                yield moved("layers", every.trial, off)
        yield whole("host", start)
        if "repack" not in fixed and hasattr(start.settings, "repack"):
            yield whole("host", start, repack=False)

    return (spot for spot in found() if spot is not None)


def mixed(best: Trial, fixed: set[str]) -> Iterator[Spot]:
    """Around a placement with experts in RAM: fewer experts there, and for that some whole layers."""
    experts = getattr(best.settings, "cpu_moe_layers", 0)
    if not isinstance(experts, int) or not experts or {"gpu_layers", "cpu_moe_layers"} & fixed or best.settings.gpu_layers == 0:
        return
    layers, whole = best.model.layers, 1
    for fewer in range(experts - 1, -1, -1):
        # Fewer experts in RAM never need fewer whole layers there, so the search goes on where it stopped.
        while whole <= layers:
            change = {"cpu_moe_layers": fewer, "gpu_layers": layers + 1 - whole}
            found = _changed(best, frozenset(fixed), best.compute, **change)
            if found is not None and found.cards_fit:
                yield Spot("mixed", found, best, lambda _, c=change: c, 0, 0, frozenset(fixed))  # type: ignore[misc]
                break
            whole += 1


def _changed(trial: Trial, fixed: frozenset[str], compute: tuple[Claim, ...] | None = None, **changes: Any) -> Trial | None:
    """The trial with these settings, without those that were given; None when the engine refuses them."""
    try:
        return trial.changed(compute, **{name: value for name, value in changes.items() if name not in fixed})
    except (Refused, UserError):
        return None


def _fastest(trial: Trial) -> list[tuple[float, ...]]:
    """Splits over only the faster cards of an unlike set, the fewest first: a slow card holds up those beside it."""
    rates = [pool.bytes_per_s or 0.0 for device in trial.machine.devices if (pool := trial.machine.pool(device.pool))]
    free = [pool.free_bytes for device in trial.machine.devices if (pool := trial.machine.pool(device.pool))]
    steps = sorted(set(rates), reverse=True)[:-1]
    return [tuple(float(bytes) if rate >= step else 0.0 for rate, bytes in zip(rates, free, strict=True)) for step in steps]


def balanced(model: ModelSpec, experts_off: int, free: tuple[int, ...]) -> tuple[float, ...]:
    """Layers per card, so that each holds a share of the weights like its free memory when the first layers' experts are in RAM.

    The engine's own split counts layers as equal; with experts moved away the first ones are light, and the last card overflows.
    """
    sizes = _layer_sizes(model)
    held = [size - routed if index < experts_off else size for index, (size, routed) in enumerate(sizes)]
    # The output layer counts as one more; it weighs little beside a block of experts.
    held.append(int(model.head.parameters(model.hidden)))
    total, room, counts, done = sum(held) or 1, sum(free) or 1, [0] * len(free), 0.0
    for size in held:
        middle, reach, card = (done + size / 2) / total, 0.0, 0
        for card in range(len(free)):
            reach += free[card] / room
            if middle < reach:
                break
        counts[card] += 1
        done += size
    return tuple(float(count) for count in counts)


def _layer_sizes(model: ModelSpec) -> list[tuple[int, int]]:
    """Weights of every layer, and of its routed experts."""
    kept: list[tuple[int, int]] | None = model.__dict__.get("_layer_sizes")
    if kept is None:
        found = {}
        for group in model.groups:
            size, idle = int(group.block.parameters(model.hidden)), int(group.block.idle_parameters(model.hidden))
            for position in group.positions:
                found[position] = (size, idle)
        kept = model.__dict__["_layer_sizes"] = [found[position] for position in sorted(found)]
    return kept


def has_experts(model: ModelSpec) -> bool:
    """Whether some layers have routed experts that a token skips."""
    return model.active_parameters < model.parameters and any(group.block.idle_parameters(model.hidden) for group in model.groups)


def least_that(low: int, high: int, works: Callable[[int], bool]) -> int | None:
    """The smallest number from low to high that works, when every larger one works too; None when none does."""
    if low > high or not works(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return low
