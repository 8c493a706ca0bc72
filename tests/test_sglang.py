"""SGLang as an engine: published pools to the token, its static share by its own rule, laws, its command line."""

from __future__ import annotations

from typing import Any

import pytest

import sizeup
from sizeup.engines import engine
from sizeup.engines.serving.stages import spans
from sizeup.engines.sglang.account import account
from sizeup.engines.sglang.fraction import fraction, prefill_graphs, reserved_mib
from sizeup.engines.sglang.settings import Settings
from sizeup.errors import Refused, TooSmall, UserError
from sizeup.plan import ServingBreakdown
from sizeup.readers import read
from tests.serving import GIB, H100, model_of, rows

NAMED = {
    "Qwen/Qwen3-235B-A22B-FP8": ("Qwen/Qwen3-235B-A22B", {}),
    "Qwen2 32B": ("Qwen/Qwen2.5-32B-Instruct", {}),
    "Qwen/Qwen3-14B": ("Qwen/Qwen3-14B", {}),
    "mistralai/Mistral-7B-Instruct-v0.1": ("mistralai/Mistral-7B-Instruct-v0.3", {}),
    "deepseek-ai/DeepSeek-V3": ("deepseek-ai/DeepSeek-V3", {"kv_cache_dtype": "fp8_e4m3"}),
    "openai-community/gpt2": ("openai-community/gpt2", {}),
}
"""Logs whose model and pool are both known: the catalogue's model of that shape, and settings that the log implies."""
LEFT_OUT = {
    "(issue 29575)": "no model named",
    "TP4+EAGLE": "no model named",
    "hybrid mamba": "no model named",
    "gpt-oss": "dummy layers, pool told as 0 GiB",
    "LiquidAI/LFM2": "size not named",
    "Qwen3.5-35B-A3B-AWQ-4bit": "no pool told",
    "DeepSeek-V3 fp4": "no pool told",
    "(64 KiB/token target + EAGLE)": "no model named",
    "Qwen3-Coder-30B-A3B-Instruct-FP8": "no bytes told",
    "Qwen3.5 (hybrid)": "size not named",
    "NVFP4 2x5090 + draft": "no model named",
    "bosonai/higgs-tts-3-4b x3": "no bytes told",
}
LOGS = [row for row in rows("serving_memory.csv") if row["engine"] == "sglang"]


def test_every_log_is_used_or_left_out_by_name() -> None:
    """No row is passed over in silence."""
    assert {row["model"] for row in LOGS} == NAMED.keys() | LEFT_OUT.keys()
    assert len(LOGS) == 19


@pytest.mark.parametrize("row", [row for row in LOGS if row["model"] in NAMED], ids=lambda row: row["model"])
def test_pools_of_published_logs(row: dict[str, str]) -> None:
    """The tokens of a pool are its bytes over the cell, within the rounding of the log (keys and values each to 0.01 GiB, or 0.1)."""
    name, given = NAMED[row["model"]]
    digits = len(row["reported_kv_GiB"].partition(".")[2])
    half = 0.5 * 10**-digits + 0.005
    tokens = []
    for side in (-half, half):
        pool = int((float(row["reported_kv_GiB"]) + side) * GIB)
        tokens.append(account(read(name), None, Settings(tensor_parallel=int(row["tp"]), kv_cache_bytes=pool, **given)).num_blocks)
    assert tokens[0] <= int(row["reported_kv_tokens"]) <= tokens[1]


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [(1, 0.874), (4, 0.874), (8, 0.874)],
)
def test_static_share_of_an_h100(ranks: int, expected: float) -> None:
    """On cards above 60 GiB at least 10 GiB are reserved: (81,559 - 10,240... or what graphs and chunks ask) ÷ 81,559 MiB."""
    model = model_of("meta-llama/Llama-3.1-8B-Instruct")[0]
    settings = Settings(tensor_parallel=ranks, cards=(H100,) * 8)
    asked = 512 + 1.5 * 8192 + 128 * ranks + 2 * (512 if ranks >= 4 else 256) + 8 * prefill_graphs(8192)
    assert reserved_mib(model, settings) == max(asked, 10_240)
    assert fraction(model, settings) == round((81_559 - reserved_mib(model, settings)) / 81_559, 3)
    assert fraction(model, settings) <= expected


def test_prefill_graphs_as_the_server_lists_them() -> None:
    """Sizes in steps of 4, 16, 32, 64, 256 and 512 tokens."""
    assert [prefill_graphs(tokens) for tokens in (32, 256, 512, 1024, 4096, 8192)] == [8, 22, 30, 38, 50, 58]


def test_stages_give_what_is_left_to_the_last() -> None:
    """Unlike vLLM, SGLang gives the layers that are left over to the last stages."""
    assert [len(span) for span in spans(30, 4, True)] == [7, 7, 8, 8]


def test_all_parts_together_are_the_card() -> None:
    """Weights, pool, context and what is reserved come to what CUDA has, and not more."""
    found = account(model_of("meta-llama/Llama-3.1-8B-Instruct")[0], None, Settings(cards=(H100,)))
    assert found.needed_bytes("vram:0") <= H100.total_bytes
    assert int(found.total_bytes) == pytest.approx(H100.total_bytes, rel=0.02)


@pytest.mark.parametrize("name", ["meta-llama/Llama-3.1-8B-Instruct", "google/gemma-2-9b-it", "openai/gpt-oss-20b", "Qwen/Qwen3.5-9B"])
def test_more_ranks_hold_more_tokens(name: str) -> None:
    """Twice the cards never hold fewer tokens."""
    pools = [account(read(name), None, Settings(tensor_parallel=ranks, cards=(H100,) * 8)).num_blocks for ranks in (1, 2, 4)]
    assert pools == sorted(pools)


def test_windows_have_a_pool_of_their_own_where_the_server_knows_them() -> None:
    """gpt-oss keeps 0.8 slots for a window's layers for each slot of the others; Gemma 2 caches every token in every layer."""
    oss = account(read("openai/gpt-oss-20b"), None, Settings(max_total_tokens=10_000))
    cell = 2 * 8 * 64 * 2 * 12
    assert [int(claim.bytes) for claim in oss.claims if claim.part == "cache"] == [10_000 * cell, 8_000 * cell]
    gemma = account(read("google/gemma-2-9b-it"), None, Settings(max_total_tokens=10_000))
    assert [int(claim.bytes) for claim in gemma.claims if claim.part == "cache"] == [10_000 * 2 * 8 * 256 * 2 * 42]


def test_what_is_too_small() -> None:
    """SGLang's own sentence where nothing is left, and ours where it would start with fewer slots than are asked for."""
    with pytest.raises(TooSmall, match="Please try to increase --mem-fraction-static"):
        account(model_of("meta-llama/Llama-3.3-70B-Instruct")[0], None, Settings(cards=(H100,)))
    with pytest.raises(TooSmall) as caught:
        account(model_of("meta-llama/Llama-3.1-8B-Instruct")[0], None, Settings(context_tokens=8192, kv_cache_bytes=GIB // 2))
    assert (caught.value.message, caught.value.hint.partition(",")[0]) == (
        "SGLang would start with 4,096 token slots, and 8,192 are asked for.",
        "--context 4",
    )


def test_ranks_without_cards_are_refused() -> None:
    """More ranks than cards."""
    with pytest.raises(Refused, match="4 ranks need as many cards, and there are 1"):
        account(model_of("meta-llama/Llama-3.1-8B-Instruct")[0], None, Settings(tensor_parallel=4, cards=(H100,)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mem_fraction_static": 1.0}, "mem_fraction_static = 1.0 is no share of a card's memory."),
        ({"kv_cache_dtype": "q4_0"}, "kv_cache_dtype = “q4_0” is not a type of SGLang's cache that sizeup knows."),
    ],
)
def test_wrong_settings(given: dict[str, Any], message: str) -> None:
    """A setting that SGLang does not have with this value says so."""
    with pytest.raises(UserError) as caught:
        sizeup.account("Qwen/Qwen3-8B", engine="sglang", **given)
    assert caught.value.message == message


def test_the_command() -> None:
    """`launch_server` with every setting that is not the default."""
    settings = Settings(context_tokens=32_768, tensor_parallel=2, mem_fraction_static=0.85, kv_cache_dtype="fp8_e5m2")
    assert engine("SGLang").command(read("Qwen/Qwen3-14B"), None, settings) == (
        "python -m sglang.launch_server --model-path Qwen/Qwen3-14B --context-length 32768 --tp-size 2 --mem-fraction-static 0.85 "
        "--kv-cache-dtype fp8_e5m2"
    )


def test_a_plan_on_four_cards() -> None:
    """`sizeup.fit` shares the model among the cards and says how many requests fit at once."""
    plan = sizeup.fit("Qwen/Qwen3-14B", "4x rtx 3090", engine="sglang", quant="bf16")[0]
    assert isinstance(plan.breakdown, ServingBreakdown)
    assert plan.fits
    assert plan.breakdown.max_concurrency > 10
