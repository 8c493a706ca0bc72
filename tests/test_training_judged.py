"""Training memory against traced steps of further families, at their smallest catalogue model (`python -m tools.trace_families`)."""

from __future__ import annotations

import csv
from pathlib import Path

import sizeup
from sizeup.training.answer import Training

ROOT = Path(__file__).parents[1]
JUDGED = list(csv.DictReader((Path(__file__).parent / "data" / "train_judged.csv").read_text().splitlines()))


def trained(row: dict[str, str]) -> Training:
    """The answer to what a row ran."""
    return sizeup.train(
        str(ROOT / row["model"]) if row["model"].endswith(".json") else row["model"],
        method=row["method"],
        dtype=row["dtype"],
        micro_batch=int(row["batch"]),
        sequence_tokens=int(row["sequence"]),
        checkpointing=row["checkpointing"] == "1",
        kbit_prep=row["kbit_prep"] == "1",
        tower=row["tower"],
    )


def judged_errors() -> list[tuple[dict[str, str], float]]:
    """Every row with the relative error of its peak, kernels' own memory included."""
    return [(row, trained(row).peak_bytes / int(row["peak_bytes"]) - 1) for row in JUDGED]


def test_further_families_are_met_within_one_percent() -> None:
    """At least thirty families outside the other tables, four steps each."""
    errors = sorted(abs(error) for _, error in judged_errors())
    print(f"judged {len(errors):4} rows  median {errors[len(errors) // 2]:.4%}  worst {errors[-1]:.4%}")
    assert len({row["type"] for row in JUDGED}) >= 30
    assert errors[-1] <= 0.01
    assert errors[len(errors) // 2] <= 0.0005
