"""The public `plan_training`: for a model and a machine the ways to train it that fit, what learns most first."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, TypedDict

from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.figure import ceil_div
from sizeup.hardware import Machine
from sizeup.interval import Interval
from sizeup.model import ModelSpec

from .answer import train
from .largest import largest
from .pace import tokens_per_s
from .parallel import Split
from .reasons import reasons
from .result import Training, TrainingJson

MOST_SEQUENCES = 1 << 16
MOST_BYTES = 1 << 60
"""Stands for what cannot be at all."""
MOST_TOKENS = 1 << 20
"""A sequence is not looked for beyond so many tokens where the model names no limit."""


class TrainingPlanJson(TypedDict):
    """One way to train, for programs."""

    why: str
    reasons: list[str]
    fits: bool
    batch_sequences: int
    accumulation: int
    learning_rate: float
    step_s: float | None
    tokens_per_s: float | None
    lower_tokens_per_s: float | None
    upper_tokens_per_s: float | None
    largest_micro_batch: int
    largest_sequence_tokens: int
    training: TrainingJson


@dataclass(frozen=True)
class TrainingPlan:
    """One way to train: what a step takes, how many micro-batches make a step, and why it is so."""

    training: Training
    batch_sequences: int
    """Sequences of one optimizer step, over all devices."""
    learning_rate: float
    """As published for this kind of method; a place to begin."""
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reasons in one line."""
        return " ".join(self.reasons)

    @property
    def fits(self) -> bool:
        """On the device, and in host memory what rests there."""
        return fits(self.training)

    @property
    def accumulation(self) -> int:
        """Micro-batches of one device in an optimizer step."""
        return int(ceil_div(self.batch_sequences, self.training.recipe.micro_batch * self.training.split.data))

    @functools.cached_property
    def speed(self) -> Interval | None:
        """Tokens a second over all devices; None when unknown."""
        return tokens_per_s(self.training)

    @property
    def tokens_per_s(self) -> float | None:
        return None if self.speed is None else self.speed.middle

    @property
    def step_s(self) -> float | None:
        """Seconds of one optimizer step with all its micro-batches, at the middle of the speed."""
        recipe, split = self.training.recipe, self.training.split
        tokens = self.accumulation * recipe.micro_batch * split.data * recipe.sequence_tokens
        return None if self.speed is None else tokens / self.speed.middle

    @functools.cached_property
    def largest_micro_batch(self) -> int:
        """Sequences of this length that one device can take at once."""
        return _largest(self.training, "micro_batch", MOST_SEQUENCES)

    @functools.cached_property
    def largest_sequence_tokens(self) -> int:
        """The longest sequence of which one fits on a device, within the model's positions."""
        single = _with(self.training, micro_batch=1)
        return _largest(single, "sequence_tokens", self.training.model.context_tokens or MOST_TOKENS)

    def to_json(self) -> TrainingPlanJson:
        speed = self.speed
        return {
            "why": self.why,
            "reasons": list(self.reasons),
            "fits": self.fits,
            "batch_sequences": self.batch_sequences,
            "accumulation": self.accumulation,
            "learning_rate": self.learning_rate,
            "step_s": self.step_s,
            "tokens_per_s": self.tokens_per_s,
            "lower_tokens_per_s": None if speed is None else speed.low,
            "upper_tokens_per_s": None if speed is None else speed.high,
            "largest_micro_batch": self.largest_micro_batch,
            "largest_sequence_tokens": self.largest_sequence_tokens,
            "training": self.training.to_json(),
        }


def plan_training(
    model: ModelSpec | str,
    machine: Machine | str | None = None,
    method: str | None = None,
    sequence_tokens: int | None = None,
    **settings: Any,
) -> list[TrainingPlan]:
    """Ways to train this model on this machine, what learns most first and what moves weights to host memory last.

    `method` and every other setting of `train` are kept as given; the rest is chosen: the first rung of data/training_plan.json that
    fits, then as many sequences at once as fit and the step takes. When nothing fits the one plan is what comes nearest, with `fits`
    False. Raises UserError for settings that no model could have.
    """
    if isinstance(model, str):
        from sizeup.readers import read

        model = read(model)
    if machine is None or isinstance(machine, str):
        from sizeup.probe import machine as find_machine

        machine = find_machine(machine)
    facts = data_json("training_plan.json")
    sequence = sequence_tokens or min(facts["sequence_tokens"], model.context_tokens or facts["sequence_tokens"])
    asked = {**settings, "machine": machine, "sequence_tokens": sequence}
    plans: list[TrainingPlan] = []
    nearest: list[Training] = []
    rows = _rows(facts, method, machine, adapters="rank" in settings or "targets" in settings)
    for row in rows:
        found = _ladder(model, machine, row, asked)
        nearest += found
        chosen = next((training for training in found if fits(training)), None)
        if chosen is not None:
            plans.append(_sized(chosen, None if method else _better(plans, chosen)))
    if not plans and nearest:
        return [plan_of(min(nearest, key=lambda training: training.process_bytes), None)]
    if not plans:
        # Every rung was refused for the same reason: say it.
        train(model, **{**rows[-1], **asked})
    return sorted(plans, key=lambda plan: bool(plan.training.split.offload))


def _ladder(model: ModelSpec, machine: Machine, row: dict[str, Any], asked: dict[str, Any]) -> list[Training]:
    """The accounts of a method, rung by rung up to one that fits: with room for gradients of earlier micro-batches, else without."""
    rungs = data_json("training_plan.json")["rungs"]
    found: list[Training] = []
    for kept in (True, False):
        for rung in rungs:
            training = _try(model, machine, row, rung, {"accumulate": kept, **asked})
            if training is not None:
                found.append(training)
                if fits(training):
                    return found
        if "accumulate" in asked:
            break
    return found


def fits(training: Training) -> bool:
    """Whether the process fits its device, and what every device leaves in host memory fits there together."""
    machine = training.machine
    if machine is None or not training.fits:
        return False
    ram = next((pool for pool in machine.pools if pool.name == "ram"), None)
    return training.host_bytes == 0 or (ram is not None and training.host_bytes * training.split.devices <= ram.free_bytes)


def half_precision(machine: Machine | None) -> str:
    """The 16-bit numbers that its devices multiply: "bf16", or "fp16" on those from before it."""
    old = data_json("training_plan.json")["without_bf16"]
    return "fp16" if machine is not None and any(device.family in old for device in machine.devices) else "bf16"


def _rows(facts: dict[str, Any], method: str | None, machine: Machine, adapters: bool) -> list[dict[str, Any]]:
    """Methods to try, what learns most first; one that the table does not have is tried with autocast. `adapters` asks for some."""
    wanted = (row for row in facts["methods"] if (method is None and not (adapters and row["method"] == "full")) or row["method"] == method)
    rows = sorted(wanted, key=lambda row: row["rank"])
    rows = [{name: value for name, value in row.items() if name not in ("rank", "source")} for row in rows]
    rows = rows or [{"method": method, "dtype": "amp"}]
    if not machine.devices:
        # A processor multiplies fp32 as fast as anything, or nearly; one row a method.
        return list({row["method"]: {**row, "dtype": "fp32"} for row in rows}.values())
    return [row for row in rows if row["dtype"] != "bf16" or half_precision(machine) == "bf16"]


def _try(model: ModelSpec, machine: Machine, row: dict[str, Any], rung: dict[str, Any], asked: dict[str, Any]) -> Training | None:
    """The account of a method on a rung; None where the rung is no other than an earlier one, or what was asked forbids it."""
    devices = len(machine.devices) or 1
    zero, offload = rung.get("zero", 0), rung.get("offload", "")
    if "split" not in asked:
        if (devices == 1 and zero and not offload) or (offload and not _host(machine)):
            return None
        asked = {**asked, "split": Split(data=devices, zero=zero if devices > 1 else 0, offload=offload)}
    elif zero or offload:
        return None
    chosen = {**row, **{name: value for name, value in rung.items() if name not in ("zero", "offload")}}
    if any(name in asked and asked[name] != value for name, value in chosen.items() if name in rung):
        return None
    split = asked["split"]
    if chosen["method"] == "full" and chosen["dtype"] == "amp" and (split.zero or split.offload):
        chosen["dtype"] = "bf16-master"
    if half_precision(machine) == "fp16" and chosen.get("adapter_dtype") == "base":
        # A gradient scaler takes no 16-bit gradients, so the adapters are fp32.
        chosen["adapter_dtype"] = "fp32"
    if not machine.devices and chosen.get("optimizer", "").endswith("8bit"):
        return None
    chosen.setdefault("loss", data_json("training_plan.json")["loss"])
    chosen.setdefault("input_gradients", chosen["checkpointing"] and chosen["method"] != "full")
    try:
        return train(model, **{**chosen, "micro_batch": 1, **asked})
    except UserError:
        return None


def _host(machine: Machine) -> bool:
    """Whether the devices have memory of their own, so that the host's is another place."""
    return bool(machine.devices) and all(device.pool.startswith("vram") for device in machine.devices)


def _better(plans: list[TrainingPlan], training: Training) -> bool:
    return any(plan.training.recipe.method != training.recipe.method and not plan.training.split.offload for plan in plans)


def _sized(training: Training, better: bool | None) -> TrainingPlan:
    """As many sequences at once as fit, up to what one step takes, and a divisor of it. Where even one leaves no room for gradients
    that are kept from micro-batch to micro-batch, a step is what fits at once."""
    wanted = int(ceil_div(_batch(training)["sequences"], training.split.data))
    if training.asked.get("micro_batch", 1) != 1:
        return plan_of(training, better)
    whole = _with(training, micro_batch=wanted, accumulate=False)
    if whole is not None and fits(whole):
        return plan_of(whole, better)
    most = _largest(training, "micro_batch", wanted)
    if training.recipe.accumulate:
        most = max(count for count in range(1, most + 1) if wanted % count == 0)
    return plan_of(_with(training, micro_batch=most) or training, better)


def plan_of(training: Training, better: bool | None = None) -> TrainingPlan:
    """The plan that an account is of. `better` tells whether what learns more fits too."""
    row = _batch(training)
    recipe, split = training.recipe, training.split
    sequences = row["sequences"] if recipe.accumulate else recipe.micro_batch * split.data
    return TrainingPlan(training, sequences, row["learning_rate"], reasons(training, better))


def _batch(training: Training) -> dict[str, Any]:
    row: dict[str, Any] = data_json("training_plan.json")["batch"]["adapters" if training.recipe.adapted else "full"]
    return row


def _with(training: Training, **changes: Any) -> Training | None:
    try:
        return train(training.model, machine=training.machine, **{**training.asked, **changes})
    except UserError:
        return None


def _largest(training: Training | None, name: str, most: int) -> int:
    if training is None or training.limit_bytes is None:
        return 0

    def needed(count: int) -> int:
        found = _with(training, **{name: count})
        return MOST_BYTES if found is None or (not fits(found) and found.fits) else found.process_bytes

    return largest(needed, training.limit_bytes, most)
