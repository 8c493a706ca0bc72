"""The law of columns: a cell of a column is the plan's own number, to the byte, whatever the model and the settings."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools import columns as tool

from sizeup.catalogue_columns import SIDES, catalogue_columns
from sizeup.columns import added, terms
from sizeup.engines import engine as find_engine
from sizeup.engines.llamacpp import compute_offload
from sizeup.errors import Refused
from sizeup.figure import whole
from sizeup.plan import Breakdown
from sizeup.readers import catalogue, catalogue_data

LLAMACPP = find_engine("llama.cpp")
MODELS = st.sampled_from(range(len(catalogue_data.index().ids)))
MIXES = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "IQ4_XS", "Q3_K_M", "Q2_K", "IQ2_XXS", "MXFP4_MOE")
MANNERS = st.fixed_dictionaries(
    {
        "gpu_layers": st.sampled_from([0, 0, 7, "all", "all"]),
        "gpus": st.sampled_from([1, 1, 2]),
        "cpu_moe_layers": st.sampled_from([0, 0, "all"]),
        "k": st.sampled_from(["f16", "q8_0", "q4_0"]),
        "v": st.sampled_from(["f16", "q8_0"]),
        "flash_attention": st.sampled_from(["auto", True, False]),
        "sequences": st.sampled_from([1, 1, 2, 5]),
        "repack": st.booleans(),
        "cpu_features": st.just(("avx2",)),
    }
)


def plan(number: int, mix: str, given: dict[str, Any]) -> Breakdown | None:
    try:
        return LLAMACPP.account(catalogue.spec(number), mix, LLAMACPP.Settings(**given))
    except Refused:
        return None


@settings(max_examples=40)
@given(
    number=MODELS,
    mixes=st.lists(st.sampled_from(MIXES), min_size=1, max_size=3, unique=True),
    contexts=st.lists(st.integers(1, 600_000), min_size=1, max_size=4),
    manner=MANNERS,
)
def test_int_equals_column_on_every_plan(number: int, mixes: list[str], contexts: list[int], manner: dict[str, Any]) -> None:
    """Every part in every pool, its upper end and every refusal: the column's cell is what the engine's accounting says of that plan."""
    found = terms(catalogue.spec(number), LLAMACPP, mixes, contexts, LLAMACPP.Settings(**manner))
    for q, mix in enumerate(mixes):
        for c, context in enumerate(contexts):
            alone = plan(number, mix, {**manner, "context_tokens": context})
            assert found.refused[q, c] == (alone is None)
            if alone is None:
                continue
            parts = {(claim.part, claim.pool): int(alone.bytes(claim.part, claim.pool)) for claim in alone.claims}
            cells = {place: int(found.total(*place)[q, c]) for place in found.bytes}
            assert {place: bytes for place, bytes in cells.items() if bytes} == {place: bytes for place, bytes in parts.items() if bytes}
            pools = alone.by_pool()
            assert {pool: int(found.needed_bytes(pool)[q, c]) for pool in pools} == {pool: alone.needed_bytes(pool) for pool in pools}


def test_terms_are_small() -> None:
    """With everything in one place weights do not know the context, and nothing else knows the mix: a cell is a sum of two terms."""
    model = catalogue.find("Qwen/Qwen3-30B-A3B")
    for manner in ({"gpu_layers": 0}, {"gpu_layers": "all"}):
        found = terms(model, LLAMACPP, MIXES[:5], (2048, 8192, 40960), LLAMACPP.Settings(**manner))
        shapes = {place: term.shape for place, term in found.bytes.items()}
        assert {shape for (part, _), shape in shapes.items() if part in ("weights", "repacked")} == {(5, 1)}
        assert {shape for (part, _), shape in shapes.items() if part not in ("weights", "repacked")} <= {(1, 1), (1, 3)}


@settings(max_examples=15)
@given(
    number=MODELS,
    mixes=st.lists(st.sampled_from(MIXES), min_size=2, max_size=2, unique=True),
    context=st.integers(1, 131_072),
    manner=MANNERS,
)
def test_a_graph_shared_by_mixes_is_the_graph_of_each(number: int, mixes: list[str], context: int, manner: dict[str, Any]) -> None:
    """Mixes that share a layout of compute buffers would each have laid out the same bytes."""
    given = {**manner, "context_tokens": context}
    shared = [plan(number, mix, given) for mix in mixes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute_offload, "_drawn", lambda page, where: page)
        alone = [plan(number, mix, given) for mix in mixes]
    assert [each and each.to_json() for each in shared] == [each and each.to_json() for each in alone]


@pytest.mark.parametrize("number", range(5, 910, 131))
def test_the_shipped_columns_are_what_the_accounting_says(number: int) -> None:
    """A sample of the catalogue's columns, worked out again; `python -m tools.columns` writes the file anew."""
    kept, (weights, rest, step, refused) = catalogue_columns(), tool.model_row(catalogue.spec(number))
    assert (kept.quants, kept.contexts, kept.ids) == (tool.QUANTS, tool.CONTEXTS, catalogue_data.index().ids)
    assert {side: kept.weights[side][number].tolist() for side in SIDES} == {side: row.tolist() for side, row in weights.items()}
    assert {side: kept.rest[side][number].tolist() for side in SIDES} == {side: row.tolist() for side, row in rest.items()}
    assert (kept.step_bytes[number].tolist(), kept.refused[number].tolist()) == (step.tolist(), refused.tolist())


@settings(max_examples=25)
@given(number=MODELS, q=st.integers(0, len(tool.QUANTS) - 1), c=st.integers(0, len(tool.CONTEXTS) - 1), card=st.booleans())
def test_a_shipped_cell_is_its_plan(number: int, q: int, c: int, card: bool) -> None:
    """A sum of two shipped terms is what must be free for that plan, and a context between two takes the longer one's."""
    kept, context = catalogue_columns(), tool.CONTEXTS[c]
    manner = {**tool.SETTINGS["card" if card else "host"], "cpu_features": (), "context_tokens": context}
    alone = plan(number, tool.QUANTS[q], manner)
    if kept.refused[number, q]:
        return  # which combinations are refused is compared by the test above
    assert alone is not None
    for side, pool in (("card_card", "vram:0"), ("card_host", "ram")) if card else (("host", "ram"),):
        assert kept.needed_bytes(side, context)[number, q] == alone.needed_bytes(pool)
        assert kept.needed_bytes(side, context - 100)[number, q] == alone.needed_bytes(pool)


def test_columns_beyond_the_longest_context_are_no_guess() -> None:
    """A context that no column holds is an error, not the nearest number."""
    with pytest.raises(ValueError, match="131072"):
        catalogue_columns().needed_bytes("host", 131_073)


@given(numbers=st.lists(st.floats(0, 2**50), min_size=1, max_size=5))
def test_whole_numbers_agree_over_kinds(numbers: list[float]) -> None:
    """Rounding up gives the same for numbers and columns."""
    assert whole(numpy.array(numbers)).tolist() == [whole(number) for number in numbers]


@given(a=st.integers(0, 2**40), b=st.lists(st.integers(0, 2**40), min_size=2, max_size=4))
def test_added_terms_fill_their_cells(a: int, b: list[int]) -> None:
    """Terms of any broadcastable shape add up to the cells of the whole."""
    terms = [numpy.array([[a]]), numpy.array([b]), numpy.array([[1], [2], [3]])]
    assert added(terms, (3, len(b))).tolist() == [[a + each + q for each in b] for q in (1, 2, 3)]
