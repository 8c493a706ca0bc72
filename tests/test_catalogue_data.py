"""The shipped catalogue as data: every record can be read alone, and nothing without a licence is in it."""

import pytest

from sizeup.errors import NotFound
from sizeup.readers import catalogue_data, read


def test_each_of_the_910_models_reads_by_its_id() -> None:
    """A record found by its id is the record of that id, with its config beside it."""
    ids = catalogue_data.index().ids
    assert len(set(ids)) == 910
    assert list(ids) == [row["id"] for row in catalogue_data.rows()]
    assert "model_type" in catalogue_data.config("google/gemma-3-4b-it")


def test_ollama_tags_and_gguf_repositories_lead_to_the_model_that_lists_them() -> None:
    """The index holds no name that its model's row does not state."""
    index = catalogue_data.index()
    rows = list(catalogue_data.rows())
    assert rows[index.ollama["gemma2:2b"]]["id"] == "google/gemma-2-2b-it"
    assert all(any(tag == entry["tag"] for entry in rows[number]["ollama"]) for tag, number in index.ollama.items())
    assert all(any(repo == entry["repo"] for entry in rows[number]["gguf"]) for repo, number in index.gguf.items())


def test_sizes_whose_upstream_states_no_licence_are_not_shipped() -> None:
    """`files_rounded` is reference data only."""
    assert [row["id"] for row in catalogue_data.rows() for entry in row.get("gguf", ()) if "files_rounded" in entry] == []


def test_an_unknown_id_is_not_found() -> None:
    """A wrong id is an error of its own kind, not a KeyError."""
    with pytest.raises(NotFound):
        catalogue_data.row("nobody/nothing")


@pytest.mark.parametrize(
    ("id", "context_tokens"),
    [("meta-llama/Llama-2-7b-hf", 4096), ("meta-llama/Llama-2-70b-hf", 4096), ("codellama/CodeLlama-13b-Instruct-hf", 16384)],
)
def test_contexts_are_the_models_own(id: str, context_tokens: int) -> None:
    """A config that came by way of a list with a window of its own says what the model's papers say."""
    assert read(id).context_tokens == context_tokens
    assert catalogue_data.row(id)["max_position_embeddings"] == context_tokens


def test_experts_are_called_what_their_class_calls_them() -> None:
    """Granite 3's MoE configs say num_local_experts, which transformers reads, not the name that the source gives to all."""
    config = catalogue_data.config("ibm-granite/granite-3.0-1b-a400m-instruct")
    assert config["num_local_experts"] == 32
    assert "num_experts" not in config
