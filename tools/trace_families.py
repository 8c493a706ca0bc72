"""Judges the formulas of training memory by traces: the smallest catalogue model of each family, by several methods.

Run with the libraries of requirements-train.txt: python -m tools.trace_families [MODEL_TYPE|CONFIG…] > tests/data/train_judged.csv.
A model with towers is of the family of its outer model type; a family that the catalogue lacks is a config. Beside the rows it says on standard error how far the prediction is off, by part.
"""

from __future__ import annotations

import csv
import gc
import sys
from collections.abc import Iterator
from dataclasses import replace

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
    {"method": "lora", "dtype": "bf16", "checkpointing": False, "micro_batch": 2},
)
TOKENS = 1024
COLUMNS = (
    "model", "type", "method", "dtype", "batch", "sequence", "checkpointing", "kbit_prep", "tower", "parameters", "trained", "peak_bytes", "peak_at",
)  # fmt: skip
LARGEST = 40 * 10**9
"""Parameters of the largest model whose fake tensors are worth the wait."""


def smallest(wanted: list[str]) -> Iterator[tuple[str, ModelSpec]]:
    """The smallest model of each family that has a rule, by model type."""
    found: dict[str, ModelSpec] = {}
    for name in (*(given for given in wanted if given.endswith(".json")), *index().ids):
        try:
            model = read(name)
            kind = family(model)
            if not model.config or not model.causal or model.parameters > LARGEST or (wanted and not {name, kind} & {*wanted}):
                continue
            if kind not in found or model.parameters < found[kind].parameters:
                train(model, method="full", sequence_tokens=128)
                found[kind] = replace(model, name=name)
        except SizeupError:
            continue
    yield from sorted(found.items())


def family(model: ModelSpec) -> str:
    """The model type, of the whole where the text model has towers."""
    return str(model.config.get("model_type")) if model.towers else model.model_type


def main(wanted: list[str]) -> None:
    out = csv.writer(sys.stdout)
    out.writerow(COLUMNS)
    dispatch = child.prepare("cuda", lambda **_: None)
    for kind, model in smallest(wanted):
        for settings in STEPS:
            tokens = min(TOKENS, model.context_tokens or TOKENS)
            try:
                training = train(model, sequence_tokens=tokens, **settings)
                found = child.answer(question(training), dispatch, lambda **_: None)
            except Exception as error:
                print(f"{kind}: {type(error).__name__}: {str(error).strip().splitlines()[:1]}"[:200], file=sys.stderr, flush=True)
                break
            gc.collect()
            predicted = training.by_part()
            apart = {part: found["parts"][part] - predicted.get(part, 0) for part in PARTS}
            told = " ".join(f"{part}{gap:+d}" for part, gap in apart.items() if abs(gap) > 1 << 16)
            recipe = training.recipe
            out.writerow([
                model.name, kind, recipe.method, recipe.dtype, recipe.micro_batch, tokens, int(recipe.checkpointing), int(recipe.kbit_prep), recipe.tower,
                found["parameters"], found["trained"], found["peak_bytes"], found["peak_at"],
            ])  # fmt: skip
            sys.stdout.flush()
            print(f"{kind:18}{recipe.method:6}{training.peak_bytes / found['peak_bytes'] - 1:+8.2%}  {told}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
