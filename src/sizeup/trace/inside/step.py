"""One training step of a built model under the tracker: forward, backward, the optimizer."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from sizeup.trace import optimizers
from sizeup.trace.attention import Dispatch
from sizeup.trace.depth import Moment
from sizeup.training.recipe import Recipe

from .build import Built, build
from .quantised import carried
from .tracker import Tracker


@dataclass
class Traced:
    """What a trace of one depth found."""

    parameters: int
    trained: int
    rests: dict[str, int]
    """Bytes by part between steps: weights, adapter, optimizer states, buffers, the batch."""
    gradients: int
    moments: list[Moment] = field(default_factory=list)
    kernels: Counter[str] = field(default_factory=Counter)
    """Attention kernels and how often each was called."""


def trace(asked: dict[str, Any], recipe: Recipe, dispatch: Dispatch, layers: int | None) -> Traced:
    """Build the model with so many layers (None: all) and run a step of it."""
    device = dispatch.device
    with FakeTensorMode(allow_non_fake_inputs=True):
        built = build(asked["config"], recipe, asked["targets"], device, layers, asked["eager"])
        batch = make_batch(recipe, device)
        tracker = Tracker(device)
        adapted = recipe.ranked or recipe.method == "prompt"
        tracker.watch(built.model, adapted, carried)
        for tensor in batch.values():
            tracker.name(tensor, "buffers")
        optimizer = optimizers.make(recipe.optimizer, built.trained)
        warm_up(tracker, optimizer, built.trained, recipe.accumulate)
        if built.head is not None:
            built.head.register_forward_pre_hook(lambda *_: setattr(tracker, "behind", tracker.phase == "forward"))
        rests = dict(tracker.live)
        dispatch.used.clear()
        run(tracker, built, batch, optimizer, recipe, device)
        trained = sum(p.numel() for p in built.trained)
        return Traced(built.parameters, trained, rests, tracker.live["gradients"], tracker.moments, Counter(dispatch.used))


def make_batch(recipe: Recipe, device: str) -> dict[str, Any]:
    """The micro-batch as a collator hands it over: numbers of tokens, labels, and a mask when sequences are padded."""
    shape = (recipe.micro_batch, recipe.sequence_tokens)
    ids = torch.empty(shape, dtype=torch.long, device=device)
    batch = {"input_ids": ids, "labels": torch.empty_like(ids)}
    if recipe.padded:
        batch["attention_mask"] = torch.ones(shape, dtype=torch.long, device=device)
    return batch


def warm_up(tracker: Tracker, optimizer: Any, trained: list[Any], accumulate: bool) -> None:
    """A first step of the optimizer alone, since its states are made there and stay."""
    with tracker:
        for parameter in trained:
            parameter.grad = torch.empty_like(parameter)
        optimizer.step()
        for state in optimizer.state.values():
            for value in state.values():
                if isinstance(value, torch.Tensor) and value.device.type == tracker.device:
                    tracker.name(value, "optimizer")
        optimizer.zero_grad(set_to_none=True)
        if accumulate:
            for parameter in trained:
                parameter.grad = torch.empty_like(parameter)
                tracker.name(parameter.grad, "gradients")


def run(tracker: Tracker, built: Built, batch: dict[str, Any], optimizer: Any, recipe: Recipe, device: str) -> None:
    """The step itself. The outputs are kept as long as the recipe's caller keeps them."""
    casting: Any = torch.autocast(device, dtype=torch.bfloat16) if recipe.autocast else contextlib.nullcontext()
    with tracker:
        tracker.begin("forward")
        with casting:
            outputs = built.model(**batch, use_cache=False)
            loss = outputs.loss
            if not recipe.keep_outputs:
                del outputs
        tracker.begin("backward")
        with torch.no_grad():
            # As the engine would make it, which takes no part of the step's own.
            one = torch.ones_like(loss)
        with torch.autograd.set_multithreading_enabled(False):
            # In this thread, which alone knows that tensors made of plain numbers are fake too.
            loss.backward(one)
        del loss, one
        tracker.begin("step")
        unreached(tracker, built.trained)
        optimizer.step()
        tracker.end()


def unreached(tracker: Tracker, trained: list[Any]) -> None:
    """Gradients of what text does not reach, a trained tower, as a batch with pictures leaves them."""
    for parameter in trained:
        if parameter.grad is None:
            parameter.grad = torch.empty_like(parameter)
            tracker.name(parameter.grad, "gradients")
