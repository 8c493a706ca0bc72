"""What the static page is served is made from the package's own data, and what is derived there agrees with what others state."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tools import browser_data

import sizeup
from sizeup.browser.describe import builds, family, gguf, mlc, mlc_packed
from sizeup.browser.limits import engines
from sizeup.browser.model import STATIC, models
from sizeup.facts import data_bytes, data_json

STATED = {"google/gemma-2b-it": 262144000, "google/gemma-4-E2B-it": 201326592}
"""WebLLM's own buffer_size_required_bytes."""


def test_generated_files_are_current() -> None:
    """`python -m tools.browser_data` was run after the last change of the data, the catalogue or the words."""
    found = {name: (STATIC / name).read_text(encoding="utf-8") for name in browser_data.files()}
    assert found == {name: browser_data.written(content) for name, content in browser_data.files().items()}


def test_colours_are_those_of_the_main_page() -> None:
    """The copies of shared files are current; the same command writes them."""
    assert {name: (STATIC / name).read_text(encoding="utf-8") for name in browser_data.SHARED} == browser_data.copies()


def test_every_record_is_there() -> None:
    """165 records of WebLLM, every published file, the browser's own; none twice."""
    rows = models()
    assert len(rows) == 165 + len(browser_data.rows("browser/models.csv")) + 1
    assert len({row.id for row in rows}) == len(rows)


def test_every_fact_has_a_source() -> None:
    """A limit says where it is from and how it is known; rows of models too."""
    facts = data_json("browser/limits.json")["facts"].values()
    assert [
        row for row in facts if not row["source"] or not row["date"] or row["kind"] not in ("measured", "published", "derived", "assumed")
    ] == []
    assert [row.id for row in models() if not row.source or not row.date] == []


@pytest.mark.parametrize(("name", "expected"), STATED.items())
def test_largest_tensor_is_what_webllm_states(name: str, expected: int) -> None:
    """The embedding in MLC's four bits, counted from the layers, is WebLLM's own figure to the byte; Gemma 4's per-layer table aside."""
    spec = sizeup.read(name)
    assert spec.vocabulary * spec.hidden // 2 == expected
    if name.endswith("gemma-2b-it"):
        assert mlc_packed(spec, "q4f16_1").largest_tensor_bytes == expected


def test_weights_never_exceed_what_webllm_says_they_take() -> None:
    """Bytes derived from the layers are below vram_required_MB of every record, and never below a half of it by format alone."""
    found = [(row.id, row.bytes, row.memory_bytes) for row in models() if row.engine == "webllm" and row.bytes is not None]
    assert len(found) > 140
    assert [row for row in found if row[1] > row[2]] == []


def test_q4f16_of_qwen() -> None:
    """Qwen2.5 0.5B in q4f16_1: 278 MB, as its published parts add up to (about 280 MB)."""
    assert mlc(sizeup.read("Qwen/Qwen2.5-0.5B-Instruct"), "q4f16_1").bytes == 277996288


def test_gguf_sizes_are_those_of_published_files() -> None:
    """Weights counted from the layers are a published GGUF less its header: within 7 MB, and never above it."""
    published = {"LiquidAI/LFM2-350M": "LiquidAI/LFM2-350M-GGUF", "HuggingFaceTB/SmolLM3-3B": "ggml-org/SmolLM3-3B-GGUF"}
    rows = {row.name: row for row in models() if row.engine == "wllama"}
    for name, repository in published.items():
        row = rows[repository]
        header = row.bytes - gguf(sizeup.read(name), row.quant).bytes
        assert 0 < header < 8_000_000, (name, header)


def test_a_ghost_is_a_file_as_it_lies(model: str) -> None:
    """The bytes of a local GGUF are those of the file, to the byte, and called exact."""
    build = gguf(sizeup.read(model))
    assert (build.precision, build.bytes) == ("exact", Path(model).stat().st_size)
    assert build.bytes == build.largest_file_bytes


def test_builds_of_a_model() -> None:
    """Known builds are found by the model's name; where none is known, WebLLM's format is derived and called so."""
    found = {one.engine: one for one in builds(sizeup.read("meta-llama/Llama-3.2-1B-Instruct"), None, engines().values())}
    assert found["webllm"].memory_bytes is not None
    assert "transformers.js" in found
    unknown = {one.engine: one for one in builds(sizeup.read("ibm-granite/granite-3.3-2b-instruct"), None, engines().values())}
    assert (unknown["webllm"].precision, unknown["webllm"].memory_bytes, "transformers.js" in unknown) == ("derived", None, False)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Llama-3.2-1B-Instruct", "onnx-community/Llama-3.2-1B-Instruct-q4f16", "hugging-quants/Llama-3.2-1B-Instruct"), "llama3.2-1b"),
        (("google/gemma-3-1b-it", "gemma3-1b-it-int4-web.task", "onnx-community/gemma-3-1b-it-ONNX"), "gemma3-1b"),
        (("gemma-3-270m-q4_k_m.gguf", "gemma3-270m-it-q4_0-web.task"), "gemma3-270m"),
        (("Qwen/Qwen2.5-0.5B-Instruct-GGUF", "onnx-community/Qwen2.5-0.5B-Instruct-ONNX-GQA"), "qwen2.5-0.5b"),
    ],
)
def test_names_of_one_family(names: tuple[str, ...], expected: str) -> None:
    """Builds of one model are put together whatever their makers call them."""
    assert {family(name) for name in names} == {expected}


def test_nothing_that_may_not_ship() -> None:
    """The source files hold the columns of the facts and no row without a source."""
    for name in ("browser/webllm.csv", "browser/models.csv"):
        rows = list(csv.DictReader(data_bytes(name).decode().splitlines()))
        assert [row for row in rows if not row["source"]] == []
