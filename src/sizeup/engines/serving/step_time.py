"""How long a step takes on a card: what it reads, what it computes, and what ranks tell each other, one after another.

The coefficients are rows of data/serving_pace.json, fitted by `python -m tools.serving_pace` to published runs of vLLM, SGLang and
TensorRT-LLM; the errors with every model left out stand beside them.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ...facts import data_json
from ...figure import Number, step
from ...hardware import Device, Machine
from .formats import Format
from .step_work import StageWork, Step, cache_bytes, dense_flops, expert_bytes, mixing_flops, routed_flops

FACTS = "serving_pace.json"


class Pace(NamedTuple):
    """What fitting found: factors of the least possible time, and fixed times."""

    fixed_s: float
    """Of every step: the scheduler and the launch."""
    read: float
    """Over bytes ÷ specified bandwidth: weights and states."""
    read_experts: float
    read_cache: float
    compute: float
    """Over operations ÷ specified rate."""
    compute_experts: float
    split_layer_s: float
    """Of each layer whose tensors are split: two sums over ranks."""
    expert_layer_s: float
    """Of each layer with routed experts: choosing and sorting."""
    sequence_s: float
    """Of each sequence of the step: sampling, its text, its bookkeeping."""
    link: float
    """Over bytes ÷ rate of the link between cards."""
    arrive_s: float
    """From a request to the scheduler's queue, and its first token back."""
    wait_steps: float
    """Steps that a new prompt waits while others write."""
    together: float
    """Of a closed loop: the share of the other prompts that come at the same time."""


class CardRates(NamedTuple):
    """What a card can do for one checkpoint."""

    bytes_per_s: float
    flops_per_s: float
    """At 16 bits; infinite where nobody says, which leaves arithmetic out."""
    dense_times: float
    """How much faster it multiplies in the format of the matrices."""
    expert_times: float
    link_bytes_per_s: float
    """Between two ranks, one way."""


def fitted() -> Pace:
    """The coefficients as shipped."""
    return Pace(**data_json(FACTS)["pace"])


def card_rates(machine: Machine, device: Device, form: Format) -> CardRates | None:
    """Rates of a card of a machine; None where its bandwidth is not known."""
    pool = machine.pool(device.pool)
    if pool is None or not pool.bytes_per_s:
        return None
    dense, experts = _times(device.name, form.linear.name), _times(device.name, form.experts.name)
    return CardRates(pool.bytes_per_s, device.flops_per_s or float("inf"), dense, experts, link_rate(machine, device))


def _times(card: str, kind: str) -> float:
    """How much faster a card multiplies in a number format than in 16 bits; 1 where the format is widened first."""
    rows: list[dict[str, Any]] = data_json(FACTS)["faster"]
    return float(max((row["times"] for row in rows if kind in row["formats"] and re.search(row["cards"], card)), default=1))


def link_rate(machine: Machine, device: Device) -> float:
    """Bytes a second from one card to another: the machine's link, else the NVLink that such boards have, else assumed PCIe."""
    facts = data_json(FACTS)["link"]
    for link in machine.links:
        if all(end.startswith("vram") for end in link.ends):
            # NVLink is specified for both directions together.
            return link.bytes_per_s / (2 if link.kind == "nvlink" else 1)
    if re.search(facts["boards"], device.name):
        for row in data_json("nvlink.json")["have"]:
            if row["name"] == device.name:
                return float(row["bytes_per_s"]) / 2
    return float(facts["assumed_bytes_per_s"])


def stage_parts(stage: StageWork, rates: CardRates, pace: Pace, tokens: Step) -> tuple[Number, Number, Number]:
    """Seconds of one stage that memory, arithmetic and talking take, without the fixed time of the step."""
    weights = pace.read * (stage.bytes + stage.state_bytes * tokens.batch) + pace.read_experts * expert_bytes(stage, tokens)
    memory = (weights + pace.read_cache * cache_bytes(stage, tokens)) / rates.bytes_per_s
    dense = pace.compute * (dense_flops(stage, tokens) / rates.dense_times + mixing_flops(stage, tokens))
    compute = (dense + pace.compute_experts * routed_flops(stage, tokens) / rates.expert_times) / rates.flops_per_s
    # Two sums over ranks a layer; in a ring every rank sends all but its own part twice.
    crossing = 4 * stage.layers * (stage.ranks - 1) / stage.ranks * tokens.tokens * stage.hidden * 2
    talk = pace.link * crossing / rates.link_bytes_per_s + pace.split_layer_s * stage.layers * (stage.ranks > 1)
    return memory, compute, talk + pace.expert_layer_s * stage.expert_layers


@step("server_step")
def step_s(fixed: Number, memory: Number, compute: Number, talk: Number, sequences: Number, sequence_s: Number) -> Number:
    """Seconds of one step through all stages: reading and computing do not overlap (so the fit says)."""
    return fixed + memory + compute + talk + sequences * sequence_s


def seconds(stages: tuple[tuple[StageWork, CardRates], ...], pace: Pace, tokens: Step) -> Number:
    """Seconds of one step through every stage, one after another."""
    parts = [stage_parts(stage, rates, pace, tokens) for stage, rates in stages]
    memory, compute, talk = (sum(part[i] for part in parts) for i in range(3))
    return step_s(pace.fixed_s, memory, compute, talk, tokens.batch, pace.sequence_s)
