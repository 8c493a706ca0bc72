"""Compute buffers against every measured run, by case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup.engines.llamacpp import compute_offload
from sizeup.engines.llamacpp.compute_offload import offload_claims
from sizeup.engines.llamacpp.graph.sheet import Homes, Sheet, sheet
from sizeup.engines.llamacpp.graph.writer import Run
from sizeup.engines.llamacpp.layout import lay_out_bytes
from sizeup.engines.llamacpp.placement import homes
from sizeup.engines.llamacpp.settings import Settings
from sizeup.engines.llamacpp.slots import slots
from sizeup.figure import leaf
from tests import compute_cases, truth
from tests.compute_cases import predicted

DOC = Path(__file__).parents[1] / "docs" / "accuracy.md"
MODELS = ("Llama-3.2-1B-Q4_K_M", "gemma-3-4b-Q4_K_M", "Qwen3-30B-A3B-Q4_K_M", "Mamba2-1.3B-Q8_0", "DeepSeek-V2-Lite-Q4_K_M")


def test_every_measured_run_is_equal_to_the_byte() -> None:
    """Prints the errors by case; no run on any kind of model, placement or setting may be off by a byte."""
    rows = compute_cases.measured()
    found = compute_cases.cases(rows)
    print(f"\n{len(rows)} runs\n{compute_cases.table(found)}")
    assert len(rows) >= 5_334
    assert compute_cases.table(found) in DOC.read_text(encoding="utf-8"), "python -m tools.accuracy writes it anew"
    assert {name: case.worst for name, case in found.items() if case.within(0.0) < 1} == {}


@pytest.mark.parametrize("model", MODELS)
@given(context=st.integers(1, 256), micro=st.integers(1, 64), sequences=st.integers(1, 4), gpu=st.booleans())
def test_more_never_needs_less(model: str, context: int, micro: int, sequences: int, gpu: bool) -> None:
    """Twice the context or twice the micro batch never takes a smaller buffer, sequences and placement equal."""
    spec = truth.spec(model)
    settings = Settings(
        context_tokens=256 * context, micro_batch_tokens=32 * micro, sequences=sequences, gpu_layers="all" if gpu else 0, outputs=1
    )
    base = predicted(spec, settings)
    for more in (
        replace(settings, context_tokens=2 * settings.context_tokens),
        replace(settings, micro_batch_tokens=2 * settings.micro_batch_tokens),
    ):
        grown = predicted(spec, more)
        assert {pool: grown[pool] >= bytes for pool, bytes in base.items()} == dict.fromkeys(base, True)


@pytest.mark.parametrize("model", MODELS)
def test_kinds_of_numbers_agree(model: str) -> None:
    """int == Figure == column."""
    numpy = pytest.importorskip("numpy")
    spec = truth.spec(model)
    contexts = [512, 4096, 10000]

    def claims(context: object) -> list[object]:
        settings = Settings(context_tokens=context, gpu_layers="all")  # type: ignore[arg-type]
        return [claim.bytes for claim in offload_claims(sheet(spec), settings, slots(spec, settings), homes(spec, settings))]

    plain = [claims(context) for context in contexts]
    assert [claims(leaf("context", context)) for context in contexts] == plain
    assert numpy.stack(claims(numpy.array(contexts)), axis=1).tolist() == plain


@pytest.mark.parametrize("model", [*MODELS, "gpt-oss-20b-MXFP4", "Qwen3.5-0.8B-Q4_K_M", "DeepSeek-V3-Q4_K_M", "LFM2-350M-Q4_K_M"])
@settings(max_examples=8)
@given(steps=st.lists(st.integers(1, 320), min_size=4, max_size=24), gpu=st.booleans(), flash=st.booleans())
def test_what_is_read_off_is_what_would_be_laid_out(model: str, steps: list[int], gpu: bool, flash: bool) -> None:
    """Law: for any row of contexts, in any order, no buffer differs by a byte from its own layout."""
    spec = truth.spec(model)
    page = sheet(spec)
    for step in steps:
        chosen = Settings(context_tokens=256 * step, gpu_layers="all" if gpu else 0, flash_attention=flash)
        where, made = homes(spec, chosen), slots(spec, chosen)
        claims = {claim.pool: claim.bytes for claim in offload_claims(page, chosen, made, where)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compute_offload, "buffer_bytes", laid_out)
            assert claims == {claim.pool: claim.bytes for claim in offload_claims(page, chosen, made, where)}


def laid_out(page: Sheet, run: Run, where: Homes, offload: bool, pipeline: bool) -> tuple[int, ...]:
    return lay_out_bytes(page, run, where, offload, pipeline)
