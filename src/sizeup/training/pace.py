"""How fast a training runs: FLOPs from the layers over what published runs reach of such devices. Not counted: transfers of offload."""

from __future__ import annotations

from sizeup.cost import trained_tokens
from sizeup.facts import Source
from sizeup.figure import Number, step
from sizeup.interval import Interval
from sizeup.training_flops import token_flops
from sizeup.training_runs import mfu, training_flops_per_s

from .result import Training


@step("adapter_flops")
def adapter_flops(blocks: Number, head: Number, mixing: Number, trained: Number) -> Number:
    """Forward and backward of one token over frozen weights: their own gradients are not computed, those of the adapters are."""
    return 2 * (blocks + head) + 3 * mixing + 6 * trained


def flops_per_token(training: Training) -> float:
    """FLOPs of one token: forward, backward, and what checkpointing computes again."""
    recipe = training.recipe
    found = token_flops(training.model, recipe.sequence_tokens)
    again = found.blocks + found.mixing if recipe.checkpointing else 0
    if not recipe.adapted:
        return float(found.model + again)
    return float(adapter_flops(found.blocks, found.head, found.mixing, training.trained_parameters) + again)


def tokens_per_s(training: Training) -> Interval | None:
    """Tokens a second that all devices of the split learn from. None where nobody says how fast the device multiplies, where no run
    speaks for it (a CPU), and with offload, whose transfers are not modelled. Assumed for all that is not a full fine-tuning: the
    published runs are of pretraining."""
    machine = training.machine
    if machine is None or not machine.devices or training.split.offload or not training.split.devices <= len(machine.devices):
        return None
    rates = [rate for device in machine.devices[: training.split.devices] if (rate := training_flops_per_s(device))]
    if len(rates) < training.split.devices:
        return None
    reached = mfu(machine.devices[0].name)
    speed = reached.times(float(trained_tokens(training.split.devices, min(rates), 1, flops_per_token(training))))
    where = f"MFU of pretraining: {reached.source.where}"
    kind = "assumed" if training.recipe.adapted else reached.source.kind
    return Interval(speed.low, speed.middle, speed.high, Source(kind, where, reached.source.date))
