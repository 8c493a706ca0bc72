"""vLLM as an engine: laws that hold for every model, what it refuses, its command line, its plans."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

import sizeup
from sizeup.engines import engine
from sizeup.engines.serving.allocator import MIB, allocated
from sizeup.engines.serving.stages import spans
from sizeup.engines.vllm.account import account
from sizeup.engines.vllm.release import release
from sizeup.engines.vllm.settings import Settings
from sizeup.errors import NotFound, Refused, TooSmall, UserError
from sizeup.model import ModelSpec
from sizeup.plan import ServingBreakdown
from sizeup.readers import catalogue
from sizeup.readers.catalogue_data import index
from tests.serving import GIB, H100, model_of

UNKNOWN = {"deepseek_v4"}
"""Model types whose cache pages are not known here; they say so."""


def _one_of_each() -> list[ModelSpec]:
    """The smallest catalogue model of every model type."""
    found: dict[str, ModelSpec] = {}
    for number in range(len(index().ids)):
        spec = catalogue.spec(number)
        if spec.causal and (spec.model_type not in found or spec.parameters < found[spec.model_type].parameters):
            found[spec.model_type] = spec
    return list(found.values())


EACH = _one_of_each()


def _made(model: ModelSpec, **given: Any) -> ServingBreakdown | None:
    """The account, or None where vLLM has no such model."""
    try:
        return account(model, None, Settings(**given))
    except TooSmall:
        raise
    except (Refused, UserError):
        return None


@pytest.mark.parametrize("model", EACH, ids=lambda model: model.model_type)
def test_every_architecture_is_accounted(model: ModelSpec) -> None:
    """Each model type of the catalogue has an account by the general rule; the one without is known by name and says so."""
    if model.model_type in UNKNOWN:
        with pytest.raises(UserError, match="does not know yet how a server pages"):
            account(model, None, Settings())
        return
    found = account(model, None, Settings())
    assert int(found.bytes("weights")) >= model.parameters / 3
    assert found.pool is None or found.max_concurrency >= 1


@pytest.mark.parametrize("model", EACH, ids=lambda model: model.model_type)
def test_more_ranks_never_need_more_of_each(model: ModelSpec) -> None:
    """Splitting a model over twice the ranks, no rank takes more weights, and a block of the pool is no larger on it."""
    ways = [found for ranks in (1, 2, 4, 8) if (found := _made(model, tensor_parallel=ranks, num_blocks=100_000)) is not None]
    weights = [int(found.bytes("weights", "vram:0")) for found in ways]
    assert weights == sorted(weights, reverse=True)
    # Pages of hybrids follow their states, so that blocks hold more or fewer tokens; bytes a token are compared.
    each = [int(found.pool.block_bytes) / int(found.pool.block_tokens) for found in ways if found.pool]
    assert all(later <= before * 1.02 for before, later in itertools.pairwise(each))


@pytest.mark.parametrize(
    "model",
    [model for model in EACH if model.model_type in ("llama", "qwen3_moe", "deepseek_v3", "gemma2", "phi3")],
    ids=lambda m: m.model_type,
)
def test_an_8_bit_cache_holds_twice_the_tokens(model: ModelSpec) -> None:
    """The same pool with 8 bits a number has twice the blocks."""
    sixteen, eight = (_made(model, kv_cache_bytes=64 * GIB, kv_cache_dtype=kind, context_tokens=2048) for kind in ("auto", "fp8"))
    assert sixteen is not None
    assert eight is not None
    assert eight.num_blocks // 2 == sixteen.num_blocks


@pytest.mark.parametrize("model", EACH, ids=lambda model: model.model_type)
def test_longer_requests_are_never_more_at_once(model: ModelSpec) -> None:
    """With the same pool, longer requests are fewer at once."""
    found = [one for length in (1024, 4096, 16384) if (one := _made(model, context_tokens=length, num_blocks=2_000_000)) is not None]
    counts = [one.max_concurrency for one in found if one.pool]
    assert counts == sorted(counts, reverse=True)


def test_a_pool_of_given_blocks() -> None:
    """`sizeup.account` of given blocks: Llama-3.1-8B with 29,751 blocks holds 58.11 requests of 8,192 tokens."""
    found = sizeup.account("meta-llama/Llama-3.1-8B-Instruct", engine="vllm", tensor_parallel=1, pipeline_parallel=1, num_blocks=29_751)
    assert isinstance(found, ServingBreakdown)
    assert f"{found.max_concurrency:.2f}" == "58.11"
    assert found.to_json()["pool"]["tokens"] == found.tokens == 476_016


def test_unknown_memory_means_the_least_pool() -> None:
    """Without a card the pool is what one request needs, and the block that vLLM keeps back."""
    found = account(model_of("meta-llama/Llama-3.1-8B-Instruct")[0], None, Settings(context_tokens=4096))
    assert found.num_blocks == 4096 // 16 + 1


@pytest.mark.parametrize(
    ("given", "sentence", "hint"),
    [
        (
            {"tensor_parallel": 3},
            "Total number of attention heads (32) must be divisible by tensor parallel size (3).",
            "--tensor-parallel 2",
        ),
        (
            {"pipeline_parallel": 40},
            "meta-llama/Llama-3.1-8B-Instruct has 32 layers, fewer than 40 pipeline stages.",
            "--pipeline-parallel 32",
        ),
        (
            {"tensor_parallel": 2, "cards": (H100,)},
            "World size (2) is larger than the number of available GPUs (1).",
            "--tensor-parallel 1",
        ),
        (
            {"cards": (H100,), "gpu_memory_utilization": 0.999},
            "Free memory on device cuda:0 (78.68/79.19 GiB) on startup is less than desired GPU memory utilization (0.999, 79.11 GiB).",
            "--gpu-memory-utilization 0.99, or end other programs on the card",
        ),
    ],
)
def test_what_vllm_refuses(given: dict[str, Any], sentence: str, hint: str) -> None:
    """Splits that do not come out even, cards that are not there and memory that is taken are refused in vLLM's own words."""
    with pytest.raises(Refused) as caught:
        account(model_of("meta-llama/Llama-3.1-8B-Instruct")[0], None, Settings(**given))
    assert (sentence, hint) == (caught.value.message, caught.value.hint)


def test_no_room_for_one_request() -> None:
    """A request that is too long is refused with what it needs and the longest that fits, which then does fit and one more does not."""
    model = model_of("meta-llama/Llama-3.1-8B-Instruct")[0]
    settings = Settings(context_tokens=131_072, kv_cache_bytes=10 * GIB)
    with pytest.raises(TooSmall) as caught:
        account(model, None, settings)
    assert caught.value.message == (
        "vLLM: To serve at least one request with the model's max seq len (131072), 16.00 GiB KV cache is needed, "
        "which is larger than the available KV cache memory (10.00 GiB)."
    )
    longest = int(caught.value.hint.rpartition(" ")[2])
    assert account(model, None, replace(settings, context_tokens=longest)).max_concurrency >= 1
    with pytest.raises(TooSmall):
        account(model, None, replace(settings, context_tokens=longest + 1))


def test_no_room_at_all() -> None:
    """Weights that fill the server's share leave nothing for the cache: vLLM's own sentence."""
    with pytest.raises(TooSmall, match="No available memory for the cache blocks"):
        account(model_of("meta-llama/Llama-3.3-70B-Instruct")[0], None, Settings(cards=(H100,)))


def test_several_requests_must_fit_together() -> None:
    """More users than the pool holds are told how many it holds."""
    model = model_of("meta-llama/Llama-3.1-8B-Instruct")[0]
    with pytest.raises(TooSmall) as caught:
        account(model, None, Settings(context_tokens=8 * 8192, sequences=8, num_blocks=4 * 512 + 1))
    assert caught.value.message == "The pool holds 4.00 requests of 8,192 tokens at once, and 8 are asked for."


@pytest.mark.parametrize(
    ("layers", "stages", "counts"), [(32, 2, [16, 16]), (5, 4, [1, 1, 2, 1]), (30, 4, [7, 8, 8, 7]), (31, 4, [8, 8, 8, 7])]
)
def test_stages_as_vllm_cuts_them(layers: int, stages: int, counts: list[int]) -> None:
    """What is left over goes to the stages before the last one."""
    assert [len(span) for span in spans(layers, stages)] == counts


@pytest.mark.parametrize(("bytes", "taken"), [(1, 512), (9 * MIB, 9 * MIB), (259 * MIB, 260 * MIB), (int(220.5 * MIB), int(220.5 * MIB))])
def test_the_allocator(bytes: int, taken: int) -> None:
    """Large arrays lose what is left of 2 MiB when that is 1 MiB or less."""
    assert allocated(bytes) == taken


def test_facts_by_release() -> None:
    """A release has the facts of the last row up to it."""
    assert [release(version)["utilization"] for version in ("0.19.0", "0.21", "v0.33.0")] == [0.90, 0.92, 0.92]
    assert [release(version)["graphs_charged"] for version in ("0.20.1", "0.21.0")] == [False, True]
    with pytest.raises(UserError, match="“newest” is no version"):
        Settings(engine_version="newest")


def test_the_command_says_what_was_asked() -> None:
    """`vllm serve` with every setting that is not the default, ready to paste."""
    model = model_of("meta-llama/Llama-3.1-8B-Instruct")[0]
    settings = Settings(context_tokens=4 * 16_384, sequences=4, tensor_parallel=2, gpu_memory_utilization=0.95, kv_cache_dtype="fp8")
    assert engine("vLLM").command(model, "fp8", settings) == (
        "vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 16384 --quantization fp8 --tensor-parallel-size 2 "
        "--gpu-memory-utilization 0.95 --kv-cache-dtype fp8"
    )
    assert engine("vllm").command(model, "awq", Settings()).startswith("vllm serve Llama-3.1-8B-Instruct-awq-int4-g128 ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kv_cache_dtype": "q8_0"}, "kv_cache_dtype = “q8_0” is not a type of vLLM's cache that sizeup knows."),
        ({"tensor_parallel": 0}, "tensor_parallel = 0 is below 1."),
        ({"gpu_memory_utilization": 1.5}, "gpu_memory_utilization = 1.5 is no share of a card's memory."),
        ({"gpu_layers": 3}, "vllm has no setting “gpu_layers”."),
    ],
)
def test_wrong_settings(given: dict[str, Any], message: str) -> None:
    """A setting that vLLM does not have, or not with this value, is a mistake that says so."""
    with pytest.raises(UserError) as caught:
        sizeup.account("Qwen/Qwen3-8B", engine="vllm", **given)
    assert caught.value.message == message


def test_a_mix_of_llama_cpp_is_no_checkpoint() -> None:
    """GGUF mixes are told apart from what a server loads."""
    with pytest.raises(UserError) as caught:
        sizeup.fit("Qwen/Qwen3-8B", "h100", engine="vllm", quant="Q4_K_M")
    assert caught.value.message == "A checkpoint in Q4_K_M is nothing that vLLM or SGLang load."


@pytest.mark.parametrize("machine", ["m3-max", "raspberry pi 5"])
def test_a_machine_without_a_usable_card(machine: str) -> None:
    """Where there is no CUDA or ROCm card, the answer says what vLLM needs."""
    with pytest.raises(UserError, match="vLLM needs an NVIDIA or AMD card"):
        sizeup.fit("Qwen/Qwen3-8B", machine, engine="vllm")


def test_no_such_engine() -> None:
    """An unknown engine names those that there are, the two of servers among them."""
    with pytest.raises(NotFound) as caught:
        engine("tensorrt")
    assert {"llama.cpp", "sglang", "vllm"} <= set(caught.value.hint.split(", "))


def test_states_need_a_block_for_every_sequence() -> None:
    """vLLM 0.25 refused 256 sequences with 184 blocks of states; unsaid, the command lowers them and a note says why."""
    model = model_of("Qwen/Qwen3.5-9B")[0]
    given = {"context_tokens": 32_768, "num_blocks": 184, "engine_version": "0.25.0"}
    with pytest.raises(Refused) as caught:
        account(model, None, Settings(**given, max_num_seqs=256))
    assert caught.value.message == "max_num_seqs (256) exceeds available Mamba cache blocks (184)."
    settings = Settings(**given, cards=(H100,))
    assert "vllm_sequences:184" in account(model, None, settings).notes
    assert "--max-num-seqs 184" in engine("vllm").command(model, None, settings)
    assert "vllm_sequences:184" not in account(model, None, replace(settings, enforce_eager=True)).notes


@pytest.mark.parametrize("name", ["vllm", "sglang"])
def test_experts_in_blocks_are_not_cut(name: str) -> None:
    """768 rows of an expert are six blocks of 128: two ranks have three each, four would cut one, and whole experts need no cutting."""
    model = sizeup.read("Qwen/Qwen3-30B-A3B", offline=True)
    given = {"engine": name, "quant": "fp8-block128", "context_tokens": 2048}
    parts = sizeup.account(model, tensor_parallel=2, **given)
    assert parts == sizeup.account(model, tensor_parallel=2, expert_parallel=True, **given)
    with pytest.raises(Refused, match="weight = 192 is not divisible by weight quantization block_n = 128"):
        sizeup.account(model, tensor_parallel=4, **given)
    assert sizeup.account(model, tensor_parallel=4, expert_parallel=True, **given).bytes("weights") > parts.bytes("weights")


@pytest.mark.parametrize(("name", "words"), [("vllm", "--enable-expert-parallel"), ("sglang", "--ep-size 4")])
def test_whole_experts_are_asked_for(name: str, words: str) -> None:
    """The command says so, and a number of ranks that does not divide the experts is refused."""
    model, chosen = sizeup.read("Qwen/Qwen3-30B-A3B", offline=True), engine(name)
    settings = chosen.Settings(tensor_parallel=4, expert_parallel=True)
    assert words in chosen.command(model, None, settings)
    uneven = sizeup.read("Qwen/Qwen1.5-MoE-A2.7B", offline=True)
    with pytest.raises(Refused, match="60 experts of a layer are not divisible by 8 ranks"):
        chosen.check(uneven, replace(settings, tensor_parallel=8))
