"""Judges the formulas of training memory by traces: the smallest catalogue model of each family, by several methods.

Run with the libraries of requirements-train.txt: python -m tools.trace_families [MODEL_TYPE…]. One line a step: predicted and traced
peak, the difference, and the parts that make it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

from sizeup.errors import SizeupError
from sizeup.model import ModelSpec
from sizeup.readers import read
from sizeup.readers.catalogue_data import index
from sizeup.trace import child
from sizeup.trace.depth import PARTS
from sizeup.trace.proof import question
from sizeup.training.answer import train

STEPS = (
    {"method": "full", "dtype": "bf16", "checkpointing": False},
    {"method": "lora", "dtype": "amp", "micro_batch": 2},
    {"method": "qlora", "dtype": "bf16", "kbit_prep": False},
)
TOKENS = 1024
LARGEST = 200 * 10**9
"""Parameters of the largest model whose fake tensors are worth the wait."""


def smallest() -> Iterator[tuple[str, ModelSpec]]:
    """The smallest model of each family that has a rule, by model type."""
    found: dict[str, ModelSpec] = {}
    for name in index().ids:
        try:
            model = read(name)
            if not model.config or not model.causal or model.parameters > LARGEST:
                continue
            if model.model_type not in found or model.parameters < found[model.model_type].parameters:
                train(model, method="full", sequence_tokens=128)
                found[model.model_type] = model
        except (SizeupError, IndexError):
            continue
    yield from sorted(found.items())


def main(wanted: list[str]) -> None:
    dispatch = child.prepare("cuda", lambda **_: None)
    for kind, model in smallest():
        if wanted and kind not in wanted:
            continue
        for settings in STEPS:
            tokens = min(TOKENS, model.context_tokens or TOKENS)
            step = f"{kind:18}{settings['method']:6}"
            try:
                training = train(model, sequence_tokens=tokens, **settings)
                asked = question(training)
                found = child.answer(asked, dispatch, lambda **_: None)
            except Exception as error:
                print(f"{step}{model.name}: {type(error).__name__}: {str(error).strip().splitlines()[:1]}", flush=True)
                continue
            gc.collect()
            predicted = training.by_part()
            apart = {part: found["parts"][part] - predicted.get(part, 0) for part in PARTS}
            told = ", ".join(f"{part} {gap:+,}" for part, gap in apart.items() if abs(gap) > 1 << 16)
            counted = "" if found["parameters"] == training.parameters else f" parameters {found['parameters'] - training.parameters:+,}"
            error = training.peak_bytes / found["peak_bytes"] - 1
            print(f"{step}{error:+8.2%}{counted}  {told}  {found['traced_layers']} {found['peak_at']}  {model.name}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
