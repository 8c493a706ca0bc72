"""An independent count: transformers builds each model on the meta device; the layers must hold as many elements."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from sizeup.readers.config import spec_from_config

LINES = lzma.decompress((Path(__file__).parent / "data" / "transformers_counts.jsonl.xz").read_bytes()).decode().splitlines()
ROWS: list[dict[str, Any]] = [json.loads(line) for line in LINES[1:]]
TYPES = list(dict.fromkeys(row["model_type"] for row in ROWS))
APART = {
    ("bailing_hybrid", "tie_word_embeddings"): "the class has an output projection of its own whatever the flag says",
    ("kimi_linear", "tie_word_embeddings"): "as above",
    ("nemotron_h", "tie_word_embeddings"): "as above",
    ("nemotron_h", "attention_bias"): "the class ignores the flag",
    ("deepseek_v32", "mlp_bias"): "the class ignores the flag",
    ("glm_moe_dsa", "mlp_bias"): "the class ignores the flag",
    ("nemotron_h", "mlp_bias"): "biases of shared experts have no field here; no published model has them",
    ("deepseek_v2", "mlp_bias"): "as above",
    ("deepseek_v4", "mlp_bias"): "as above",
    ("hy_v3", "mlp_bias"): "as above",
    ("ernie4_5_moe", "use_bias"): "as above",
    ("bert", "tie_word_embeddings"): "the class then has two biases for one projection",
    ("camembert", "tie_word_embeddings"): "as above",
    ("roberta", "tie_word_embeddings"): "as above",
    ("xlm-roberta", "tie_word_embeddings"): "as above",
    ("gpt_bigcode", "head_dim"): "the class has no head width of its own and ignores the field",
    ("stablelm", "head_dim"): "as above",
    ("qwen2_vl_text", "head_dim"): "as above",
    ("qwen2_5_vl_text", "head_dim"): "as above",
    ("glm4v_text", "head_dim"): "as above",
    ("helium", "head_dim"): "as above, for the output projection",
    ("olmoe", "head_dim"): "as above, for its norms",
    ("longcat_flash", ""): "the class keeps unused rows for empty experts in one of two matrices",
}
"""Where the layers are right to differ, or differ for no published model: (model type, changed field), "" for all."""


def excused(row: dict[str, Any]) -> bool:
    return (row["model_type"], "") in APART or any((row["model_type"], field) in APART for field in row["changes"])


@pytest.mark.parametrize("kind", TYPES)
def test_layers_hold_what_transformers_builds(kind: str) -> None:
    """Default, small and with each flag turned: equal to the element."""
    found = {
        json.dumps(row["changes"]): spec_from_config(row["config"], kind).parameters - row["parameters"]
        for row in ROWS
        if row["model_type"] == kind and not excused(row)
    }
    assert found == dict.fromkeys(found, 0)


def test_every_excuse_is_needed() -> None:
    """An excused difference that is no more is taken off the list."""
    needed = {
        (row["model_type"], field)
        for row in ROWS
        for field in ("", *row["changes"])
        if (row["model_type"], field) in APART and spec_from_config(row["config"], row["model_type"]).parameters != row["parameters"]
    }
    assert needed == set(APART)


def test_the_table_covers_many_families() -> None:
    """At least a hundred model types are counted independently."""
    assert len(TYPES) >= 100
