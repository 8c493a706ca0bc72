"""The search never loses to trying everything, and its answer says what it rests on."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sizeup
from sizeup.choice import choice
from sizeup.engines import engine
from sizeup.errors import Refused, UserError
from sizeup.hardware import Device, Machine, Pool
from sizeup.memory import make_settings
from sizeup.model import ModelSpec
from sizeup.pareto import Search, variants
from sizeup.placements import Spot
from sizeup.trial import attempt

MIB = 1 << 20
LLAMA = engine("llama.cpp")
MIXES = ["Q8_0", "Q4_K_M"]


def model(folder: Path, layers: int, experts: int) -> ModelSpec:
    """A model of a few small layers, with routed experts or without."""
    config = {
        "architectures": ["Qwen3MoeForCausalLM" if experts else "Qwen3ForCausalLM"],
        "model_type": "qwen3_moe" if experts else "qwen3",
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": layers,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 128,
        "vocab_size": 8192,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
    }
    if experts:
        config |= {
            "num_experts": experts,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 512,
            "decoder_sparse_step": 1,
            "norm_topk_prob": True,
            "mlp_only_layers": [],
        }
    path = folder / f"{layers}-{experts}" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(config))
    return sizeup.read(str(path))


def machine(ram: int, cards: tuple[tuple[int, float], ...]) -> Machine:
    """Host memory and cards of so many MiB; a card's second figure is its bandwidth in GB/s."""
    pools = [Pool("ram", ram * MIB, ram * MIB, 1e9)]
    pools += [Pool(f"vram:{i}", size * MIB, size * MIB, rate * 1e9) for i, (size, rate) in enumerate(cards)]
    devices = tuple(Device(f"card {i}", "NVIDIA", "cuda", f"vram:{i}", flops_per_s=50e12) for i in range(len(cards)))
    return Machine("a box", None, tuple(pools), devices)


def every_worth(spec: ModelSpec, box: Machine, start: object) -> float:
    """The most worth of all plans that fit: every mix, variant, number of layers and of experts off the cards."""
    best = 0.0
    layers = range(spec.layers + 2) if box.devices else [0]
    moe = range(spec.layers + 1) if box.devices and spec.active_parameters < spec.parameters else [0]
    for mix, variant in itertools.product(MIXES, [start, *variants(start, set())]):
        for on, off, repack in itertools.product(layers, moe, (True, False)):
            try:
                trial = attempt(spec, box, LLAMA, mix, replace(variant, gpu_layers=on, cpu_moe_layers=off, repack=repack))
            except (Refused, UserError):
                continue
            if trial.fits:
                best = max(best, choice(Spot("", trial, trial, lambda _: {}, 0, 0, frozenset())).worth)
    return best


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@settings(max_examples=12, deadline=None)
@given(
    layers=st.integers(2, 4),
    experts=st.sampled_from([0, 0, 8]),
    ram=st.integers(30, 400),
    cards=st.lists(st.tuples(st.integers(20, 300), st.sampled_from([1.0, 5.0, 40.0])), max_size=2).map(tuple),
    context=st.sampled_from([512, 4096, 16384]),
)
def test_trying_everything_finds_nothing_better(
    folder: Path, layers: int, experts: int, ram: int, cards: tuple[tuple[int, float], ...], context: int
) -> None:
    """Brute force over mixes, cache types, flash attention, micro batches, layers, experts and repacking never beats the search."""
    spec, box = model(folder, layers, experts), machine(ram, cards)
    start = LLAMA.on(make_settings(LLAMA.Settings, "llama.cpp", {"context_tokens": context}), box, ())
    best = Search(spec, box, LLAMA, MIXES, start, set()).best()
    assert (best.worth if best else 0.0) >= every_worth(spec, box, start) * (1 - 1e-9)
