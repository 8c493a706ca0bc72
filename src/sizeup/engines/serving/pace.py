"""Tokens per second of a server that does one thing at a time: writes with a batch, or reads prompts. Under load: load.py."""

from __future__ import annotations

from collections.abc import Sequence

from ...facts import data_json
from ...hardware import Machine
from ...model import ModelSpec
from ...plan import Speed
from .formats import Format
from .replicas import staged, usable
from .step_time import FACTS, fitted, seconds, stage_parts
from .step_work import Step
from .work import Cached


def speed(
    machine: Machine,
    model: ModelSpec,
    form: Format,
    ranks: int,
    stages: int,
    kept: Sequence[Cached],
    metric: str,
    tokens: int,
    depth: int,
    sequences: int,
    seen: bool = True,
) -> Speed | None:
    """Tokens per second of all sequences together; None where a bandwidth, or for prompts an arithmetic rate, is not known.

    `seen` False is for a server of which too few runs were measured.
    """
    facts, pace, ranks = data_json(FACTS), fitted(), int(ranks)
    found = staged(machine, model, form, ranks, int(stages), kept)
    if found is None or (metric == "prefill" and any(rates.flops_per_s == float("inf") for _, rates in found)):
        return None
    reading = metric == "prefill"
    now = Step(0, depth, tokens, depth, sequences) if reading else Step(sequences, depth)
    parts = [stage_parts(stage, rates, pace, now) for stage, rates in found]
    slowest = max(range(len(parts)), key=lambda number: sum(parts[number]))
    bound = "memory" if parts[slowest][0] >= parts[slowest][1] else "compute"
    kind = "experts" if any(stage.expert_layers for stage, _ in found) else "known"
    cards = usable(machine)[: ranks * len(found)]
    known = seen and all(any(name in card.name for name in facts["families"][kind]) for card in cards)
    band = facts["prefill"] if reading else facts["decode"][kind if known else "assumed"]
    how = "device" if known and not reading else "assumed"
    rate = tokens * sequences / seconds(found, pace, now)
    basis = "; ".join(f"vram:{number}: {how}" for number in range(len(cards)))
    return Speed(rate, rate * band["low"], rate * band["high"], f"{bound}:vram:{slowest * ranks}", basis)
