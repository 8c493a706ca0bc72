"""A plan in outline: whether a catalogue model fits a machine and how fast it decodes, from the columns, in microseconds.

The placements are the search's: all on the cards, then experts on the host, then layers on the host, then the host alone; the speed is the
roofline's. With everything on one card or on the host the bytes are the engine's own. Where a model is split, the card's share is
taken as full and the working buffers as those of one card that holds all; `sizeup fit` knows them exactly.
Not counted: repacked copies of weights, which the engine gives up where they do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from .corrections import NOTHING, Lessons, lessons
from .engines import engine as find_engine
from .hardware import Machine
from .memory import make_settings
from .plan import Breakdown, Claim, Speed
from .readers import catalogue
from .shortlist import Listed, Weights
from .throughput import Run
from .work import Share, Work, matrix_flops

Placed = Literal["cards", "experts", "layers", "host"]


class Room(NamedTuple):
    """The memory of a machine as the engine would use it."""

    machine: Machine
    settings: Any
    cards: tuple[tuple[str, int], ...]
    """(pool as the engine names it, free bytes) of every card; empty without one."""
    host_bytes: int
    """Free host memory; what cards and host share counts here and not there."""
    shared: bool
    lessons: Lessons = NOTHING
    """What the machine's own logs say of parts."""

    def beside_weights(self, model: Listed, context_tokens: int) -> tuple[int, int, int]:
        """(card, host beside a card, host alone): what a model needs here beside its weights."""
        return model.beside_weights(context_tokens, self.settings.gpu_kind, self.lessons)


class Outline(NamedTuple):
    """Where the weights would lie, what must be free, and how fast it decodes over an empty context."""

    placed: Placed
    needed_bytes: int
    missing_bytes: int
    """0 when it fits."""
    speed: Speed | None

    @property
    def fits(self) -> bool:
        return not self.missing_bytes


class Split(NamedTuple):
    """How much of a model lies on the host: shares of its experts and of its layers, with the bytes on each side."""

    placed: Placed
    experts: float
    layers: float
    card_bytes: int
    host_bytes: int


def room(machine: Machine, context_tokens: int) -> Room:
    """What the engine finds on a machine."""
    engine = find_engine("llama.cpp")
    settings = engine.on(make_settings(engine.Settings, engine.name, {"context_tokens": context_tokens}), machine, ())
    host = machine.pool("ram") or machine.pool("unified")
    shared = machine.pool("ram") is None
    cards = []
    if settings.gpu_kind and any(machine.pool(device.pool) for device in machine.devices) and _has_backend(machine):
        for number, device in enumerate(device for device in machine.devices if machine.pool(device.pool)):
            pool = machine.pool(device.pool)
            cards.append((f"vram:{number}", 0 if device.pool == "unified" or pool is None else pool.free_bytes))
    return Room(machine, settings, tuple(cards), host.free_bytes if host else 0, shared, lessons(machine.kept_as, engine.name))


def _has_backend(machine: Machine) -> bool:
    from .engines.llamacpp.settings import kinds

    return all(device.kind in kinds() for device in machine.devices if machine.pool(device.pool))


def outline(model: Listed, mix: str, where: Room, context_tokens: int) -> Outline:
    """The first placement that fits; when none does, the one that misses least."""
    nearest: tuple[int, Split] | None = None
    for split in _splits(model, mix, where, context_tokens):
        missing = _missing(split, where)
        if not missing:
            return Outline(split.placed, split.card_bytes + split.host_bytes, 0, _speed(model, mix, where, split))
        if nearest is None or missing < nearest[0]:
            nearest = missing, split
    assert nearest is not None
    return Outline(nearest[1].placed, nearest[1].card_bytes + nearest[1].host_bytes, nearest[0], None)


def _missing(split: Split, where: Room) -> int:
    if where.shared:
        return max(split.card_bytes + split.host_bytes - where.host_bytes, 0)
    return max(split.card_bytes - _on_cards(where), 0) + max(split.host_bytes - where.host_bytes, 0)


def _on_cards(where: Room) -> int:
    return sum(free for _, free in where.cards)


def _splits(model: Listed, mix: str, where: Room, context_tokens: int) -> Iterator[Split]:
    weights, rest = model.weights(mix), where.beside_weights(model, context_tokens)
    if where.cards:
        # Each further card has working buffers of its own, and whole layers are dealt out, of which one may not fit at the end.
        further, free = len(where.cards) - 1, _on_cards(where)
        empty = where.beside_weights(model, 0)[0]
        buffers = rest[0] + further * empty
        # Metal maps the file: its span holds what stays on the host too.
        held = weights.host if where.settings.gpu_kind == "metal" else weights.card
        card, host = held + buffers, weights.beside + rest[1]
        piece = held // max(model.layers, 1)
        yield Split("cards", 0.0, 0.0, card + further * piece // 2, host)
        if weights.experts and model.expert_layers and not where.shared:
            moved = _moved(weights, model.expert_layers, where, card)
            if moved <= weights.experts:
                yield Split("experts", moved / weights.experts, 0.0, card - moved, host + moved)
        if not where.shared and free > buffers:
            # A layer takes its cache along; working buffers stay.
            each = (card - empty) / (model.layers + 1)
            kept = max(int((free - empty) / each), 0)
            away = 1 - min(kept / (model.layers + 1), 1.0)
            if 0 < away < 1:
                moved = int(away * (card - empty))
                yield Split("layers", away, away, card - moved, host + moved)
    yield Split("host", 1.0, 1.0, 0, weights.host + rest[2])


def _moved(weights: Weights, expert_layers: int, where: Room, needed: int) -> int:
    """Bytes of experts that must lie on the host. The engine moves those of the first layers first, which lie on the first cards: to
    relieve a later card, all experts of the cards before it have to go."""
    piece, free, before, moved = weights.experts / expert_layers, _on_cards(where), 0.0, 0.0
    for _, bytes in where.cards:
        share = bytes / free
        if (excess := needed * share - bytes) > 0:
            moved = before + min(math.ceil(excess / piece) * piece, weights.experts * share + piece)
        before += weights.experts * share
    return int(moved)


def _speed(model: Listed, mix: str, where: Room, split: Split) -> Speed | None:
    """The roofline over what each pool reads for a token."""
    weights, format = model.weights(mix), model.format(mix)
    claims = Breakdown((Claim("weights", "ram", split.host_bytes),))
    # Only what crosses a network depends on more of a model than its columns tell.
    spec = catalogue.spec(model.facts["number"]) if where.machine.nodes else None
    run = Run(where.machine, find_engine("llama.cpp"), spec, mix, where.settings, claims)  # type: ignore[arg-type]
    flops = matrix_flops(model.active_parameters, 1) / max(weights.dense_read + weights.routed_read, 1)
    free = _on_cards(where)
    # Layers are dealt out to cards by their free memory; on one memory there is one of them.
    homes = [(name, bytes / free if free else 1 / len(where.cards)) for name, bytes in where.cards]
    kept, stays = 1 - split.experts, []
    for name, share in reversed(homes):
        # Experts leave the first cards first; layers that leave take theirs along evenly.
        experts = share * (1 - split.experts) if split.layers else min(share, kept)
        kept -= experts
        stays.append((name, share * (1 - split.layers), experts))
    parts = []
    for pool, dense_share, expert_share in [*stays, ("ram", split.layers, split.experts)]:
        dense, experts = weights.dense_read * dense_share, weights.routed_read * expert_share
        if dense + experts <= 0:
            continue
        shares = [Share(format, dense, flops * dense, 1)] + ([Share(format, experts, flops * experts, 1, True)] if experts else [])
        layers, routers = round(model.layers * dense_share), round(model.expert_layers * expert_share)
        parts.append(Work(pool, layers, routers, tuple(shares), 0, model.kept_read * dense_share, 0, 1))
    return run.speed(parts, 1, "decode")
