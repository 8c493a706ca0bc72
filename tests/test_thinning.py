"""Fewer layers tell of all: which are kept, and what their speed says of the whole model."""

from __future__ import annotations

import pytest

import sizeup
from sizeup.engines.llamacpp import ENGINE
from sizeup.errors import Unavailable
from sizeup.ghost.rehearse import extrapolated, rehearse, thin_layers
from sizeup.ghost.thin import blocks_of, rounds, thinned
from sizeup.plan import Measurement
from sizeup.probe import machine
from sizeup.search import make_plan
from tests.plans import plan_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen/Qwen3-8B", (0, 1)),
        ("google/gemma-3-4b-it", (0, 6)),
        ("deepseek-ai/DeepSeek-V3", (3, 1)),
        ("Qwen/Qwen3.5-4B", (0, 4)),
        ("openai/gpt-oss-20b", (0, 2)),
    ],
)
def test_rounds(name: str, expected: tuple[int, int]) -> None:
    """What stands before the repetition, and how many blocks repeat."""
    assert rounds(sizeup.read(name)) == expected


@pytest.mark.parametrize("name", ["Qwen/Qwen3-8B", "google/gemma-3-4b-it", "deepseek-ai/DeepSeek-V3"])
def test_a_thin_model_has_the_first_layers(name: str) -> None:
    """Law: parameters are those of the layers kept and of what stands around them; a local header thins to the same."""
    spec = sizeup.read(name)
    before, period = rounds(spec)
    few, more = thinned(spec, before + period), thinned(spec, before + 3 * period)
    round_parameters = sum(int(b.parameters(spec.hidden)) for b in blocks_of(spec)[before : before + period])
    assert more.parameters - few.parameters == 2 * round_parameters
    assert more.layers == before + 3 * period


@pytest.mark.engine
def test_a_thinned_rehearsal_is_of_the_whole_and_says_so() -> None:
    """Fewer layers run, twice; the number of layers is told, and the speed is of all of them."""
    plan = plan_of()
    found = rehearse(plan, prompt_tokens=32, decode_tokens=4, seconds=1, layers=8)
    assert found.layers_run == 8
    assert found.decode_tokens_per_s
    assert found.prefill_tokens_per_s


def test_extrapolation_by_hand() -> None:
    """10 ms around the layers and 2 ms a layer: 4 and 8 layers tell 20 exactly."""

    def made(layers: int) -> Measurement:
        rate = 1 / (0.010 + 0.002 * layers)
        return Measurement("rehearsed", "e", "m", {}, {}, prefill_tokens_per_s=rate, decode_tokens_per_s=rate)

    plan = make_plan(thinned(sizeup.read("Qwen/Qwen3-8B"), 20), machine(), ENGINE, "Q4_K_M", ENGINE.Settings(context_tokens=512))
    found = extrapolated(plan, made(4), made(8), 4, 8)
    assert found.decode_tokens_per_s == pytest.approx(1 / 0.050)
    assert found.layers_run == 8


def test_a_model_that_cannot_be_thinned_enough_says_so() -> None:
    """When not even two rounds have room on the disk, the sentence gives the size."""
    with pytest.raises(Unavailable, match="Even 2 of the 30 layers"):
        thin_layers(plan_of(), 1 << 20, None)
