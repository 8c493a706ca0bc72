"""Names lead to the model that people mean by them; what means none says what is near, and what is closed is said to be."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sizeup.errors import ClosedModel, NotFound
from sizeup.facts import data_json
from sizeup.readers import catalogue_data, ollama, read
from sizeup.readers.catalogue import find, spec
from sizeup.readers.closed import closed
from sizeup.readers.config import spec_from_config
from sizeup.readers.names import by_id, near, short

IDS = catalogue_data.index().ids
TAGS = catalogue_data.index().ollama


def test_every_id_is_found_in_any_case() -> None:
    """A hub id means its own row, whatever its case."""
    assert [by_id(id.upper()) for id in IDS] == list(range(len(IDS)))


def test_every_ollama_tag_means_its_model() -> None:
    """A listed tag means the model that it is listed under, unless the list is corrected, with the quantisation that ends it."""
    corrected = data_json("ollama_tags.json")["corrections"]
    for name, number in TAGS.items():
        tag = ollama.tag(name)
        assert tag is not None
        assert IDS[tag.number] == corrected.get(name.lower(), IDS[number]), name
        if name.endswith("-q4_K_M"):
            assert tag.quant == "Q4_K_M", name


def test_every_family_has_a_default() -> None:
    """A bare family means its latest tag; where nobody says which that is, the tags are offered."""
    families = {tag.partition(":")[0] for tag in TAGS}
    known = set(data_json("ollama_tags.json")["latest"])
    assert families - known == {"granite4", "granite4.1"}
    for family in known:
        tag = ollama.tag(family)
        assert tag is not None
        assert tag.name.startswith(f"{family}:")
    with pytest.raises(NotFound) as caught:
        ollama.tag("granite4")
    assert "granite4:micro" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "id", "mix"),
    [
        ("gemma2:2b", "google/gemma-2-2b-it", "Q4_0"),
        ("ollama:gemma2:2b", "google/gemma-2-2b-it", "Q4_0"),
        ("gemma2", "google/gemma-2-9b-it", "Q4_0"),
        ("gemma2:latest", "google/gemma-2-9b-it", "Q4_0"),
        ("library/gemma2:27b", "google/gemma-2-27b-it", "Q4_0"),
        ("llama3.1:8b-instruct-q4_K_M", "meta-llama/Llama-3.1-8B-Instruct", "Q4_K_M"),
        ("llama3.1:8b-instruct-fp16", "meta-llama/Llama-3.1-8B-Instruct", "F16"),
        ("Llama3.1:8B-Instruct-Q6_K", "meta-llama/Llama-3.1-8B-Instruct", "Q6_K"),
        ("llama3.1", "meta-llama/Llama-3.1-8B-Instruct", "Q4_K_M"),
        ("llama3.3:70b-q8_0", "meta-llama/Llama-3.3-70B-Instruct", "Q8_0"),
        ("gemma3:27b-it-qat", "google/gemma-3-27b-it", "Q4_0"),
        ("deepseek-r1:8b-llama-distill-q4_K_M", "deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "Q4_K_M"),
        ("gpt-oss", "openai/gpt-oss-20b", "MXFP4_MOE"),
        ("qwen3:8b", "Qwen/Qwen3-8B", "Q4_K_M"),
        ("mistral:7b", "mistralai/Mistral-7B-Instruct-v0.3", "Q4_K_M"),
        ("smollm2:135m", "HuggingFaceTB/SmolLM2-135M-Instruct", "F16"),
        ("llama3.2:1b", "meta-llama/Llama-3.2-1B-Instruct", "Q8_0"),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B", None),
        ("qwen3 8b", "Qwen/Qwen3-8B", None),
        ("Qwen3_8B", "Qwen/Qwen3-8B", None),
        ("Llama 3.1 8B Instruct", "meta-llama/Llama-3.1-8B-Instruct", None),
        ("llama-3.1-8b", "meta-llama/Llama-3.1-8B", None),
        ("gemma-3-4b", "google/gemma-3-4b-it", None),
        ("gemma 3 4b", "google/gemma-3-4b-it", None),
        ("mistral 7b", "mistralai/Mistral-7B-Instruct-v0.3", None),
        ("mixtral 8x7b", "mistralai/Mixtral-8x7B-Instruct-v0.1", None),
        ("deepseek r1", "deepseek-ai/DeepSeek-R1", None),
        ("gpt2", "openai-community/gpt2", None),
        ("gemma 3n", "google/gemma-3n-E4B-it", None),
        ("qwen 3 guard 4b", "Qwen/Qwen3Guard-Gen-4B", None),
        ("gpt oss 120b", "openai/gpt-oss-120b", None),
        ("bartowski/gemma-2-2b-it-GGUF", "google/gemma-2-2b-it", None),
        ("hf.co/bartowski/gemma-2-2b-it-GGUF:Q4_K_M", "google/gemma-2-2b-it", "Q4_K_M"),
        ("https://huggingface.co/google/gemma-3-4b-it/tree/main", "google/gemma-3-4b-it", None),
    ],
)
def test_what_people_write(name: str, id: str, mix: str | None) -> None:
    """Hub ids, GGUF repositories, tags and plain names mean these models, and a tag's quantisation is kept."""
    found = find(name)
    assert (found.name, found.mix) == (id, mix)
    assert found.card["id"] == id
    assert found.source.kind == "published"


@pytest.mark.parametrize(
    ("name", "near_name"),
    [
        ("gema-3-4b", "google/gemma-3-4b-it"),
        ("qwen3-9b", "Qwen/Qwen3-8B"),
        ("lama-3.1-8b", "meta-llama/Llama-3.1-8B"),
        ("gemma2:3b", "gemma2:2b"),
        ("gema2:2b", "gemma2"),
        ("Qwen/Qwen3-9B", "Qwen/Qwen3-8B"),
        ("llama3.1:8b-instruct-q99", "llama3.1:8b"),
    ],
)
def test_a_near_miss_suggests(name: str, near_name: str) -> None:
    """What no model is called offers the nearest names."""
    with pytest.raises(NotFound) as caught:
        find(name)
    assert near_name in caught.value.hint


def test_an_ambiguous_name_lists_its_candidates() -> None:
    """Several models of different generations are all named, none is chosen."""
    with pytest.raises(NotFound, match="may be any of") as caught:
        find("llama 8b")
    assert "meta-llama/Llama-3.1-8B-Instruct" in caught.value.hint


@pytest.mark.parametrize("name", ["0", "1", "4.5", "a", "q", "j", "70b", "135m", "8x7b", "e2b", "a3b", "chat", "instruct", "7b it", "3 8b"])
def test_a_size_or_a_letter_is_no_name(name: str) -> None:
    """A number, a size, a single letter or an ending chooses no model, though only one may have it; near names are offered."""
    with pytest.raises(NotFound) as caught:
        find(name)
    assert caught.value.hint


def test_every_bare_number_and_letter_is_refused() -> None:
    """Whatever the catalogue holds: no single character means a model."""
    for character in "0123456789abcdefghijklmnopqrstuvwxyz":
        with pytest.raises(NotFound):
            find(character)


@pytest.mark.parametrize("name", ["bit", "labs 70b"])
def test_the_end_of_a_word_is_no_word(name: str) -> None:
    """Letters mean a model only where a word of its name begins: not `bit` of `16bit`, not `labs` of `ai21labs`."""
    with pytest.raises(NotFound):
        find(name)


@pytest.mark.parametrize("name", ["zzzzz", "?", "-", "model", ":", "a:b:c", "/", "//", "gguf", "🦙", "7b", "q4_K_M"])
def test_what_means_nothing(name: str) -> None:
    """A word that is no model is not found, with something to try."""
    with pytest.raises(NotFound) as caught:
        find(name)
    assert caught.value.hint


def test_an_unknown_hub_id_says_how_to_go_on() -> None:
    """An id that is not shipped says so and asks for its config.json; it is not called a wrong name."""
    with pytest.raises(NotFound, match="not in the shipped catalogue of 910 models") as caught:
        find("somebody/some-new-model")
    assert "config.json" in caught.value.hint


@pytest.mark.parametrize(
    "name",
    ["gpt-4o", "GPT-4o", "gpt 4o mini", "openai/gpt-4o", "chatgpt-4o-latest", "gpt-4", "gpt-4-0613", "gpt-4.1", "gpt-5.1-codex", "gpt-5-mini", "o1", "o1-preview", "o3", "o3-mini", "o4-mini", "claude", "claude-3-5-sonnet-20241022", "anthropic/claude-opus-4.5", "claude-sonnet-4-5@20250929", "gemini-1.5-pro", "gemini-1.5-pro-002", "gemini-2.0-flash", "models/gemini-2.5-pro", "gemini-3-pro", "google/gemini-1.5-flash-8b", "grok-3", "grok-4-fast", "x-ai/grok-4", "mistral-large-2402", "mistral-medium-3", "qwen-max", "qwen2.5-max", "nova-pro", "gpt-4o:latest"],
)  # fmt: skip
def test_closed_models_are_named_as_such(name: str) -> None:
    """A model that can only be rented is said to be closed, with what to run in its place."""
    with pytest.raises(ClosedModel, match="publishes neither its size nor its weights") as caught:
        find(name)
    assert caught.value.hint
    assert caught.value.exit_code == 4


def test_nearest_open_models_are_in_the_catalogue_with_their_basis() -> None:
    """Every nearest open model can be sized here, rests on at least two scores, and its gap is their mean difference."""
    rows = [row["nearest"] for row in data_json("closed_models.json")["closed"] if "nearest" in row]
    assert len(rows) >= 40
    for row in rows:
        assert row["id"] in IDS
        assert len(row["scores"]) >= 2
        gap = sum(abs(theirs - ours) for theirs, ours in row["scores"].values()) / len(row["scores"])
        assert row["gap"] == pytest.approx(gap, abs=0.051)
    for name in ("gpt-4o", "gemini-1.5-pro"):
        row = closed(name)
        assert row is not None
        assert "nearest" in row


@pytest.mark.parametrize("name", ["gpt-oss", "gpt-oss-120b", "gpt2", "gpt2-xl", "gpt-j-6b", "gpt-neox-20b", "gemma", "gemma3", "grok-1", "grok-2", "mistral-large", "mistral-large-2407", "command-r", "command-r-plus", "codestral-22b", "palmyra", "o1-open", "novasky", "claudette"])  # fmt: skip
def test_open_relatives_are_not_closed(name: str) -> None:
    """Models whose weights are published match no closed pattern, however alike their names are."""
    assert closed(name) is None


def test_nothing_in_the_catalogue_is_closed() -> None:
    """No hub id, short name, Ollama family or tag of the catalogue is taken for a closed model."""
    names = [*IDS, *(short(id) for id in IDS), *TAGS, *(tag.partition(":")[0] for tag in TAGS)]
    assert [name for name in names if closed(name) is not None] == []


def test_short_names_find_their_own_model() -> None:
    """The name behind the owner means that model, or one of the same name by another owner."""
    for id in IDS:
        assert short(find(short(id)).name).lower() == short(id).lower() or short(id).lower() in ollama.families(), id


def test_a_shared_spec_is_not_changed_by_a_tag() -> None:
    """A tag's quantisation belongs to that answer only."""
    find("gemma2:2b")
    assert find("google/gemma-2-2b-it").mix is None
    assert spec(by_id("google/gemma-2-2b-it") or 0).mix is None


def test_near_is_quick_to_give_up() -> None:
    """A name like none suggests none."""
    assert near("") == []
    assert near("q" * 200) == []


def test_finding_imports_nothing_heavy() -> None:
    """A lookup needs no numpy, rich or network library."""
    code = "import sys, sizeup; sizeup.read('gemma2:2b'); print([m for m in ('numpy', 'rich', 'click', 'httpx', 'psutil', 'ssl') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


UNSETTLED = {
    "EleutherAI/pythia-14m",
    "EleutherAI/pythia-31m",
    "tiiuae/Falcon3-1B-Instruct",
    "allenai/Olmo-Hybrid-Instruct-SFT-7B",
    "allenai/tulu-2-dpo-70b",
    "nvidia/Nemotron-3-Content-Safety",
    "nvidia/Nemotron-Cascade-2-30B-A3B",
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-Base-BF16",
    "nvidia/NVIDIA-Nemotron-Labs-3-Elastic-30B-A3B-BF16",
    "zai-org/Glyph",
    "zai-org/LongWriter-glm4-9b",
    "zai-org/UI2Code_N",
}
"""Models whose row and config (a sibling's, or a class default) tell two contexts, and nothing here says which is right."""


def test_a_context_is_one_fact() -> None:
    """A model's row and its config tell the same context: the positions of the model's own config, not what a scaling could reach."""
    apart = set()
    for row in catalogue_data.rows():
        found = spec_from_config(catalogue_data.config(row["id"]), row["id"]).context_tokens
        if found and row.get("max_position_embeddings") not in (None, found):
            apart.add(row["id"])
    assert apart == UNSETTLED
    assert read("qwen2.5:7b").context_tokens == 32_768
