"""Decoding under MLX: the bytes of a step, and factors on llama.cpp's Metal rates from published runs."""

from __future__ import annotations

from collections import Counter

import pytest

import sizeup
from sizeup.engines import engine
from sizeup.facts import data_json
from sizeup.rates import known, spread
from sizeup.readers import read

pytest.importorskip("numpy", reason="the fit needs numpy")

from tools.speed import mlx


@pytest.fixture(scope="module")
def published() -> tuple[list[mlx.Run], Counter[str]]:
    left_out: Counter[str] = Counter()
    return mlx.runs(left_out), left_out


def test_the_facts_are_the_fit(published: tuple[list[mlx.Run], Counter[str]]) -> None:
    """`python -m tools.speed.mlx` would write what is shipped: the factors, and the section of docs/speed.md."""
    rows, left_out = published
    assert (len(rows), sum(left_out.values())) == (30, 2)
    assert data_json("speed_rates.json")["engines"]["mlx"] == mlx.facts(rows)
    assert mlx.section(rows, left_out) in mlx.PAGE.read_text()


def test_runs_that_were_left_out_are_in_the_interval(published: tuple[list[mlx.Run], Counter[str]]) -> None:
    """Each model, predicted without its own run, lies in the stated interval; half of them within 3 %."""
    errors = sorted(abs(error) for error in mlx.errors(published[0], True))
    assert all(spread("decode", "device", row.moe)[0] <= row.seconds(mlx.fitted(published[0])) / row.measured_s for row in published[0])
    assert errors[len(errors) // 2] < 0.03


def test_the_factors_are_on_metals_rates() -> None:
    """MLX's rates of a device are Metal's times the factors; near only where its own runs are."""
    own = data_json("speed_rates.json")["engines"]["mlx"]
    near = {"Apple M4 Pro (20-core GPU)": "device", "Apple M4 Max (40-core GPU)": "family", "Apple M1": "far"}
    for device, nearness in near.items():
        family = " ".join(device.split()[:2])
        base, found = (known(device, family, backend, 2e11, 8e12) for backend in ("metal", "mlx"))
        assert found.nearness == nearness
        assert found.pace.read_bytes_per_s[""] == base.pace.read_bytes_per_s[""] * own["read"]
        assert found.pace.layer_s == base.pace.layer_s * own["layer"]


@pytest.mark.parametrize("quant", ["BF16", "mlx-4bit-g64", "mlx-8bit-g64"])
def test_a_step_reads_every_weight_but_rows(quant: str) -> None:
    """Of a dense model with a tied head a step reads all its matrices once; what is left are norms."""
    spec, rules = read("qwen3:0.6b"), engine("mlx")
    (work,) = rules.work(spec, quant, rules.Settings())
    whole = int(rules.account(spec, quant, rules.Settings()).bytes("weights"))
    assert 0 <= whole - work.weight_bytes < whole // 1000


def test_the_cache_is_read_up_to_the_last_token() -> None:
    """At a depth of 1,023 a step reads 1,024 tokens of keys and values, quantised ones in their bytes; windows no more than they hold."""
    spec, rules = read("qwen3:0.6b"), engine("mlx")
    one = 28 * 8 * 128 * 2 * 2
    assert rules.work(spec, "BF16", rules.Settings(), 1, 1023, 2)[0].cache_bytes == 2 * 1024 * one
    eight = rules.work(spec, "BF16", rules.Settings(kv_bits=8, kv_start=0), 1, 1023, 1)[0]
    assert eight.cache_bytes * 32 == 1024 * one * 17
    gemma = read("google/gemma-3-270m")
    reads = [int(rules.work(gemma, "BF16", rules.Settings(), 1, depth, 1)[0].cache_bytes) for depth in (511, 1023)]
    full = sum(len(group.positions) for group in gemma.groups for part in group.block.mixers if not part.window)
    assert reads[1] - reads[0] == 512 * full * 1 * 256 * 2 * 2


def test_macs_have_a_speed_and_a_prompt_has_none() -> None:
    """`speed` and `fit` tell decoding on a Mac with its interval; prompts, and machines without Metal, stay unknown."""
    found = sizeup.speed("qwen3:8b", "m4-max-128gb", engine="mlx", quant="4bit")
    assert found.decode is not None
    assert found.decode.lower < found.decode.tokens_per_s < found.decode.upper
    assert (found.prefill, found.decode.basis) == (None, "vram:0: family")
    assert sizeup.fit("qwen3:8b", "rtx-4090", engine="mlx")[0].speed.decode is None
