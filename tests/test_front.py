"""`fit --front`: every way that no other beats, told in three languages and as JSON."""

from __future__ import annotations

import json

import pytest

from sizeup.errors import DOES_NOT_FIT
from sizeup.page import cells
from tests.program import Run

ASKED = ("fit", "Qwen/Qwen3-0.6B", "--on", "rtx-3060-12gb", "--context", "4096", "--front")


def test_no_way_of_the_front_is_beaten(sizeup: Run) -> None:
    """None is at least as good as another in quality, pace, wait, context and room and better in one of them."""
    done = sizeup(*ASKED, "--json")
    assert done.code == 0
    rows = json.loads(done.out)["front"]
    assert len(rows) > 3
    goals = [(r["quality_kept"], r["tokens_per_s"], -r["first_token_s"], r["context_tokens_each"], r["room_bytes"]) for r in rows]
    assert not any(all(a >= b for a, b in zip(one, other, strict=True)) and one != other for one in goals for other in goals)
    assert all(row["fits"] for row in rows)


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_the_front_on_a_narrow_page(sizeup: Run, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row a way within 80 cells, and how many there are."""
    monkeypatch.setenv("COLUMNS", "80")
    done = sizeup(*ASKED, "--lang", language)
    assert done.code == 0
    assert max(cells(line) for line in done.out.splitlines()) <= 80
    assert "4,096" in done.out
    assert "front." not in done.out


def test_nothing_fits(sizeup: Run) -> None:
    """An empty front is an answer: exit 3."""
    assert sizeup("fit", "deepseek-ai/DeepSeek-V3", "--on", "raspberry-pi-5-8gb", "--front", "--context", "4096").code == DOES_NOT_FIT
