"""The rows of measured quality that may ship, each with its source, date and grade.

Left out, with the reason: LMArena (redistribution unclear upstream), Open LLM Leaderboard v2 and LiveBench (licence of the upstream
data not checked). Free text of the sources is kept to what identifies a row.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import lzma
from pathlib import Path

from sizeup.readers.catalogue_data import index

DATA = Path(__file__).resolve().parents[2] / "src" / "sizeup" / "data" / "quality"
HERE = Path(__file__).parent
MIXED = ("QwQ-32B + Qwen 2.5 Coder Instruct", "DeepSeek R1 + claude-3-5-sonnet-20241022", "o3 (high) + gpt-4.1")
"""Rows of two models at once."""
WITHHELD = ("LMArena", "OLLBv2", "LiveBench global average")
"""Beginnings of benchmark names whose rows must not be shipped."""
SCORES = [
    "model",
    "catalogue",
    "hf_id",
    "organization",
    "params_B",
    "open_weights",
    "license",
    "release_date",
    "benchmark",
    "score",
    "scale",
    "method",
    "self_reported",
    "quality",
    "source",
    "date",
]
LOSSES = [
    "model",
    "quant_type",
    "method_family",
    "bits_per_weight",
    "imatrix",
    "metric",
    "value",
    "uncertainty",
    "baseline_value",
    "kv_cache_type",
    "corpus_or_benchmark",
    "quality",
    "source",
    "date",
]
ATTRIBUTION = {
    "benchmarks.csv.xz": [
        {
            "source": "JonathanChavezTamales/llm-leaderboard (scores as published by vendors and a few checked by others)",
            "licence": "CC-BY-4.0",
        },
        {"source": "Aider-AI/aider, website/_data (measured by Aider)", "licence": "Apache-2.0"},
    ],
    "losses.csv": [
        {
            "source": "ggml-org/llama.cpp, tools/perplexity and tools/quantize, pull requests 1684 and 7412",
            "licence": "quoted from public pages",
        },
        {"source": "Aider-AI/aider, website/_data/quant.yml", "licence": "Apache-2.0"},
        {"source": "kvcache-ai/ktransformers, doc/en/benchmark.md", "licence": "quoted from a public page"},
        {"source": "gianlucamazza/xllama, ure.us, arXiv:2601.09555: single figures", "licence": "quoted from public pages"},
    ],
}


def build(folder: Path) -> None:
    """Write the two tables and their attribution from `model_quality.csv` and `quant_quality.csv` in `folder`."""
    DATA.mkdir(exist_ok=True)
    scores = [
        {**row, "catalogue": catalogue_id(row["model"], row["hf_id"])}
        for row in _read(folder / "model_quality.csv")
        if not row["benchmark"].startswith(WITHHELD) and row["model"] not in MIXED
    ]
    (DATA / "benchmarks.csv.xz").write_bytes(lzma.compress(_text(scores, SCORES).encode(), preset=9))
    losses = [row for row in _read(folder / "quant_quality.csv") if not row["metric"].startswith("bits per weight")]
    (DATA / "losses.csv").write_text(_text(losses, LOSSES))
    (DATA / "ATTRIBUTION.json").write_text(json.dumps(ATTRIBUTION, indent=1) + "\n")
    print(f"{len(scores)} scores, {len(losses)} losses")


def catalogue_id(name: str, hub_id: str) -> str:
    """The catalogue's id of the model that a row speaks of; "" when it is not there."""
    return _by_lower().get(_names().get(name, hub_id).lower(), "")


@functools.cache
def _by_lower() -> dict[str, str]:
    return {id.lower(): id for id in index().ids}


@functools.cache
def _names() -> dict[str, str]:
    """Row name -> catalogue id, where the row's own id is missing or another's."""
    return {line["row"]: line["catalogue"] for line in _read(HERE / "names.csv")}


def scores() -> list[dict[str, str]]:
    """The shipped rows of benchmarks."""
    return list(csv.DictReader(io.StringIO(lzma.decompress((DATA / "benchmarks.csv.xz").read_bytes()).decode())))


def losses() -> list[dict[str, str]]:
    """The shipped rows of what quantising costs."""
    return _read(DATA / "losses.csv")


def _read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def _text(rows: list[dict[str, str]], columns: list[str]) -> str:
    page = io.StringIO()
    writer = csv.DictWriter(page, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    # D rows are never shipped, C rows only labelled: the grade travels in the row.
    writer.writerows({**row, "source": row["source"].strip()} for row in rows if row["quality"] != "D")
    return page.getvalue()
