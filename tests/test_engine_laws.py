"""Laws that hold for every engine's accounting beside llama.cpp's, for models of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup import account, fit, machine, read
from sizeup.derivation import explain
from sizeup.errors import Refused, UserError
from sizeup.figure import plain
from sizeup.model import ModelSpec
from sizeup.readers import catalogue_data
from sizeup.readers.config import spec_from_config
from sizeup.remedies import nearest
from sizeup.replay import traced_breakdown
from sizeup.search import exactly

MODELS = ("qwen3:0.6b", "google/gemma-3-270m", "deepseek-ai/DeepSeek-V2-Lite", "openai/gpt-oss-20b", "ibm-granite/granite-4.0-h-tiny", "mistralai/Mistral-7B-v0.1", "state-spaces/mamba-130m-hf", "Qwen/Qwen3-30B-A3B")  # fmt: skip
ENGINES = ("transformers", "mlx")
POOLS = {"transformers": "rtx 4090", "mlx": "m4-max-128gb"}


def needed(spec: ModelSpec, engine: str, **settings: object) -> int:
    found = account(spec, engine, "BF16", **settings)
    return sum(found.needed_bytes(pool) for pool in found.by_pool())


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MODELS), st.integers(1, 20_000), st.integers(0, 20_000), st.integers(1, 8), st.integers(1, 4))
def test_more_never_needs_less(engine: str, name: str, tokens: int, more: int, sequences: int, others: int) -> None:
    """A longer context and more sequences of one length never need fewer bytes."""
    spec = read(name)
    base = needed(spec, engine, context_tokens=tokens * sequences, sequences=sequences)
    assert base <= needed(spec, engine, context_tokens=(tokens + more) * sequences, sequences=sequences)
    assert base <= needed(spec, engine, context_tokens=tokens * (sequences + others), sequences=sequences + others)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MODELS)
def test_a_derivation_has_the_plans_numbers(engine: str, name: str) -> None:
    """The account with figures is the account with integers, and cache and state are products that can be read."""
    plan = exactly(read(name), machine(POOLS[engine]), engine=engine, quant="BF16", context_tokens=5000)
    assert [plain(c.bytes) for c in plan.breakdown.claims] == [plain(c.bytes) for c in traced_breakdown(plan).claims]
    part = "cache" if plan.breakdown.bytes("cache") else "state"
    first = next(claim for claim in plan.breakdown.claims if claim.part == part)
    assert explain(plan, part).lines[0].value == int(first.bytes)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MODELS)
def test_a_column_of_contexts_is_the_contexts_one_by_one(engine: str, name: str) -> None:
    """Many contexts at once give what each gives alone."""
    spec, contexts = read(name), np.array([1, 255, 256, 257, 4096, 9000])
    whole = account(spec, engine, "BF16", context_tokens=contexts).total_bytes
    assert whole.tolist() == [account(spec, engine, "BF16", context_tokens=int(tokens)).total_bytes for tokens in contexts]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(MODELS), st.lists(st.integers(2 << 30, 48 << 30), min_size=1, max_size=4), st.sampled_from(["BF16", "bnb-nf4"]))
def test_a_fitted_device_map_leaves_room_for_the_rest(name: str, free: list[int], quant: str) -> None:
    """No GPU is asked for more than it has, unless what lies beside the weights is too much by itself."""
    try:
        found = account(name, "transformers", quant, gpus=len(free), gpu_free_bytes=tuple(free), device_map="fitted")
    except Refused:
        return
    for index, bytes in enumerate(free):
        assert found.needed_bytes(f"vram:{index}") <= bytes or not found.bytes("weights", f"vram:{index}")


def test_a_card_too_small_is_helped_by_max_memory() -> None:
    """accelerate's own map fills the card and forgets the cache; with max_memory the same model in the same format runs."""
    auto, fitted = (
        exactly(read("qwen3:8b"), machine("rtx 4060"), engine="transformers", quant="BF16", device_map=way) for way in ("auto", "fitted")
    )
    assert (auto.fits, fitted.fits) == (False, True)
    assert 'device_map="sequential", max_memory={0: ' in fitted.command
    assert nearest(auto.model, auto)[0].why == "max_memory"


def test_a_mac_runs_what_mlx_converts_to() -> None:
    """Four bits first, exact and on the one memory, with the two commands that convert and answer."""
    plans = fit("qwen3:8b", "m4-max-128gb", engine="mlx")
    assert plans[0].quant == "mlx-4bit-g64"
    assert set(plans[0].breakdown.by_pool()) == {"unified"}
    assert plans[0].command.startswith(
        "mlx_lm.convert --hf-path Qwen/Qwen3-8B --mlx-path Qwen3-8B-mlx-4bit-g64 -q --q-bits 4 --q-group-size 64 && mlx_lm.generate "
    )


def test_the_server_keeps_caches_of_earlier_prompts() -> None:
    """Ten of them unless told otherwise, each as long as the context; none without a server."""
    each = account("qwen3:0.6b", "mlx", "BF16", context_tokens=4096).bytes("cache")
    assert account("qwen3:0.6b", "mlx", "BF16", context_tokens=4096, server=True).bytes("cache") == 11 * each
    assert account("qwen3:0.6b", "mlx", "BF16", context_tokens=4096, server=True, prompt_caches=0).bytes("cache") == each


def test_weights_near_the_wired_limit_are_told() -> None:
    """mlx-lm's own warning, from 90 % of what macOS lets the GPU hold."""
    told = account("qwen3:8b", "mlx", "BF16", wired_limit_bytes=18 << 30).notes
    assert [note.partition(":")[0] for note in told if "wired" in note] == []
    assert "near_wired_limit:95" in account("qwen3:8b", "mlx", "BF16", wired_limit_bytes=16 << 30).notes


def test_a_quantised_cache_takes_its_scales_along() -> None:
    """8 bits and 4 bits in groups of 64: 17/32 and 9/32 of BF16, once the context is long enough."""
    whole = account("qwen3:0.6b", "mlx", "BF16").bytes("cache")
    assert [account("qwen3:0.6b", "mlx", "BF16", kv_bits=bits).bytes("cache") * 32 for bits in (8, 4)] == [whole * 17, whole * 9]
    assert account("qwen3:0.6b", "mlx", "BF16", kv_bits=8, kv_start=10_000).bytes("cache") == whole


@pytest.mark.parametrize(
    ("name", "engine", "settings", "words"),
    [
        ("google/gemma-3-270m", "mlx", {"kv_bits": 8}, "RotatingKVCache Quantization NYI"),
        ("deepseek-ai/DeepSeek-V2-Lite", "mlx", {"kv_bits": 8}, "latent"),
        ("qwen3:0.6b", "mlx", {"kv_bits": 8, "sequences": 2, "context_tokens": 16384}, "one request at a time"),
        ("openai-community/gpt2", "transformers", {"context_tokens": 2000}, "index out of range in self"),
    ],
)
def test_refusals_are_the_engines_own(name: str, engine: str, settings: dict[str, int], words: str) -> None:
    """What would fail there is refused here, with the reason."""
    with pytest.raises(Refused, match=words):
        account(name, engine, "BF16", **settings)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "settings", [{"sequences": 0}, {"context_tokens": "8"}, {"prompt_tokens": 0}, {"cache": "ring"}, {"kv_bits": 3}, {"gpu_layers": 3}]
)
def test_settings_are_checked(engine: str, settings: dict[str, object]) -> None:
    """A setting the engine does not have, or cannot have at this value, is a mistake of one sentence and a hint."""
    with pytest.raises(UserError) as caught:
        account("qwen3:0.6b", engine, "BF16", **settings)
    assert caught.value.hint


@pytest.mark.parametrize(("engine", "offered"), [("mlx", "mlx-4bit-g64"), ("transformers", "bnb-nf4")])
def test_a_gguf_mix_is_refused_with_what_there_is(engine: str, offered: str) -> None:
    """Neither loads llama.cpp's mixes."""
    with pytest.raises(UserError) as caught:
        account("qwen3:0.6b", engine, "Q4_K_M")
    assert offered in caught.value.hint


@pytest.mark.parametrize(("engine", "accounted"), [("transformers", 860), ("mlx", 830)])
def test_every_model_of_the_catalogue_is_accounted_or_refused_with_a_reason(engine: str, accounted: int) -> None:
    """No model ends in anything but numbers or the engine's own refusal; most of the 910 end in numbers."""
    totals: list[int] = []
    reasons: list[str] = []
    for id in catalogue_data.index().ids:
        try:
            totals.append(int(account(spec_from_config(catalogue_data.config(id), id), engine, context_tokens=512).total_bytes))
        except Refused as error:
            reasons.append(error.hint and error.message)
    assert len(totals) >= accounted
    assert min(totals) > 0
    assert all(reasons)
