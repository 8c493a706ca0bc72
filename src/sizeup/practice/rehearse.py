"""A few real steps of training on this machine, before any download: a ghost, made-up examples, the emitted script."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sizeup.errors import EngineFailed, Unavailable, UserError
from sizeup.ghost.formats import safetensors
from sizeup.ghost.keep import keep
from sizeup.ghost.thin import rounds
from sizeup.model import ModelSpec
from sizeup.readers.config import spec_from_config
from sizeup.training.answer import train
from sizeup.training.emit import emit, write
from sizeup.training.planned import plan_of
from sizeup.training.result import Training

LIBRARIES = ("torch", "transformers", "peft", "trl", "datasets")
SECONDS = 1800
WARM = 2
"""Steps after which the optimizer's states are there: the first step makes them when its backward is over."""
MORE_CHARACTERS = 16
"""By how much an example is longer than a sequence, so that every sequence is full."""


@dataclass(frozen=True)
class TrainingRehearsal:
    """What the steps took, beside what was predicted for the same number of layers; extrapolated when they were fewer."""

    training: Training
    """The prediction for the layers that ran."""
    device: str
    layers: int
    """That ran; the model has `of_layers`."""
    of_layers: int
    steps: int
    peak_bytes: int
    """Of tensors, by the allocator."""
    resident_bytes: int
    """Of the process."""
    libraries_bytes: int
    """Of it, before the model was loaded."""
    micro_batch_s: float
    """Median forward and backward of a micro-batch."""
    whole_peak_bytes: int
    """Drawn on to all layers from two depths; the measured peak when all ran."""
    whole_micro_batch_s: float
    predicted_whole_bytes: int

    @property
    def difference(self) -> float:
        """Predicted over measured, less one, for the layers that ran."""
        return self.training.peak_bytes / self.peak_bytes - 1

    def to_json(self) -> dict[str, Any]:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "training"}
        predicted = {"predicted_peak_bytes": self.training.peak_bytes, "predicted_process_bytes": self.training.process_bytes}
        return {**fields, **predicted, "difference": self.difference}


def rehearse_training(training: Training, layers: int | None = None, steps: int = 3) -> TrainingRehearsal:
    """Run `training` (an answer of `sizeup.train`) for so many optimizer steps with made-up weights, with the first `layers` only
    when that is given: then twice, a round of layers apart, and the whole is drawn on from both.

    Measured: the allocator's peak, the process's, the time of a micro-batch. Raises Unavailable without the libraries, UserError
    for a model without a config or a number of layers that it cannot be cut to, EngineFailed when the script ends with an error.
    """
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"A rehearsal of training runs {', '.join(LIBRARIES)}, and {missing[0]} is not installed here.",
            'pip install ".[rehearse-training]" in the folder of sizeup',
        )
    model = training.model
    if not model.config:
        raise UserError(f"{model.name} has no config.json, which transformers builds a model from.", "the model's hub id")
    if steps < 1:
        raise UserError(f"{steps} steps train nothing.", "--steps 3")
    if layers is not None and not 0 < layers <= model.layers:
        raise UserError(f"{model.name} has {model.layers} layers, so {layers} of them cannot run.", f"1 to {model.layers}")
    if layers is None or layers == model.layers:
        found, predicted = _ran(training, steps)
        return _rehearsal(predicted, found, steps, model, found["peak_bytes"], found["micro_batch_s"], predicted.peak_bytes)
    first, period = rounds(model)
    few, most = layers, layers + period
    if few < first + period or (model.layers - few) % period or most > model.layers:
        raise UserError(
            f"{model.name} repeats itself every {period} layers after {first}, so {layers} do not stand for it.",
            f"--layers {_fitting(model, layers)}",
        )
    found, predicted = _ran(_thinned(training, few), steps)
    more, _ = _ran(_thinned(training, most), steps)
    times = (model.layers - few) // period
    peak = found["peak_bytes"] + times * (more["peak_bytes"] - found["peak_bytes"])
    pace = found["micro_batch_s"] + times * max(more["micro_batch_s"] - found["micro_batch_s"], 0.0)
    return _rehearsal(predicted, found, steps, model, peak, pace, _as_run(training, found["device"]).peak_bytes)


def _fitting(model: ModelSpec, layers: int) -> int:
    """The number of layers nearest to this one that stands for the model."""
    first, period = rounds(model)
    able = [n for n in range(first + period, model.layers - period + 1) if (model.layers - n) % period == 0]
    return min(able or [model.layers], key=lambda n: abs(n - layers))


def _rehearsal(
    training: Training, found: dict[str, Any], steps: int, model: ModelSpec, peak: int, pace: float, whole: int
) -> TrainingRehearsal:
    return TrainingRehearsal(
        training, found["device"], training.model.layers, model.layers, steps, found["peak_bytes"], found["resident_bytes"],
        found["libraries_bytes"], found["micro_batch_s"], peak, pace, whole,
    )  # fmt: skip


def _thinned(training: Training, layers: int) -> Training:
    """The same step of a model with its first layers only, by its config."""
    model = training.model
    config = {
        key: value[:layers] if isinstance(value, list) and len(value) == model.layers else value for key, value in model.config.items()
    }
    name = next((key for key in ("num_hidden_layers", "n_layer", "num_layers") if key in config), "num_hidden_layers")
    return train(spec_from_config({**config, name: layers}, model.name), machine=training.machine, **training.asked)


def _as_run(training: Training, device: str) -> Training:
    """The prediction for the device that really ran."""
    return train(training.model, machine=training.machine, **{**training.asked, "device": device, "loss": "trl"})


def _ran(training: Training, steps: int) -> tuple[dict[str, Any], Training]:
    """The measurements of a step, and its prediction on the device that there was."""
    recipe, model = training.recipe, training.model
    device = _device()
    if device == "cpu" and recipe.quantised:
        raise UserError("bitsandbytes' weights are rehearsed on a GPU only.", "--method lora")
    predicted = _as_run(training, device)
    plan = plan_of(predicted)
    dtype = "f32" if recipe.base_width == 4 and not recipe.quantised else "bf16"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep(safetensors(model, dtype), folder / "model")
        write(emit(plan, "trl", str(folder / "model")), folder)
        letters = recipe.sequence_tokens + MORE_CHARACTERS
        rows = max(steps, WARM) * plan.accumulation * recipe.micro_batch
        text = "\n".join(json.dumps({"text": "".join(chr(97 + (row + at) % 26) for at in range(letters))}) for row in range(rows))
        (folder / "train.jsonl").write_text(text + "\n")
        found = _child(folder, steps, tensors=False)
        if found["peak_bytes"] is None:
            # The count of tensors is another run: the profiler takes memory and time of its own.
            found["peak_bytes"] = _child(folder, WARM, tensors=True)["peak_bytes"]
    return found, predicted


def _device() -> str:
    """What torch sees here."""
    code = "import torch; print('cuda' if torch.cuda.is_available() else 'cpu')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip() or "cpu"


def _child(folder: Path, steps: int, tensors: bool) -> dict[str, Any]:
    asked = json.dumps({"steps": steps, "tensors": tensors}).encode()
    command = [sys.executable, str(Path(__file__).with_name("child.py"))]
    try:
        ran = subprocess.run(command, cwd=folder, input=asked, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise EngineFailed(
            f"The rehearsal was not done after {SECONDS} seconds.", "--layers with a smaller number, or --sequence"
        ) from None
    log = ran.stderr.decode(errors="replace")
    line = ran.stdout.decode(errors="replace").strip().splitlines()[-1:]
    said: dict[str, Any] = json.loads(line[0]) if line else {}
    if "found" not in said:
        why = said.get("failed") or f"the process ended with {ran.returncode}"
        raise EngineFailed(f"The training script ended with an error: {why}.", "sizeup train without --rehearse", log[-4000:])
    return dict(said["found"])
