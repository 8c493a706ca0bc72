"""What a config says is what the layers are: sizes only add, windows stand where they should, names are the engine's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizeup.errors import Unreadable
from sizeup.layers import Attention, GatedDeltaNet, LatentAttention, Mamba2, Moe
from sizeup.model import ModelSpec
from sizeup.readers import catalogue_data
from sizeup.readers.config import spec_from_config
from sizeup.readers.grouping import group_blocks

DENSE = {
    "hidden_size": 1024,
    "num_hidden_layers": 8,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "head_dim": 64,
    "intermediate_size": 2816,
    "vocab_size": 32000,
    "max_position_embeddings": 8192,
}
SPARSE = DENSE | {
    "num_experts": 16,
    "num_experts_per_tok": 4,
    "moe_intermediate_size": 512,
    "n_routed_experts": 16,
    "num_local_experts": 16,
}


def read(kind: str, **fields: Any) -> ModelSpec:
    return spec_from_config((SPARSE if "moe" in kind or kind == "mixtral" else DENSE) | {"model_type": kind} | fields, "somebody/model")


def windows(model: ModelSpec) -> list[int]:
    """The window of each layer, 0 for full."""
    found = [0] * model.layers
    for group in model.groups:
        for position in group.positions:
            mixer = group.block.mixers[0]
            found[position] = mixer.window if isinstance(mixer, Attention) else -1
    return found


@given(
    st.sampled_from(["llama", "qwen2", "qwen3", "gemma3_text", "gpt_neox", "starcoder2", "qwen3_moe", "mixtral", "olmoe", "glm4_moe"]),
    st.sampled_from(["num_hidden_layers", "hidden_size", "intermediate_size", "vocab_size", "num_attention_heads", "num_key_value_heads"]),
    st.integers(1, 8),
)
def test_more_of_anything_is_never_fewer_parameters(kind: str, field: str, times: int) -> None:
    """A model that is larger in one size, all else equal, has at least as many parameters, stored and active."""
    base = SPARSE[field]
    larger = {field: base * times} if field != "num_key_value_heads" else {field: base * times, "num_attention_heads": 32}
    smaller = {} if field != "num_key_value_heads" else {"num_attention_heads": 32}
    few, many = read(kind, **smaller), read(kind, **larger)
    assert few.parameters <= many.parameters
    assert few.active_parameters <= many.active_parameters


@given(st.sampled_from(["qwen3_moe", "mixtral", "olmoe", "glm4_moe"]), st.integers(4, 64), st.integers(0, 64))
def test_more_experts_add_idle_weights_only(kind: str, experts: int, more: int) -> None:
    """Experts beyond those used add to what is stored; of what is active only the router grows."""
    fewer = read(kind, num_experts=experts, n_routed_experts=experts, num_local_experts=experts)
    total = experts + more
    greater = read(kind, num_experts=total, n_routed_experts=total, num_local_experts=total)
    assert fewer.parameters <= greater.parameters
    assert greater.active_parameters - fewer.active_parameters <= DENSE["num_hidden_layers"] * more * (DENSE["hidden_size"] + 1)


@given(st.lists(st.sampled_from(["full", "sliding"]), min_size=1, max_size=40))
def test_groups_hold_every_position_once_in_order(kinds: list[str]) -> None:
    """Grouping loses, repeats and reorders nothing."""
    model = read("gemma3_text", num_hidden_layers=len(kinds), layer_types=[f"{kind}_attention" for kind in kinds], sliding_window=512)
    positions = sorted(position for group in model.groups for position in group.positions)
    assert positions == list(range(len(kinds)))
    assert all(list(group.positions) == sorted(group.positions) for group in model.groups)
    assert [512 if kind == "sliding" else 0 for kind in kinds] == windows(model)


def test_group_blocks_of_nothing_is_nothing() -> None:
    """No blocks, no groups."""
    assert group_blocks([]) == ()


def test_use_sliding_window_false_means_no_window() -> None:
    """Qwen2 configs carry a window's width with the switch off."""
    assert windows(read("qwen2", sliding_window=4096, use_sliding_window=False, max_window_layers=4)) == [0] * 8
    assert windows(read("qwen2", sliding_window=4096, use_sliding_window=True, max_window_layers=4)) == [0] * 4 + [4096] * 4


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("mistral", {"sliding_window": 4096}, [4096] * 8),
        ("mistral", {"sliding_window": None}, [0] * 8),
        ("gemma2", {"sliding_window": 4096}, [4096, 0] * 4),
        ("gemma3_text", {"sliding_window": 512}, [512, 512, 512, 512, 512, 0, 512, 512]),
        ("gemma3_text", {"sliding_window": 512, "sliding_window_pattern": 4}, [512, 512, 512, 0] * 2),
        ("cohere2", {"sliding_window": 4096}, [4096, 4096, 4096, 0] * 2),
        ("exaone4", {"sliding_window": 4096, "sliding_window_pattern": "LLLG"}, [4096, 4096, 4096, 0] * 2),
        ("olmo3", {"sliding_window": 4096, "layer_types": ["full_attention"] * 8}, [0] * 8),
        ("llama", {"sliding_window": 4096}, [0] * 8),
    ],
)
def test_windows_stand_where_the_family_puts_them(kind: str, fields: dict[str, Any], expected: list[int]) -> None:
    """`layer_types` wins; otherwise the family's own pattern holds."""
    assert windows(read(kind, **fields)) == expected


def test_a_nested_section_means_its_class_defaults() -> None:
    """Gemma 3 4B's text section leaves out vocabulary and heads; they are the class's, 262,208 words and 8 heads over 4."""
    text = {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34, "sliding_window": 1024}
    vision = {"model_type": "siglip_vision_model", "hidden_size": 1152, "image_size": 896, "intermediate_size": 4304}
    config = {"model_type": "gemma3", "text_config": text, "vision_config": vision | {"num_hidden_layers": 27, "patch_size": 14}}
    model = spec_from_config(config, "google/gemma-3-4b-it")
    assert model.parameters == catalogue_data.row("google/gemma-3-4b-it")["params_total"]
    assert model.vocabulary == 262208


def test_the_outer_config_means_nothing_by_silence() -> None:
    """The same section as a whole config is missing its vocabulary."""
    with pytest.raises(Unreadable, match="num_attention_heads"):
        spec_from_config({"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34}, "somebody/model")


@pytest.mark.parametrize(
    ("id", "architecture"),
    [
        ("meta-llama/Llama-3.1-8B", "llama"),
        ("Qwen/Qwen3-30B-A3B", "qwen3moe"),
        ("google/gemma-3-27b-it", "gemma3"),
        ("deepseek-ai/DeepSeek-V3", "deepseek2"),
        ("openai/gpt-oss-120b", "gpt-oss"),
        ("ibm-granite/granite-4.0-h-tiny", "granitehybrid"),
        ("Qwen/Qwen3.5-35B-A3B", "qwen35moe"),
        ("CohereLabs/c4ai-command-r-v01", "command-r"),
        ("microsoft/phi-2", "phi2"),
    ],
)
def test_the_architecture_is_llama_cpps_name(id: str, architecture: str) -> None:
    """ModelSpec.architecture is what the converter writes into `general.architecture`."""
    assert spec_from_config(catalogue_data.config(id), id).architecture == architecture


def test_kinds_of_layers_stand_where_they_should() -> None:
    """Hybrids, latent attention and experts are layers of their own kinds at their own places."""
    nexts = spec_from_config(catalogue_data.config("Qwen/Qwen3-Next-80B-A3B-Instruct"), "m")
    delta = next(group for group in nexts.groups if isinstance(group.block.mixers[0], GatedDeltaNet))
    assert [position for position in range(48) if position not in delta.positions] == list(range(3, 48, 4))
    deepseek = spec_from_config(catalogue_data.config("deepseek-ai/DeepSeek-V3"), "m")
    dense, sparse = deepseek.groups
    assert isinstance(dense.block.mixers[0], LatentAttention)
    assert (dense.positions, dense.block.feed.__class__.__name__) == ((0, 1, 2), "Mlp")
    assert isinstance(sparse.block.feed, Moe)
    assert (sparse.block.feed.experts, sparse.block.feed.used, sparse.layers) == (256, 8, 58)
    both = spec_from_config(catalogue_data.config("tiiuae/Falcon-H1-0.5B-Base"), "m").groups[0].block.mixers
    assert [type(mixer) for mixer in both] == [Attention, Mamba2]


@pytest.mark.parametrize("names", [("torch_dtype", "rope_scaling"), ("dtype", "rope_parameters")])
def test_renamed_fields_of_either_transformers_change_nothing(names: tuple[str, str]) -> None:
    """Version 4 and version 5 names of the number format and of the rotary settings are the same model."""
    kind, rope = names
    model = read("llama", **{kind: "bfloat16", rope: {"rope_type": "default", "rope_theta": 10000.0}})
    assert model.parameters == read("llama").parameters
    assert model.context_tokens == 8192
