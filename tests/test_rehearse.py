"""Rehearsals: what runs takes what was predicted, is measured fairly, and is learnt from."""

from __future__ import annotations

import array
import time
from dataclasses import replace
from pathlib import Path

import pytest

import sizeup
from sizeup import paces, store
from sizeup.engines.llamacpp import ENGINE
from sizeup.engines.llamacpp.pace import Pace, spread
from sizeup.errors import Unavailable
from sizeup.ghost.rehearse import rehearse
from sizeup.plan import Measurement
from sizeup.probe import machine
from sizeup.search import fit, make_plan, remember, with_speed
from tests.plans import SMALL, plan_of
from tests.program import Run
from tests.small_model import small_model


@pytest.mark.engine
def test_a_rehearsal_runs_and_takes_what_was_predicted(tmp_path: Path) -> None:
    """Every buffer equals the prediction; speed, load and memory are measured; the resident memory is within 5 %."""
    plan = plan_of()
    heard: list[str] = []
    found = rehearse(plan, prompt_tokens=64, decode_tokens=8, seconds=2, tell=lambda kind, event: heard.append(kind))
    assert {part: gap for part, gap in found.difference_bytes.items() if gap and part != "output"} == {}
    assert (found.level, found.layers_run) == ("rehearsed", 0)
    assert found.prefill_tokens_per_s
    assert found.decode_tokens_per_s
    assert found.load_s
    assert found.repeats >= 1
    assert found.peak_resident_bytes is not None
    assert found.expected_resident_bytes is not None
    assert abs(found.peak_resident_bytes / found.expected_resident_bytes - 1) <= 0.05
    assert {"written", "loaded", "pace", "done"} <= set(heard)


@pytest.mark.engine
def test_a_ghost_takes_the_memory_of_the_real_file() -> None:
    """Gemma 3 270M and its ghost under one measurement: resident memory within 5 %, every buffer the same."""
    plan = fit(str(small_model()), context_tokens=512)[0]
    asked = {"prompt_tokens": 64, "decode_tokens": 8, "seconds": 1.0}
    real, ghost = rehearse(plan, path=plan.model.path, **asked), rehearse(plan, **asked)
    assert real.buffers == ghost.buffers
    assert real.peak_resident_bytes is not None
    assert ghost.peak_resident_bytes is not None
    assert abs(ghost.peak_resident_bytes / real.peak_resident_bytes - 1) <= 0.05


def test_devices_that_are_not_here() -> None:
    """A plan for a GPU is not rehearsed on the processor."""
    with pytest.raises(Unavailable):
        rehearse(make_plan(sizeup.read(SMALL), machine(), ENGINE, "Q4_K_M", ENGINE.Settings(gpu_layers="all")))


def test_pace_throws_the_first_away_and_stops_when_still() -> None:
    """Warm-up is not measured; five equal repeats are enough; every repeat begins with an empty cache."""
    cleared: list[int] = []
    seen: list[int] = []

    def decode(tokens: array.array[int]) -> None:
        seen.append(len(tokens))
        time.sleep(0.002 * len(tokens))

    found = Pace(decode, lambda: cleared.append(1), 1000, 16).run(32, 4, 60, lambda so_far: None)
    assert found["repeats"] >= 5
    assert len(cleared) == found["repeats"] + 1
    assert seen[:4] == [16, 16, 1, 1]


def test_spread() -> None:
    """Half the distance between the quartiles, as a share of the median."""
    assert spread([1.0]) == 0
    assert spread([9.0, 10.0, 11.0]) == pytest.approx(0.05)


def test_what_ran_backs_the_next_answer_and_teaches_the_pace() -> None:
    """A rehearsal of these very settings is the plan's evidence; another size or format learns nothing from it."""
    plan = plan_of()
    found = Measurement(
        "rehearsed", "e", plan.model.name, plan.settings_json(), {"weights": 5}, {"weights": 0}, plan.quant,
        prompt_tokens=64, decode_tokens_per_s=50.0, date="2026-11-21T00:00:00+00:00",
    )  # fmt: skip
    rated = replace(
        plan,
        machine=replace(
            plan.machine,
            pools=tuple(replace(p, bytes_per_s=2e10, bandwidth_source=replace(p.source, kind="measured")) for p in plan.machine.pools),
        ),
    )
    remember(rated, found)
    (evidence,) = store.evidence(plan.model.name, plan.quant, plan.settings_json())
    assert (evidence.level, evidence.decode_tokens_per_s, evidence.difference_bytes) == ("rehearsed", 50.0, {"weights": 0})
    assert store.evidence(plan.model.name, "Q8_0", plan.settings_json()) == ()
    assert rated.machine.cpu is not None
    shallow = with_speed(rated, 64)
    assert shallow.speed.decode is not None
    assert shallow.speed.decode.tokens_per_s == pytest.approx(50.0, rel=0.01)
    assert paces.taught(rated.machine.cpu.name, "Q8_0", 10**8) == ()
    assert paces.taught(rated.machine.cpu.name, plan.quant, 10**11) == ()


def test_a_damaged_lesson_teaches_nothing() -> None:
    """Whatever stands in the file, an answer comes."""
    from sizeup.home import data_dir

    for content in (b"", b"[1, {}, null]", b"{", b'[{"cpu": "x", "quant": "q", "moved_bytes": -1, "share": 1.0}]'):
        (data_dir() / paces.FILE).write_bytes(content)
        paces._lessons.cache_clear()
        assert paces.taught("x", "q", 1) == ()


@pytest.mark.engine
def test_the_verb(sizeup: Run) -> None:
    """The table, the speeds with their spread, several mixes side by side, and mistakes in words."""
    said = sizeup(
        "rehearse", "smollm2:135m", "--quant", "Q8_0", "--seconds", "1", "--prompt-tokens", "32", "--decode-tokens", "4", "--context", "512"
    )
    assert (said.code, said.err) == (0, "")
    assert "made-up weights" in said.out
    assert "tok/s" in said.out
    both = sizeup(
        "rehearse", SMALL, "--compare", "Q4_0,Q8_0", "--seconds", "1", "--prompt-tokens", "32", "--decode-tokens", "4", "--context", "512"
    )
    assert [line.split()[0] for line in both.out.splitlines() if line.strip().startswith("Q")] == ["Q4_0", "Q8_0"]
    assert sizeup("rehearse", SMALL, "--prompt-tokens", "0").code == 2
    small = sizeup("rehearse", SMALL, "--max-disk", "1MiB")
    assert (small.code, small.err.splitlines()[1].startswith("Try: ")) == (5, True)
