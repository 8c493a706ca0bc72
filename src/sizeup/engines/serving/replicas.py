"""A server on the cards of a machine, as the step model wants it: what every stage works, and what its card can do."""

from __future__ import annotations

from collections.abc import Sequence

from ...hardware import Device, Machine
from ...model import ModelSpec
from .cards import KINDS
from .formats import Format
from .load import Replica
from .step_time import CardRates, card_rates, fitted
from .step_work import StageWork, stage_works
from .work import Cached

Stages = tuple[tuple[StageWork, CardRates], ...]


def staged(machine: Machine, model: ModelSpec, form: Format, ranks: int, stages: int, kept: Sequence[Cached]) -> Stages | None:
    """Every stage with its slowest card; None where there are fewer cards than ranks, or no bandwidth is known of one."""
    cards, found = usable(machine), []
    for number, stage in enumerate(stage_works(model, form, ranks, stages, kept)):
        rates = [card_rates(machine, card, form) for card in cards[number * ranks : (number + 1) * ranks]]
        known = [rate for rate in rates if rate is not None]
        if len(known) < ranks:
            return None
        found.append((stage, min(known)))
    return tuple(found)


def replica(stages: Stages, places: int, chunk_tokens: int) -> Replica:
    """A server of these stages, with the coefficients as shipped."""
    return Replica(stages, fitted(), places, chunk_tokens)


def usable(machine: Machine) -> list[Device]:
    """The cards that a server uses, in the order of its ranks."""
    return [device for device in machine.devices if device.kind in KINDS and machine.pool(device.pool)]
