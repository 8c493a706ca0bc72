"""Scores of models: rows speak first and say whose they are, what nobody measured is estimated and says so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.quality import rows

import sizeup
from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.figure import leaf, plain
from sizeup.quality import damped, kept, points, quality, score_of, tasks
from sizeup.quality_rows import results, speaks_for
from sizeup.shortlist import listed
from sizeup.traits import Traits, of_row, released, thinks

FACTS = data_json("quality/scores.json")
KNOWN = sorted(FACTS["models"])


def made_up(**changes: object) -> Traits:
    """A model of a maker that nobody reports on."""
    base = Traits("nobody", "", 8_000_000_000, 8_000_000_000, 0.5, "2025-07", "name", False, False, False)
    return base._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("task", ["chat", "code", "reasoning", "translate", "vision"])
@pytest.mark.parametrize("id", KNOWN[::9])
def test_a_score_lies_in_its_interval_and_says_what_it_rests_on(id, task):
    """Whatever the model and the task: 0 <= lower <= value <= upper <= 100, and rows are counted only of what was reported."""
    score = quality(sizeup.read(id), task)
    assert 0 <= score.lower <= score.value <= score.upper <= 100
    assert (score.basis == "estimated") == (score.rows == 0)
    if score.rows:
        spoken = [row for row in results(id) if row.task in (task, "general")]
        assert score.rows <= len(spoken)
        assert (score.basis == "self_reported") <= all(row.self_reported for row in spoken if row.task == score.task)


def test_a_task_without_benchmarks_has_no_score_of_its_own():
    """Translating, summarising, answering from documents, embedding and Chinese: the general score, labelled."""
    model = sizeup.read("Qwen/Qwen3-32B")
    silent = [task for task in tasks() if not data_json("quality/tasks.json")["tasks"][task]["benchmarks"]]
    assert silent == ["translate", "summarise", "rag", "embedding", "chinese"]
    for task in silent:
        assert quality(model, task).task == "general"
        assert quality(model, task) == quality(model, "translate")


def test_rows_of_others_beat_a_makers_own():
    """Aider ran Qwen2.5-Coder 32B: its code score is measured; where only the maker reports it is marked and wider."""
    measured = quality(sizeup.read("Qwen/Qwen2.5-Coder-32B-Instruct"), "code")
    reported = quality(sizeup.read("Qwen/Qwen3-30B-A3B"), "code")
    assert (measured.basis, reported.basis) == ("measured", "self_reported")
    assert measured.upper - measured.lower < reported.upper - reported.lower


def test_what_nobody_measured_is_estimated_and_wider():
    """A model without rows has a score from maker, family, size and date, with a wider interval than any model with rows."""
    estimated = quality(sizeup.read("Qwen/Qwen3.8-27B"), "chat")
    known = quality(sizeup.read("Qwen/Qwen3-32B"), "chat")
    assert estimated.basis == "estimated"
    assert estimated.upper - estimated.lower > known.upper - known.lower


@given(st.integers(100_000_000, 500_000_000_000), st.integers(1, 16), st.floats(-2, 2), st.floats(0.01, 1))
def test_estimates_follow_size_and_date(parameters, idle, since, later):
    """Of two estimated models alike in all else, the larger, the newer and the one trained to answer are worth at least as much."""
    one = made_up(parameters=parameters * idle, active=parameters, years=since)
    value = score_of(one, "nobody/one", "chat").value
    assert score_of(one._replace(parameters=2 * parameters * idle, active=2 * parameters), "", "chat").value >= value
    assert score_of(one._replace(years=since + later), "", "chat").value >= value
    assert score_of(one._replace(base=True), "", "chat").value <= value


@given(st.floats(-3, 5), st.floats(0, 3))
def test_progress_is_damped_beyond_the_last_rows(years, later):
    """Later is never earlier; beyond the rows a year counts for less than a year."""
    assumed = data_json("quality/estimates.json")
    assert damped(years, assumed) <= damped(years + later, assumed) <= damped(years, assumed) + later + 1e-9


def test_quantising_takes_its_share_of_a_score():
    """The score in a mix is the score times what the mix keeps, and so are its ends."""
    model = sizeup.read("Qwen/Qwen3-32B")
    whole, left, share = quality(model, "code"), quality(model, "code", "Q2_K", "q8_0", "q8_0"), kept(model, "Q2_K", "q8_0", "q8_0")
    assert left.value == pytest.approx(whole.value * share.share)
    assert left.lower == pytest.approx(whole.lower * share.lower)


def test_a_task_that_does_not_exist_is_refused():
    """A slip gets the nearest task, not a default."""
    with pytest.raises(UserError) as error:
        quality(sizeup.read("Qwen/Qwen3-32B"), "coding")
    assert error.value.hint == "code"


def test_every_benchmark_of_a_row_has_a_task():
    """No row speaks for nothing: each benchmark stands in data/quality/tasks.json, or is knowledge that any task needs."""
    table = data_json("quality/tasks.json")
    named = {name for task in table["tasks"].values() for name in task["benchmarks"]} | set(table["general"]) | {"MMMLU"}
    assert {row["benchmark"] for row in rows.scores()} <= named
    assert speaks_for("HumanEval") == "code"


def test_every_row_behind_a_score_names_its_source():
    """What --why shows of a model has a page, a date and a grade."""
    for id in KNOWN:
        for row in results(id):
            assert row.source.where
            assert re.match(r"20\d\d", row.source.date)
            assert row.grade in ("A", "B")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "mistralai/Mistral-Small-24B-Instruct-2501", "hf_created": "2025-12-29"}, ("2025-01", "name")),
        ({"id": "a/b", "hf_created": "2025-12-29T01:02", "release_date": "2025-11-01"}, ("2025-11-01", "vendor")),
        ({"id": "a/b-3199"}, ("", "")),
    ],
)
def test_the_earliest_date_counts(row, expected):
    """A repository may be made again: the earliest of vendor, name and repository is when a model came out."""
    assert released(row) == expected


def test_a_tuned_model_is_as_old_as_what_it_was_made_of():
    """A model with exactly the weights of a foundation's model dates from that one's day."""
    tuned = [row.facts for row in listed() if row.facts["made_of"]]
    assert len(tuned) > 50
    by_id = {row.id: row for row in listed()}
    for facts in tuned:
        origin = by_id.get(facts["made_of"])
        if origin is not None and origin.facts["date"]:
            assert of_row(facts, 1, 1).years <= of_row({**facts, "made_of": ""}, 1, 1).years if facts["date"] else True


@pytest.mark.parametrize(
    ("id", "family", "date", "expected"),
    [("Qwen/QwQ-32B", "QwQ", "2025-03", True), ("a/b-Instruct", "Qwen3", "2026-01", False), ("a/b", "", "2024-01", False), ("a/b", "", "2026-01", True)],
)  # fmt: skip
def test_who_thinks(id, family, date, expected):
    """By name, family or age; an instruct word says that it does not."""
    assert thinks(id, family, date) is expected


@given(st.floats(-4, 4))
def test_number_equals_figure_equals_column(ability):
    """The formula gives the same for plain numbers, figures and columns."""
    numbers = (ability, 0.9, 0.7)
    expected = points(*numbers)
    assert plain(points(*(leaf(str(i), n) for i, n in enumerate(numbers)))) == pytest.approx(expected)
    assert points(*(numpy.array([n]) for n in numbers)).tolist() == pytest.approx([expected])


@pytest.mark.full
def test_the_fit_is_what_the_rows_give():
    """scores.json is generated: the tool makes the same from the shipped rows, to the third digit."""
    from tools.quality import scores

    found = json.loads(json.dumps(scores.fitted(errors=False)))
    for id, told in FACTS["models"].items():
        for task, (mean, *_) in told.items():
            assert found["models"][id][task][0] == pytest.approx(mean, abs=0.01)


def test_attribution_ships_with_the_rows():
    """Every file of rows names whose they are and under which terms."""
    table = json.loads((Path(rows.DATA) / "ATTRIBUTION.json").read_text())
    assert set(table) == {"benchmarks.csv.xz", "losses.csv"}
    assert all(entry["source"] and entry["licence"] for entries in table.values() for entry in entries)
