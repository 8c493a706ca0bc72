"""Configs that anybody may have written: each is a model or one `Unreadable` sentence, quickly, and never a traceback."""

import copy
import math
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sizeup.errors import SizeupError, Unreadable
from sizeup.readers import catalogue_data
from sizeup.readers.config import spec_from_config
from sizeup.readers.families import table

LLAMA = {
    "model_type": "llama",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 8192,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": True,
}
JUNK: list[Any] = [
    "4096",
    "",
    -1,
    0,
    10**9,
    10**400,
    1e300,
    math.nan,
    math.inf,
    -math.inf,
    0.5,
    True,
    [],
    [1],
    ["x"],
    [{}],
    [10**9] * 5000,
    {},
    {"a": {"b": []}},
    b"bytes",
    object(),
]
SAMPLES = [
    next(row["id"] for row in catalogue_data.rows() if row["model_type"] == kind)
    for kind in dict.fromkeys(row["model_type"] for row in catalogue_data.rows())
]
"""One model of every type in the catalogue."""


@pytest.mark.parametrize("config", [None, [], "llama", 7, {}, {"model_type": 5}, {"model_type": ["llama"]}, {"text_config": {}}])
def test_what_is_no_config_is_unreadable(config: Any) -> None:
    """Anything but a table with a known model type is one sentence with a hint."""
    with pytest.raises(Unreadable) as caught:
        spec_from_config(config, "somebody/model")
    assert "somebody/model" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "field", [field for field in LLAMA if field not in ("num_key_value_heads", "max_position_embeddings", "tie_word_embeddings")]
)
def test_a_missing_size_is_named(field: str) -> None:
    """A size that the count needs and that no default may stand for is an error that names the field."""
    config = {key: value for key, value in LLAMA.items() if key != field}
    with pytest.raises(Unreadable, match=field):
        spec_from_config(config, "somebody/model")


def test_an_unknown_architecture_is_named_and_can_be_assumed() -> None:
    """The error names the type and offers the nearest family; with `assume` the result carries what was assumed."""
    config = LLAMA | {"model_type": "qwen9"}
    with pytest.raises(Unreadable, match="qwen9") as caught:
        spec_from_config(config, "somebody/model")
    assert caught.value.hint.startswith("--assume qwen")
    model = spec_from_config(config, "somebody/model", assume="llama")
    assert model.assumed
    assert "qwen9" in model.assumed[0]
    assert model.parameters == spec_from_config(LLAMA, "somebody/model").parameters
    assert spec_from_config(LLAMA, "somebody/model", assume="qwen2").assumed == ()


def test_assuming_an_unknown_family_is_an_error() -> None:
    """`assume` must be a family that there are rules for."""
    with pytest.raises(Unreadable, match="nonsense"):
        spec_from_config(LLAMA | {"model_type": "qwen9"}, "somebody/model", assume="nonsense")


@pytest.mark.parametrize("field", ["num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size"])
@pytest.mark.parametrize("junk", JUNK, ids=lambda value: repr(value)[:20])
def test_an_impossible_size_is_unreadable(field: str, junk: Any) -> None:
    """No size may be text, negative, absurd, broken or of another kind. One number for all layers may be a list of them."""
    with pytest.raises(Unreadable, match=field):
        spec_from_config(LLAMA | {field: junk}, "somebody/model")


def test_a_billion_layers_cost_nothing() -> None:
    """An absurd count is refused before a list of that length is made."""
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(Unreadable, match="num_hidden_layers"):
        spec_from_config(LLAMA | {"num_hidden_layers": 10**9}, "somebody/model")
    took, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 1.0
    assert peak < 10_000_000


def outcome(config: dict[str, Any], id: str) -> str:
    """What reading comes to; anything but a model or an error of ours is raised."""
    try:
        model = spec_from_config(config, id)
    except SizeupError as error:
        return "an error" if error.message and error.hint else "an error without a hint"
    return "a model" if model.layers > 0 and model.parameters > 0 and model.active_parameters > 0 else "an impossible model"


@pytest.mark.parametrize("id", SAMPLES)
def test_junk_in_any_field_of_any_family_is_a_model_or_an_error(id: str) -> None:
    """Every field of a real config, nested ones too, replaced by every kind of junk, ends in a model or in `Unreadable`."""
    original = catalogue_data.config(id)
    sections: list[tuple[str, ...]] = [(), *((key,) for key, value in original.items() if isinstance(value, dict))]
    found = set()
    for path in sections:
        inner = original[path[0]] if path else original
        for field in inner:
            for junk in JUNK:
                config = copy.copy(original)
                target = config
                for step in path:
                    config[step] = target = dict(config[step])
                target[field] = junk
                found.add(outcome(config, id))
    assert found == {"a model", "an error"}


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(table())),
    st.dictionaries(
        st.sampled_from(
            [*sorted(LLAMA), "layer_types", "num_experts", "num_experts_per_tok", "text_config", "vision_config", "linear_attn_config"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
            max_leaves=10,
        ),
    ),
)
def test_any_json_of_any_family_is_a_model_or_an_error(kind: str, fields: dict[str, Any]) -> None:
    """Made-up JSON for every model type that is known ends in a model or in `Unreadable`."""
    assert outcome(LLAMA | fields | {"model_type": kind}, "somebody/model") in ("a model", "an error")
