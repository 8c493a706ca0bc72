"""The public `prove_training`: the true peak of a training step beside the predicted one, part by part.

The code of transformers, PEFT, bitsandbytes and PyTorch runs one step in a child process, on tensors without numbers: no
GPU, no weights, little memory. What it allocates is counted to the byte.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sizeup.errors import EngineFailed, Unavailable, UserError, close_names
from sizeup.figure import plain
from sizeup.ghost.skeleton import FOREIGN
from sizeup.layers import LatentAttention
from sizeup.model import ModelSpec
from sizeup.plan import PARTS, Level
from sizeup.training.result import Training
from sizeup.training.weights import ALIASES, manner_of, targets

from . import child
from .optimizers import TRACED as OPTIMIZERS

LIBRARIES = ("transformers", "peft", "torch")
"""Without these nothing is traced; bitsandbytes where the recipe asks for it."""
METHODS = ("full", "lora", "rslora", "dora", "qlora", "freeze", "prompt")
DTYPES = ("bf16", "fp16", "fp32", "amp")
SECONDS = 1800
"""Longer than any model needs with every layer; a shallow trace takes seconds."""
ABORTED = 128
"""A return code below zero or from here on: the process was ended, it did not end."""

OnProgress = Callable[[str, int], None]
"""Told of every stage: its name, and how many layers are traced."""


@dataclass(frozen=True, slots=True)
class TrainingProof:
    """What a step of the libraries' own code allocates at its peak, beside what was predicted."""

    level: Level
    engine: str
    """The libraries, with their versions."""
    model: str
    settings: dict[str, Any]
    buffers: dict[str, int]
    """Bytes per part ("weights", "adapter", "gradients", …) at the traced peak, kernels' own memory with the buffers."""
    difference_bytes: dict[str, int]
    """Traced less predicted, by part."""
    peak_bytes: int
    predicted_peak_bytes: int
    tensors_peak_bytes: int
    """The peak of tensors alone, without what kernels take for themselves."""
    peak_at: str
    """PyTorch's name of the operation that makes the peak."""
    peak_phase: str
    phases: dict[str, int]
    """The peak of each phase."""
    rests: dict[str, int]
    """Bytes per part between steps."""
    gradients_bytes: int
    parameters: int
    trained_parameters: int
    kernels: dict[str, int]
    """Attention kernels by how often they were called."""
    traced_layers: tuple[int, ...]
    """Depths that were run: two stand for the whole; one is all of it."""
    layers: int
    seconds: float
    resident_bytes: int
    """The most memory that the trace itself had resident."""
    notes: tuple[str, ...] = ()
    """"cpu": without a C++ compiler, or beside a torch built for CUDA, the step is traced as CPU tensors, with the CPU's own forms
    of autocast, dropout and layer norm; "towers": those for pictures and sound are left out;
    "whole": the library has no class for the text part alone, so that they are in the trace and not in the prediction."""

    @property
    def difference(self) -> float:
        """Predicted over traced, less one."""
        return self.predicted_peak_bytes / self.peak_bytes - 1

    def to_json(self) -> dict[str, Any]:
        return {
            **dataclasses.asdict(self),
            "traced_layers": list(self.traced_layers),
            "notes": list(self.notes),
            "difference": self.difference,
        }


def prove_training(training: Training, every_layer: bool = False, on_progress: OnProgress | None = None) -> TrainingProof:
    """Trace the step of `training` (an answer of `sizeup.train`) and compare.

    Counted: every storage that the step's tensors have, in the CUDA allocator's cells, and by the formulas of the prediction what
    FlashAttention's and the softmax's backward take inside their kernels. Not counted: cuBLAS's workspaces, the allocator's
    fragments, the driver's context. The batch is text: of a tower that is trained the gradients are made before the optimizer's step, as a
    batch with pictures leaves them. `every_layer` runs all layers; else two shallow models stand for the deep one, which is equal
    to the byte and takes seconds. Raises Unavailable without the libraries, UserError for what they do not run on one device,
    EngineFailed when they end with an error of their own.
    """
    model = training.model
    check(training)
    asked = question(training, every_layer)
    said = _run(asked, on_progress)
    if "found" not in said and manner_of(model).attention != "eager" and "softcap" in said.get("failed", ""):
        said = _run({**asked, "eager": True}, on_progress)
    notes = []
    if said.get("aborted"):
        said = _run({**asked, "device": "cpu"}, on_progress)
    if "unknown" in said:
        raise Unavailable(f"{versions('transformers')} has no class for {said['unknown']}.", "sizeup train without --prove")
    if "failed" in said:
        raise EngineFailed(
            f"The libraries ended the step of {model.name} with an error: {said['failed']}.", "sizeup train without --prove", said["log"]
        )
    if "found" not in said:
        raise EngineFailed(f"The libraries ended the step of {model.name} without an answer.", "sizeup train without --prove", said["log"])
    found = said["found"]
    if found["device"] == "cpu":
        notes.append("cpu")
    if model.towers and training.recipe.tower == "none":
        notes.append("towers" if found["parameters"] == training.parameters else "whole")
    return _proof(training, found, tuple(notes))


def check(training: Training) -> None:
    """Raises for what the libraries do not run here."""
    recipe, model = training.recipe, training.model
    if not training.split.alone or training.algorithm != "sft":
        raise UserError("A trace runs the supervised step of one device.", "sizeup train --prove without --split and --algorithm")
    for name, value, known in (
        ("method", recipe.method, METHODS), ("dtype", recipe.dtype, DTYPES), ("optimizer", recipe.optimizer, OPTIMIZERS),
        ("loss", recipe.loss, ("hf",)),
    ):  # fmt: skip
        if value not in known:
            near = close_names(value, known, 1, 0.5)
            raise UserError(f"The {name} {value} cannot be traced: the libraries have no such code.", near[0] if near else ", ".join(known))
    if not model.config:
        raise UserError(f"{model.name} has no config.json, which transformers builds a model from.", "the model's hub id")
    wanted = (*LIBRARIES, *(("bitsandbytes",) if recipe.quantised or recipe.optimizer in ("adamw8bit", "lion", "lion8bit") else ()))
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"A trace runs {', '.join(wanted)}, and {missing[0]} is not installed here.", 'pip install ".[train]" in the folder of sizeup'
        )


def question(training: Training, every_layer: bool = False) -> dict[str, Any]:
    """What the child is asked: plain values only."""
    model, recipe = training.model, training.recipe
    kinds: dict[Any, int] = {}
    order = [0] * model.layers
    for group in model.groups:
        for position in group.positions:
            order[position] = kinds.setdefault(group.block, len(kinds))
    wanted = targets(recipe)
    return {
        "config": {**nulls(model), **{key: value for key, value in model.config.items() if key not in FOREIGN}, **headless(model)},
        "recipe": dataclasses.asdict(recipe),
        "targets": ["all-linear"] if recipe.targets == "all-linear" else sorted({*wanted, *(k for k, v in ALIASES.items() if v in wanted)}),
        "kinds": order,
        "parameters": training.parameters,
        "every_layer": every_layer,
        "device": "cuda",
        "eager": manner_of(model).attention == "eager",
    }


def nulls(model: ModelSpec) -> dict[str, None]:
    """Fields that say "none of it": the catalogue's configs leave nulls out, and the libraries' defaults are others."""
    mixers = [mixer for group in model.groups for mixer in group.block.mixers]
    found: dict[str, None] = {"pad_token_id": None}
    if not any(getattr(mixer, "window", 0) for mixer in mixers):
        found["sliding_window"] = None
    if any(isinstance(mixer, LatentAttention) and not mixer.query_rank for mixer in mixers):
        found["q_lora_rank"] = None
    return found


def headless(model: ModelSpec) -> dict[str, Any]:
    """The section of a SigLIP tower without its pooling head, where the checkpoint has none: the library's default is one."""
    vision = model.config.get("vision_config") or {}
    stored = {name for tower in model.towers for name, _ in tower.shapes}
    if not str(vision.get("model_type", "")).startswith("siglip") or "v.head.probe" in stored:
        return {}
    return {"vision_config": {**vision, "vision_use_head": False}}


def _run(asked: dict[str, Any], on_progress: OnProgress | None) -> dict[str, Any]:
    """The child's last word: {"found"}, {"failed"} or {"aborted"}."""
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false",
        "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    said: dict[str, Any] = {}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", child.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
        )
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            with process.stdin as ask:
                ask.write(json.dumps(asked).encode())
            for line in process.stdout:
                told = json.loads(line)
                if "stage" in told and on_progress is not None:
                    on_progress(told["stage"], told.get("layers", 0))
                said = told
            code = process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close() if process.stdout is not None else None
        log.seek(0)
        words = log.read().decode(errors="replace")[-4000:]
    if "found" in said:
        return said
    return {**said, "log": words, **({"aborted": True} if code < 0 or code >= ABORTED else {})}


def versions(*names: str) -> str:
    """Libraries with their versions."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _proof(training: Training, found: dict[str, Any], notes: tuple[str, ...]) -> TrainingProof:
    predicted = training.by_part()
    traced = {part: found["parts"].get(part, 0) for part in PARTS if found["parts"].get(part) or predicted.get(part)}
    return TrainingProof(
        "proved", versions(*LIBRARIES), training.model.name, dataclasses.asdict(training.recipe), traced,
        {part: traced.get(part, 0) - predicted.get(part, 0) for part in {**traced, **predicted}},
        found["peak_bytes"], int(plain(training.peak_bytes)), found["tensors_peak_bytes"], found["peak_at"], found["peak_phase"],
        found["phases"], found["rests"], found["gradients_bytes"], found["parameters"], found["trained"], found["kernels"],
        tuple(found["traced_layers"]), training.model.layers, found["seconds"], found["peak_resident_bytes"], notes,
    )  # fmt: skip
