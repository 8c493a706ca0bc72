"""The tables that guides print say what the accounting says, for any mix and context."""

from __future__ import annotations

import csv
import io
import json

import pytest

from sizeup import account
from sizeup.facts import data_json
from sizeup.guide_tables import tiers, weights
from sizeup.readers import read
from tests.program import Run


def test_sizes_are_those_of_the_accounting(sizeup: Run) -> None:
    """Weights are the sum of all tensors, memory what the engine's accounting asks for; both grow with the size that a row stands for."""
    rows = json.loads(sizeup("table", "sizes", "--format", "json", "--quant", "Q6_K", "--context", "4096").out)["sizes"]
    assert [row["size"] for row in rows] == [row["class"] for row in data_json("guide_tables.json")["sizes"]]
    for row in rows:
        spec = read(row["model"])
        needed = account(spec, quant="Q6_K", context_tokens=4096, repack=False)
        assert row["quant_bytes"] == weights(spec, "Q6_K")
        assert row["needed_bytes"] == sum(needed.needed_bytes(pool) for pool in needed.by_pool())
        assert row["quant_bytes"] < row["q8_0_bytes"] < row["f16_bytes"]
    by_parameters = sorted(rows, key=lambda row: row["parameters"])
    assert [row["f16_bytes"] for row in by_parameters] == sorted(row["f16_bytes"] for row in rows)


def test_the_largest_runs_at_a_reading_pace() -> None:
    """What a tier is said to run fits it and writes no slower than one reads; more memory of one kind never runs less."""
    found = {tier.name: tier for tier in tiers()}
    order = [row["class"] for row in data_json("guide_tables.json")["sizes"]]
    for tier in found.values():
        if tier.plan is not None:
            assert tier.plan.fits
            assert tier.plan.speed.decode is not None
            assert tier.plan.speed.decode.tokens_per_s >= data_json("paces.json")["reading_tokens_per_s"]
    macs = [order.index(found[f"mac_{size}"].size) for size in (8, 16, 32, 64, 128, 512)]
    assert macs == sorted(macs)


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_every_form_has_every_row(sizeup: Run, language: str) -> None:
    """Terminal, Markdown and CSV hold a line for each tier."""
    rows = len(data_json("guide_tables.json")["machines"])
    written = sizeup("table", "machines", "--format", "csv", "--lang", language).out
    assert len(list(csv.reader(io.StringIO(written)))) == rows + 1
    assert sizeup("table", "machines", "--format", "markdown", "--lang", language).out.count("\n| ") == rows + 2
    assert all(len(line) <= 80 for line in sizeup("table", "machines", "--lang", language).out.splitlines())


@pytest.mark.parametrize("arguments", [["prices"], ["sizes", "--context", "0"], ["sizes", "--quant", "Q99"], ["sizes", "--format", "xml"]])
def test_tables_that_are_none(sizeup: Run, arguments: list[str]) -> None:
    """One sentence and a way out."""
    told = sizeup("table", *arguments)
    assert told.code in (2, 4)
    assert "Try" in told.err
