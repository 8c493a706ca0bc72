"""Examples about training: what a step takes by method, by part, on one card and on several."""

from __future__ import annotations

from typing import Any

from sizeup.training.answer import train
from sizeup.training.parallel import Split
from sizeup.training.result import Training

from .scene import Figures, Found, Scene, Told, size

SEQUENCE_TOKENS = 2048


def _step(scene: Scene, **settings: Any) -> Training:
    """One step on a card; a machine's own kind of processor changes little and is not asked here."""
    return train(scene.model, **{"sequence_tokens": SEQUENCE_TOKENS, **settings})


def _on(scene: Scene) -> Figures:
    return {"model": scene.name(), "tokens": Told(SEQUENCE_TOKENS, "tokens", "given")}


def training(scene: Scene, method: str, algorithm: str = "sft") -> Found:
    """A step by this method beside full fine-tuning, and whether it fits."""
    one, full = _step(scene, method=method, algorithm=algorithm), _step(scene, method="full")
    figures: Figures = {
        **_on(scene), "bytes": Told(one.process_bytes, "bytes"), "full": Told(full.process_bytes, "bytes"),
        "trained": Told(one.trained_parameters, "parameters"), "saved": Told(one.saved_bytes, "bytes"), **scene.room(),
    }  # fmt: skip
    if method == "full":
        return "full", figures
    return ("fits" if one.process_bytes <= scene.place.free_bytes else "short"), figures


def states(scene: Scene) -> Found:
    """What optimizers keep for every trained parameter."""
    figures = {**_on(scene), "parameters": Told(scene.model.parameters, "parameters")}
    for name in ("adamw", "adamw8bit", "sgd"):
        step = _step(scene, method="full", optimizer=name)
        figures[name] = Told(size(step.memory.optimizer), "bytes")
    return "", figures


def checkpointing(scene: Scene) -> Found:
    """The peak with everything kept for the backward pass, and with checkpointing."""
    figures = _on(scene)
    for name, on in (("off", False), ("on", True)):
        step = _step(scene, method="lora", checkpointing=on)
        figures |= {name: Told(step.process_bytes, "bytes"), f"{name}_kept": Told(step.by_part().get("activations", 0), "bytes")}
    return "", figures


def accumulated(scene: Scene, count: int = 8) -> Found:
    """So many sequences at once, and one after another."""
    at_once = _step(scene, method="lora", micro_batch=count)
    in_turn = _step(scene, method="lora", micro_batch=1, accumulate=True)
    return "", {
        **_on(scene), "count": Told(count, "count", "given"), "bytes": Told(in_turn.process_bytes, "bytes"),
        "full": Told(at_once.process_bytes, "bytes"),
    }  # fmt: skip


def shards(scene: Scene, zero: int, cards: int = 8) -> Found:
    """Full fine-tuning on several cards: what each holds."""
    one, each = _step(scene, method="full"), _step(scene, method="full", split=Split(data=cards, zero=zero))
    return "", {
        **_on(scene), "cards": Told(cards, "count", "given"), "one": Told(one.process_bytes, "bytes"),
        "each": Told(each.process_bytes, "bytes", "derived"),
    }  # fmt: skip


def chinchilla(scene: Scene) -> Found:
    """The tokens that the scaling laws would train so large a model on, and the arithmetic of that."""
    from sizeup.scaling import budget_flops, optimal_tokens

    parameters = scene.model.parameters
    best = optimal_tokens(parameters)
    return "", {
        "model": scene.name(), "parameters": Told(parameters, "parameters"), "tokens": Told((best.low, best.high), "count"),
        "flops": Told(float(budget_flops(parameters, best.middle)), "flops"),
    }  # fmt: skip
