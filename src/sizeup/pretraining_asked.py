"""What a question about pretraining may ask for: a model or a size, tokens, a sequence, devices; each checked."""

from __future__ import annotations

from .cost import Fleet
from .errors import UserError
from .facts import ASSUMED
from .hardware import Machine
from .model import ModelSpec
from .training_runs import mfu, training_flops_per_s
from .units import parse_count

DEFAULT_DEVICE = "h100 sxm"
"""What is planned for when no hardware is named: what most published runs since 2024 used."""
LONGEST_SEQUENCE = 8192
"""Tokens of a sequence unless one is given, or the model's context where that is shorter: as Llama 3 was pretrained."""


def model_asked(model: str | ModelSpec | None, parameters: int | str | None) -> ModelSpec | None:
    """The model that is named, read; None for a bare size."""
    if model is not None and parameters is not None:
        raise UserError("A model has its own number of parameters.", "a model or --parameters, not both")
    if isinstance(model, str):
        from .readers import read

        return read(model)
    return model


def count_asked(number: int | str | None, what: str) -> int | None:
    """A number of tokens or parameters that makes sense; None when it was not given."""
    if number is None:
        return None
    count = parse_count(number) if isinstance(number, str) else number
    if count < 1:
        raise UserError(f"{count:,} {what} are none.", f"--{what} {'8B' if what == 'parameters' else '15T'}")
    if count > 10**18:
        raise UserError(
            f"{count:,} {what} are beyond anything that any law was fitted to.", f"--{what} {'8B' if what == 'parameters' else '15T'}"
        )
    return count


def sequence_asked(spec: ModelSpec | None, asked: int | None) -> int:
    """Tokens of a training sequence: as given, else the model's context within the usual."""
    longest = spec.context_tokens if spec is not None else None
    if asked is None:
        return min(longest or LONGEST_SEQUENCE, LONGEST_SEQUENCE)
    if asked < 1:
        raise UserError(f"A sequence of {asked} tokens is empty.", f"--sequence {LONGEST_SEQUENCE}")
    if longest and asked > longest:
        raise UserError(f"A sequence of {asked:,} tokens is beyond the {longest:,} that the model is made for.", f"--sequence {longest}")
    return asked


def fleet_asked(on: str | Machine | None, gpus: int | None, gpu: str | Machine | None) -> tuple[Fleet, tuple[str, ...]]:
    """The devices that train, and what had to be assumed of them."""
    from .probe import machine

    if on is not None and (gpus is not None or gpu is not None):
        raise UserError("--on names its own devices.", "--on MACHINE, or --gpus with --gpu")
    if gpus is not None and gpus < 1:
        raise UserError(f"{gpus} GPUs train nothing.", "--gpus 512")
    named = on if on is not None else gpu or DEFAULT_DEVICE
    box = machine(named) if isinstance(named, str) else named
    rates = [(rate, device) for device in box.devices if (rate := training_flops_per_s(device))]
    if not rates or len(rates) < len(box.devices):
        raise UserError(f"Nobody says how fast {box.name} multiplies.", "--gpus 512 --gpu h100")
    rate, device = rates[0]
    if len({other.name for _, other in rates}) > 1:
        # The slowest would set the pace, and each would have a price and a power of its own.
        raise UserError(f"{box.name} has devices of several kinds, which are not planned to train together.", "--gpus 8 --gpu h100")
    assumed = () if on is not None or gpu is not None else (f"no hardware is named: planned for {device.name}",)
    devices = len(box.devices) if on is not None else gpus
    return Fleet(device.name, devices, rate, device.watts, mfu(device.name), device.source or ASSUMED), assumed
