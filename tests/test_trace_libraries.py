"""Traces by the installed transformers, PEFT, bitsandbytes and PyTorch, against the shipped table and against the formulas."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sizeup.readers import read
from sizeup.trace import proof, shim
from sizeup.training.answer import train
from sizeup.training.recipe import Recipe
from tests.test_training_truth import MODELS, ROWS, recipe

pytestmark = [
    pytest.mark.transformers,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, (*proof.LIBRARIES, "bitsandbytes"))),
        reason="torch, transformers, peft, bitsandbytes are not here",
    ),
]

SAMPLE = {
    "Llama-3.1-8B full": (16, 0.0001),
    "Llama-3.1-8B qlora": (59, 0.0001),
    "gpt2 amp": (129, 0.0001),
    "gemma-3-1b": (30, 0.0002),
    "gemma-2-2b lora, eager": (50, 0.0001),
    "Qwen3-30B-A3B": (32, 0.0001),
    "DeepSeek-V2-Lite lora": (53, 0.002),
    "Phi-3-mini": (10, 0.0005),
    "adamw8bit, amp": (137, 0.0001),
    "adafactor": (142, 0.0001),
    "math kernel": (170, 0.0001),
    "accumulated": (178, 0.0001),
    "padded": (180, 0.0001),
    "qlora without kbit": (200, 0.0001),
}
"""Rows of the table by what they show -> how far the prediction may be from the trace."""
FIRST = ("Llama-3.1-8B qlora", "gpt2 amp", "gemma-3-1b", "Qwen3-30B-A3B", "adamw8bit, amp", "padded")
"""Those of the small sample."""


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the compiled device, kept over the tests."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture(autouse=True)
def kept(compiled: Path, home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile once for all tests."""
    monkeypatch.setenv("SIZEUP_HOME", str(compiled))


def traced(model: Any, asked: Recipe, every_layer: bool = False) -> proof.TrainingProof:
    fields = {name: getattr(asked, name) for name in Recipe.__slots__}
    return proof.prove_training(train(model, **fields), every_layer)


needs_compiler = pytest.mark.skipif(
    shim.compiler() is None, reason="without a C++ compiler the step is traced as CPU tensors, which the table was not"
)


@needs_compiler
@pytest.mark.parametrize("name", [name if name in FIRST else pytest.param(name, marks=pytest.mark.full) for name in SAMPLE])
def test_a_trace_is_the_shipped_row_to_the_byte(name: str) -> None:
    """Peak, gradients, states, counts equal to the table, which another program traced; the prediction within its band."""
    number, band = SAMPLE[name]
    row = ROWS[number]
    found = traced(MODELS[row["config"]], recipe(row))
    assert found.tensors_peak_bytes == int(row["peak_bytes"])
    assert found.gradients_bytes == int(row["grad_bytes"])
    assert found.rests["optimizer"] == int(row["opt_bytes"])
    assert (found.parameters, found.trained_parameters) == (int(row["n_params"]), int(row["n_trainable"]))
    assert found.resident_bytes < 1 << 32
    assert abs(found.difference) <= band


@needs_compiler
@pytest.mark.parametrize("name", ["SmolLM2-135M", pytest.param("gemma-3-1b", marks=pytest.mark.full)])
def test_two_depths_are_all_layers(name: str) -> None:
    """A full trace gives the same peak, part by part."""
    asked = Recipe("lora", "amp")
    shallow, whole = traced(MODELS[name], asked), traced(MODELS[name], asked, every_layer=True)
    assert len(shallow.traced_layers) == 2
    assert whole.traced_layers == (MODELS[name].layers,)
    assert (shallow.peak_bytes, shallow.buffers, shallow.phases) == (whole.peak_bytes, whole.buffers, whole.phases)


def test_as_cpu_tensors_a_16_bit_step_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a compiler: a Llama without autocast and dropout is traced to the same byte, and the answer says how."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("SIZEUP_HOME", str(tmp_path))
    found = traced(MODELS[ROWS[16]["config"]], recipe(ROWS[16]))
    assert found.notes == ("cpu",)
    assert found.tensors_peak_bytes == int(ROWS[16]["peak_bytes"])


@needs_compiler
@pytest.mark.parametrize(
    ("settings", "band"),
    [
        ({"method": "rslora"}, 0.0001),
        ({"method": "lora", "rank": 64, "targets": "qv", "dtype": "amp"}, 0.0001),
        ({"method": "full", "optimizer": "lion"}, 0.0001),
        ({"method": "full", "optimizer": "lion8bit"}, 0.0001),
        ({"method": "dora", "dtype": "amp"}, 0.0001),
        ({"method": "prompt"}, 0.0015),
        pytest.param({"method": "freeze"}, 0.0001, marks=pytest.mark.full),
    ],
)
def test_methods_and_optimizers_outside_the_table(settings: dict[str, Any], band: float) -> None:
    """What the table has no row for is predicted as the libraries do it."""
    found = traced(MODELS["Llama-3.2-1B"], replace(Recipe(), **settings))
    assert abs(found.difference) <= band


@needs_compiler
@pytest.mark.parametrize("tower", ["frozen", pytest.param("trained", marks=pytest.mark.full)])
def test_towers_are_traced_as_the_class_loads_them(tower: str) -> None:
    """The whole model's class: weights, adapters and states exact at rest, the peak within 0.01 %."""
    model = read(str(Path(__file__).parent / "data" / "judged" / "smolvlm.json"))
    training = train(model, method="lora", sequence_tokens=512, tower=tower)
    found = proof.prove_training(training)
    assert found.notes == ()
    assert (found.parameters, found.trained_parameters) == (training.parameters, training.trained_parameters)
    assert (found.rests["weights"], found.rests["adapter"]) == (training.memory.weights, training.memory.adapter)
    assert abs(found.difference) <= 0.0001
