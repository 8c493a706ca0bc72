"""One plan from Python, after the model was read: the same once more, then a row of contexts of which each is new.

python -m benchmarks.plan
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.ghosts import unpack

import sizeup
from sizeup.engines import engine as find_engine
from sizeup.probe import machine
from sizeup.search import make_plan

MODELS = ("Llama-3.1-8B-Q4_K_M", "gemma-3-4b-Q4_K_M", "DeepSeek-V3-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M")
CONTEXTS = range(8192, 131_073, 256)


def microseconds(call: Callable[[int], object], contexts: range | list[int]) -> float:
    start = time.perf_counter()
    for context in contexts:
        call(context)
    return (time.perf_counter() - start) / len(contexts) * 1e6


def main() -> None:
    here, engine = machine(), find_engine("llama.cpp")
    print(f"{'':24}{'first':>10}{'again':>10}{'each of ' + str(len(CONTEXTS)) + ' contexts':>24}   µs a plan")
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            model = sizeup.read(str(unpack(name, Path(folder))))

            def plan(context: int) -> object:
                return make_plan(model, here, engine, None, engine.Settings(context_tokens=context))  # noqa: B023

            times = [microseconds(plan, [8192]), microseconds(plan, [8192] * 1000), microseconds(plan, CONTEXTS)]
            print(f"{name:24}{times[0]:>10,.0f}{times[1]:>10,.0f}{times[2]:>24,.0f}")


if __name__ == "__main__":
    main()
