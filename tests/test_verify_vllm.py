"""sizeup verify on vLLM's logs, part by part: the runs of tests/data/serving_memory.csv as the server prints them, and the pasted ones."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from pathlib import Path

import pytest

from sizeup import probe
from sizeup.verification import Compared, verify
from tests.serving import GIB, rows

DOCS = Path(__file__).parents[1] / "docs" / "verify.md"
LOGS = Path(__file__).parent / "data" / "logs"
RUNS = [row for row in rows("serving_memory.csv") if row["version"] == "0.19.0" and row["activation_GiB"] and row["cudagraph_GiB"]]
PARTS = {"weights": "weights", "activations": "working space", "compute": "CUDA graphs", "overhead": "outside of PyTorch"}
"""Part -> what the page calls it."""


def log(row: dict[str, str]) -> bytes:
    """A run's figures in the shapes of vLLM 0.19's lines; on several stages only the first rank's are known."""
    dtype, _, quantisation = row["dtype_quant"].partition("/")
    said = (
        f"model='{row['model']}', dtype='{dtype}', quantization='{quantisation or None}', max_model_len={row['max_model_len']}, "
        f"tensor_parallel_size={row['tp']}, pipeline_parallel_size={row['pp']}, kv_cache_dtype='{row['kv_dtype']}'"
    )
    return (
        f"INFO 04-10 10:00:00 [api_server.py:1000] vLLM API server version {row['version']}\n"
        f"INFO 04-10 10:00:01 [api_server.py:1001] args: Namespace({said})\n"
        "DEBUG 04-10 10:00:30 [gpu_worker.py:484] Free memory on device (78.68/79.19 GiB) on startup. Desired GPU memory utilization is "
        f"(0.95, 75.23 GiB). Actual usage is {row['reported_weights_GiB']} GiB for weight, {row['activation_GiB']} GiB for peak activation, "
        f"{row['non_torch_GiB']} GiB for non-torch memory, and {row['cudagraph_GiB']} GiB for CUDAGraph memory.\n"
        f"INFO 04-10 10:00:31 [core.py:100] # GPU blocks: {row['num_blocks']}, # CPU blocks: 0\n"
    ).encode()


@pytest.fixture(scope="module")
def compared() -> dict[str, list[Compared]]:
    """Part -> its comparisons in every run whose model the catalogue has."""
    found: dict[str, list[Compared]] = defaultdict(list)
    for row in RUNS:
        cards = int(row["tp"]) * int(row["pp"])
        (one,) = verify(log(row), on=probe.machine(f"{cards}x h100" if cards > 1 else "h100"), keep=False)
        for part in one.rows:
            if part.predicted_bytes is not None:
                found[part.part].append(part)
    return found


def error_row(part: str, found: list[Compared]) -> str:
    """A line of the page's table."""
    errors = [abs(one.difference_bytes or 0) / GIB for one in found]
    counts = [sum(one.verdict == verdict for one in found) for verdict in ("equal", "band", "differs")]
    cells = [PARTS[part], len(found), *counts, f"{statistics.mean(errors):.2f} GiB", f"{max(errors):.2f} GiB"]
    return "| " + " | ".join(map(str, cells)) + " |"


@pytest.mark.parametrize("part", PARTS)
def test_the_table_of_the_page(compared: dict[str, list[Compared]], part: str) -> None:
    """docs/verify.md has the errors of every part as they are found."""
    assert error_row(part, compared[part]) in DOCS.read_text().splitlines()


def test_runs_that_are_read_only() -> None:
    """Runs without a prediction are those of checkpoints that the catalogue does not have."""
    unknown = {row["model"].partition("/")[0].lower() for row in RUNS if verify(log(row), keep=False)[0].model is None}
    assert unknown == {"redhatai"}


def test_the_machine_is_asked_for_where_the_log_does_not_show_it() -> None:
    """Graphs are predicted only where the card is known: by its name in the log, or by --on."""
    raw = (LOGS / "vllm-2026-0.19.0-llama.txt").read_bytes()
    (alone,), (placed,) = verify(raw, keep=False), verify(raw, on=probe.machine("h100"), keep=False)
    assert {one.part: one.verdict for one in alone.rows}["compute"] == "unpredicted"
    assert {one.part: one.verdict for one in placed.rows}["compute"] == "band"
    (told,) = verify(raw + b"GPU 0: NVIDIA H100 80GB HBM3\ntotal_gpu_memory (79.19GiB)\n", keep=False)
    assert {one.part: one.verdict for one in told.rows}["compute"] == "band"


def test_a_release_decides_the_working_space() -> None:
    """The same lines of 0.16 and 0.19 are not predicted alike; without a version nothing beside weights and cache is."""
    row = next(row for row in RUNS if row["model"] == "Qwen/Qwen3-8B")
    raw, on = log(row), probe.machine("h100")
    older = raw.replace(b"version 0.19.0", b"version 0.16.0")
    nameless = re.sub(rb".*API server version.*\n", b"", raw)
    found = [{one.part: one for one in verify(text, on=on, keep=False)[0].rows} for text in (raw, older, nameless)]
    assert [one["activations"].verdict for one in found] == ["equal", "differs", "unpredicted"]
    assert {one["weights"].verdict for one in found} == {"equal"}


def test_a_release_before_the_first_known_is_told() -> None:
    """0.6.5 is read, and the reason why nothing is predicted is a sentence."""
    row = next(row for row in RUNS if row["model"] == "Qwen/Qwen3-8B")
    (found,) = verify(log(row).replace(b"version 0.19.0", b"version 0.6.5"), keep=False)
    assert (found.verdict, found.why) == ("read", "vLLM 0.6.5 is older than the releases that sizeup knows.")


PASTED = {
    "vllm-2024-12-0.6.5-list": "no version",
    "vllm-2026-0.19.0-llama": "no card",
}
"""Pasted logs whose model the catalogue has -> what working space, graphs and the rest lack there."""


def test_pasted_logs() -> None:
    """Of the pasted logs these name a model that is known; each part that is predicted is explained."""
    known = {}
    for path in sorted(LOGS.glob("vllm-*.txt")):
        for one in verify(path.read_bytes(), keep=False):
            if one.model is not None:
                known[path.stem] = {row.part: row.verdict for row in one.rows}
    assert {name for name in known if known[name]} == set(PASTED)
    assert [name for name, parts in known.items() if "differs" in parts.values()] == []
