"""One plan from Python, after the model was read: accounting alone, and a whole plan with speed and verdict.

python -m benchmarks.plan
"""

from __future__ import annotations

import tempfile
import timeit
from pathlib import Path

from tests.ghosts import unpack

import sizeup
from sizeup.engines import engine as find_engine
from sizeup.probe import machine
from sizeup.search import make_plan

MODELS = ("Llama-3.1-8B-Q4_K_M", "gemma-3-4b-Q4_K_M", "DeepSeek-V3-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M")


def main() -> None:
    here, engine = machine(), find_engine("llama.cpp")
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            model = sizeup.read(str(unpack(name, Path(folder))))
            settings = engine.Settings()
            for label, call in (
                ("account", lambda: engine.account(model, None, settings)),  # noqa: B023
                ("plan", lambda: make_plan(model, here, engine, None, settings)),  # noqa: B023
            ):
                call()
                runs, seconds = timeit.Timer(call).autorange()
                print(f"{name:24} {label:8} {seconds / runs * 1e6:8.0f} µs")


if __name__ == "__main__":
    main()
