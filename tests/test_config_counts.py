"""Layers are the only description of a model: what they count must be what was published, for every model of the catalogue."""

import sys
from pathlib import Path

import pytest

from sizeup.layers import count
from sizeup.model import ModelSpec
from sizeup.readers import catalogue_data
from sizeup.readers.config import spec_from_config
from sizeup.readers.published import total

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import catalogue_exceptions

IDS = catalogue_data.index().ids
UNEXPLAINED = {
    "facebook/MobileLLM-125M",
    "facebook/MobileLLM-350M",
    "facebook/MobileLLM-600M",
    "facebook/MobileLLM-1B",
    "facebook/MobileLLM-1.5B",
    "NousResearch/Hermes-4-14B",
    "openbmb/MiniCPM-Embedding-Light",
    "openbmb/NOSA-8B",
}
"""Published figures that are rounded or that no source explains; docs/catalogue-exceptions.md gives each reason."""


def spec(id: str) -> ModelSpec:
    return spec_from_config(catalogue_data.config(id), id)


def test_layers_give_the_published_total_for_all_but_eight_of_910_models() -> None:
    """Parameters plus what `published_is` names equal the published total to a millionth; most to the very element."""
    apart = {id: catalogue_data.row(id)["params_published"] - total(spec(id), catalogue_data.row(id)) for id in IDS}
    far = {id for id, missing in apart.items() if abs(missing) > 1e-6 * catalogue_data.row(id)["params_published"]}
    assert far == UNEXPLAINED
    assert sum(missing == 0 for missing in apart.values()) >= 844


def test_unique_weights_are_the_catalogues_count() -> None:
    """`parameters` is the resident model: tied head once, towers in, prediction blocks, copies and unused weights out."""
    apart = [
        id
        for id in IDS
        if not catalogue_data.row(id).get("corrected")
        and abs(spec(id).parameters - catalogue_data.row(id)["params_total"]) > 1e-6 * catalogue_data.row(id)["params_total"]
    ]
    assert apart == []


def test_active_parameters_are_the_catalogues_except_where_it_counts_idle_experts() -> None:
    """Weights of one token equal the stated figure to a millionth, but for rows that state another thing."""
    apart = {
        id
        for id in IDS
        if (stated := catalogue_data.row(id).get("params_active")) and abs(spec(id).active_parameters - stated) > 1e-6 * stated
    }
    assert apart == {
        "MiniMaxAI/MiniMax-M3",
        "moonshotai/Kimi-K3",
        "moonshotai/Kimi-Linear-48B-A3B-Base",
        "moonshotai/Kimi-Linear-48B-A3B-Instruct",
        "google/gemma-3n-E4B",
        "google/gemma-3n-E4B-it",
        "mixedbread-ai/deepset-mxbai-embed-de-large-v1",
    }


def test_prediction_blocks_are_counted_apart() -> None:
    """Weights of multi-token-prediction blocks equal `params_mtp`, and stand after the main model's blocks."""
    apart = []
    for id in IDS:
        model = spec(id)
        found = sum(group.layers * int(group.block.parameters(model.hidden)) for group in model.draft_blocks)
        row = catalogue_data.row(id)
        if found != row.get("params_mtp", 0) and not row.get("corrected"):
            apart.append(id)
        assert all(position >= model.layers for group in model.draft_blocks for position in group.positions)
    assert apart == []


def part(model: ModelSpec, field: str) -> int:
    """Elements of one part, under the catalogue's name for it."""
    if field == "params_embed":
        return int(count(iter([("", dict(model.embedding.stored(model.hidden))["token_embd.weight"])])))
    if field == "params_lm_head":
        return int(count(entry for entry in model.head.stored(model.hidden) if entry[0].startswith(("output.", "cls."))))
    return sum(tower.parameters() for tower in model.towers if f"params_{tower.kind}" == field)


@pytest.mark.parametrize("field", ["params_embed", "params_lm_head", "params_vision", "params_audio"])
def test_parts_are_the_catalogues(field: str) -> None:
    """Embedding, head and towers, each alone, equal the catalogue's figure (to a thousandth: it counts a head's bias here or there)."""
    rows = [row for row in catalogue_data.rows() if field in row and not row.get("corrected")]
    apart = [row["id"] for row in rows if abs(part(spec(row["id"]), field) - row[field]) > 1e-3 * row[field]]
    assert apart == []


def test_the_page_of_exceptions_is_what_the_code_finds() -> None:
    """docs/catalogue-exceptions.md is generated, never edited."""
    assert catalogue_exceptions.PAGE.read_text(encoding="utf-8") == catalogue_exceptions.page()
