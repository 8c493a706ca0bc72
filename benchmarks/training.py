"""One account of a training step from Python, after the model was read: milliseconds by model and method, medians.

Milliseconds of the processor, which other programs do not stretch.

python -m benchmarks.training
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import sizeup
from sizeup.readers.config import spec_from_config

CONFIGS = Path(__file__).parents[1] / "tests" / "data" / "train_configs.json"
MODELS = ("Llama-3.1-8B", "gemma-3-1b", "Qwen3-30B-A3B", "DeepSeek-V2-Lite")
RECIPES: tuple[dict[str, Any], ...] = ({"method": "full"}, {"method": "lora"}, {"method": "lora", "dtype": "amp"}, {"method": "qlora"})
ROUNDS = 31


def milliseconds(model: Any, recipe: dict[str, Any]) -> float:
    """The median of so many accounts."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        sizeup.train(model, **recipe)
        times.append(time.process_time() - start)
    return statistics.median(times) * 1e3


def main() -> None:
    configs = json.loads(CONFIGS.read_text())
    print(f"{'':20}" + "".join(f"{' '.join(recipe.values()):>12}" for recipe in RECIPES) + "   ms of the processor an account")
    for name in MODELS:
        model = spec_from_config(configs[name], name)
        print(f"{name:20}" + "".join(f"{milliseconds(model, recipe):>12.2f}" for recipe in RECIPES))


if __name__ == "__main__":
    main()
