"""What llama.cpp makes of a config's windows: kept where its architecture has them, read past where it has none."""

import pytest

from sizeup.engines.llamacpp.view import as_seen, windowed
from sizeup.model import ModelSpec
from sizeup.readers import catalogue_data
from sizeup.readers.config import spec_from_config


def spec(id: str) -> ModelSpec:
    return spec_from_config(catalogue_data.config(id), id)


def count(model: ModelSpec) -> int:
    """Layers with a window."""
    return sum(group.layers for group in model.groups if windowed(group.block))


@pytest.mark.parametrize(
    ("id", "own", "seen"), [("mistralai/Mistral-7B-v0.1", 0, 0), ("google/gemma-3-1b-it", 22, 22), ("openai/gpt-oss-20b", 12, 12)]
)
def test_windows_that_the_architecture_knows_stay(id: str, own: int, seen: int) -> None:
    """Gemma 3 and gpt-oss keep theirs."""
    assert (count(spec(id)), count(as_seen(spec(id)))) == (own, seen)


def test_windows_that_the_architecture_ignores_go() -> None:
    """Mistral's config names a window for every layer; the `llama` architecture reads past it, and nothing else changes."""
    config = catalogue_data.config("mistralai/Mistral-7B-v0.1") | {"sliding_window": 4096}
    model = spec_from_config(config, "mistralai/Mistral-7B-v0.1")
    assert (count(model), count(as_seen(model))) == (32, 0)
    assert (model.parameters, model.layers) == (as_seen(model).parameters, as_seen(model).layers)
    assert as_seen(model) is as_seen(model)


def test_a_model_without_windows_is_the_same_object() -> None:
    """Nothing is copied when there is nothing to take off."""
    model = spec("meta-llama/Llama-3.1-8B")
    assert as_seen(model) is model
