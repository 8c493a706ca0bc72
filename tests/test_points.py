"""Rehearsals at depths and batch sizes, cold loads, energy: what is measured, what is refused, what is never lost."""

from __future__ import annotations

import array
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sizeup import paces, read, store
from sizeup.engines.llamacpp import ENGINE
from sizeup.engines.llamacpp.points import Points
from sizeup.errors import UserError
from sizeup.ghost import cold
from sizeup.ghost.depths import check, needed_context
from sizeup.ghost.extrapolate import extrapolated, fastest
from sizeup.ghost.rehearse import rehearse
from sizeup.ghost.thin import rounds, thinned
from sizeup.home import data_dir
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import Page, cells
from sizeup.plan import Measurement, Plan
from sizeup.points import Point, made
from sizeup.probe import machine
from sizeup.probe.energy import Meter
from sizeup.render import measurement
from sizeup.search import fit, make_plan, remember
from tests.program import Run

SMALL = "HuggingFaceTB/SmolLM2-135M"


def plan_of(name: str = SMALL, context: int = 1024, **settings: object) -> Plan:
    return fit(name, quant="Q4_K_M", context_tokens=context, **settings)[0]


def found_with(points: tuple[Point, ...], **more: Any) -> Measurement:
    return Measurement("rehearsed", "e", SMALL, {}, {}, points=points, **more)


class Imagined:
    """Sequences that only count; a token takes so long."""

    def __init__(self, token_s: float) -> None:
        self.lengths: list[int] = [0]
        self.token_s = token_s
        self.steps: list[tuple[int, int]] = []

    def length(self, sequence: int = 0) -> int:
        return self.lengths[0]

    def back(self, depth: int, count: int = 1) -> None:
        self.lengths = [depth] * count

    def fill(self, depth: int, sequence: int = 0, go_on: Any = None) -> bool:
        while self.lengths[0] < depth:
            if not go_on(self.lengths[0]):
                return False
            time.sleep(64 * self.token_s)
            self.lengths[0] = min(depth, self.lengths[0] + 64)
        return True

    def prompt(self, tokens: array.array[int]) -> int:
        time.sleep(len(tokens) * self.token_s)
        return len(tokens)

    def step(self, tokens: array.array[int]) -> None:
        assert len(tokens) == len(self.lengths)
        self.steps.append((self.lengths[0], len(tokens)))
        time.sleep(self.token_s)


def points(inside: Imagined, seconds: float, depths: list[int], batches: list[int]) -> list[dict[str, Any]]:
    asked = {"depths": depths, "batches": batches, "seconds": seconds, "prompt_tokens": 16, "decode_tokens": 4, "vocabulary": 100}
    return Points(inside, asked, Meter(Path("/nowhere")), lambda *a, **k: None, lambda: None).run()  # type: ignore[arg-type]


def test_every_point_is_measured_after_a_warm_up() -> None:
    """Each depth has one prefill, each depth and batch a decode; every decode begins at its depth, the first go is thrown away."""
    inside = Imagined(0.0005)
    rows = points(inside, 60, [256, 0], [4, 1])
    assert [(row["depth_tokens"], row["sequences"]) for row in rows] == [(0, 1), (0, 4), (256, 1), (256, 4)]
    assert ["prefill_tokens_per_s" in row for row in rows] == [True, False, True, False]
    assert all(row["decode_tokens_per_s"] > 0 for row in rows)
    assert set(inside.steps) == {(0, 1), (0, 4), (256, 1), (256, 4)}
    assert len([step for step in inside.steps if step == (256, 4)]) == 2 + 4 * rows[3]["decode_repeats"]


def test_points_that_time_does_not_reach_stay_as_rows() -> None:
    """A depth that cannot be filled in time has its rows, without rates; what was before it is measured."""
    rows = made(points(Imagined(0.001), 0.4, [0, 100_000], [1, 2]))
    assert [(point.depth_tokens, point.sequences, point.reached) for point in rows] == [
        (0, 1, True), (0, 2, True), (100_000, 1, False), (100_000, 2, False),
    ]  # fmt: skip


def test_points_beyond_the_plan_are_refused() -> None:
    """Depth plus what follows must fit the share of one sequence; a batch needs as many sequences; nothing is negative."""
    after: dict[str, Any] = {"prompt_tokens": 256, "decode_tokens": 32}
    plan = plan_of(context=2048, sequences=2)
    check(plan, {**after, "depths": [0, 768], "batches": [1, 2]})
    with pytest.raises(UserError, match="holds 1024 tokens of each sequence") as caught:
        check(plan, {**after, "depths": [769], "batches": [1]})
    assert caught.value.hint == f"--context {needed_context([769], [2], 256, 32)}"
    check(plan_of(context=needed_context([769], [2], 256, 32), sequences=2), {**after, "depths": [769], "batches": [2]})
    with pytest.raises(UserError, match="A batch of 4 needs"):
        check(plan, {**after, "depths": [0], "batches": [4]})
    for wrong in ({"depths": [-1], "batches": [1]}, {"depths": [0], "batches": [0]}):
        with pytest.raises(UserError):
            check(plan, {**after, **wrong})
    shared = plan_of(context=2048, sequences=2, unified_cache=True)
    check(shared, {**after, "depths": [1792], "batches": [1]})
    with pytest.raises(UserError):
        check(shared, {**after, "depths": [1792], "batches": [2]})


@pytest.mark.engine
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        (SMALL, {}),
        (SMALL, {"unified_cache": True}),
        ("google/gemma-3-270m-it", {}),
        ("state-spaces/mamba-130m-hf", {}),
    ],
)
def test_the_engine_at_depths_and_batches(name: str, settings: dict[str, object]) -> None:
    """Ordinary, shared, sliding-window and recurrent caches: every point is reached, and buffers are as predicted."""
    spec = read(name)
    few = thinned(spec, sum(rounds(spec)))
    given = ENGINE.on(ENGINE.Settings(context_tokens=2048, sequences=2, **settings), machine(), ())
    plan = make_plan(few, machine(), ENGINE, "Q8_0", given)
    found = rehearse(plan, prompt_tokens=16, decode_tokens=2, seconds=30, depths=[0, 600], batches=[1, 2])
    assert [(point.depth_tokens, point.sequences, point.reached) for point in found.points] == [
        (0, 1, True), (0, 2, True), (600, 1, True), (600, 2, True),
    ]  # fmt: skip
    assert found.decode_tokens_per_s == found.points[0].decode_tokens_per_s
    assert found.buffers["cache"] == plan.breakdown.as_reported()["cache"]
    assert found.peaks["ram"]["anonymous"] >= found.buffers["cache"]
    assert (found.load_cold_s is None) == (found.load_cold_note == "kept")


def test_a_file_is_dropped_from_the_cache_or_said_to_stay(tmp_path: Path) -> None:
    """After dropping next to nothing is cached, and reading brings it back; where the system cannot, that is told."""
    path = tmp_path / "ghost"
    path.write_bytes(os.urandom(1 << 20))
    dropped = cold.drop(str(path))
    with path.open("rb+") as file:
        share = cold.cached(file.fileno())
        if not dropped:
            pytest.skip("this disk keeps its files in memory")
        assert share is not None
        assert share <= cold.KEPT
        assert len(file.read()) == 1 << 20
        assert cold.cached(file.fileno()) == 1.0
    assert not cold.drop(str(tmp_path / "missing"))


def zone(root: Path, folder: str, name: str, energy: int, largest: int = 1000) -> Path:
    where = root / "sys/class/powercap" / folder
    where.mkdir(parents=True)
    (where / "name").write_text(f"{name}\n")
    (where / "energy_uj").write_text(f"{energy}\n")
    (where / "max_energy_range_uj").write_text(f"{largest}\n")
    return where / "energy_uj"


def test_energy_counters_are_counted_once_and_over_their_end(tmp_path: Path) -> None:
    """Packages and their memory; not cores (inside), psys (around), mmio (twice). A counter that began again goes on."""
    package = zone(tmp_path, "intel-rapl:0", "package-0", 900)
    dram = zone(tmp_path, "intel-rapl:0:2", "dram", 10)
    zone(tmp_path, "intel-rapl:0:0", "core", 5)
    zone(tmp_path, "intel-rapl:1", "psys", 5)
    zone(tmp_path, "intel-rapl-mmio:0", "package-0", 5)
    meter = Meter(tmp_path)
    assert (meter.note, meter.names) == ("read", ("package-0", "dram"))
    before = meter.read()
    package.write_text("100\n")
    dram.write_text("30\n")
    assert meter.joules(before, meter.read()) == pytest.approx(220e-6)
    dram.write_text("nonsense\n")
    assert meter.read() is None
    assert meter.joules(before, None) is None


def test_energy_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No counters is one thing, counters for administrators another; neither is zero joules."""
    assert Meter(tmp_path).note == "none"
    zone(tmp_path, "intel-rapl:0", "package-0", 1)

    def refuse(path: Path) -> int:
        raise PermissionError(path)

    monkeypatch.setattr("sizeup.probe.energy._number", refuse)
    meter = Meter(tmp_path)
    assert (meter.note, meter.names) == ("denied", ())
    assert meter.joules(meter.read(), meter.read()) is None


def test_cards_count_their_energy(tmp_path: Path) -> None:
    """NVML tells millijoules; a card without a counter is left out."""

    class Nvml:
        spent = 1000

        def nvmlDeviceGetCount(self) -> int:
            return 1

        def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
            return index

        def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
            self.spent += 500
            return self.spent

    meter = Meter(tmp_path, Nvml())
    assert meter.names == ("gpu-0",)
    assert meter.joules(meter.read(), meter.read()) == pytest.approx(0.5)
    assert Meter(tmp_path, object()).note == "none"


def test_the_store_keeps_points_and_still_reads_old_rows() -> None:
    """What was kept comes back equal; a row of before there were points has none."""
    found = found_with((Point(0, 1, 100.0), Point(512, 4)), load_cold_s=2.0, peaks={"ram": {"file": 5}}, energy_counters=("package-0",))
    store.keep(found, {})
    assert store.measurements(SMALL)[0] == found
    import sqlite3

    connection = sqlite3.connect(data_dir() / "sizeup.db")
    old = {"level": "rehearsed", "engine": "e", "model": SMALL, "settings": {}, "buffers": {}, "load_s": 1.0}
    with connection:
        connection.execute("UPDATE measurement SET content = ?", (json.dumps(old),))
    connection.close()
    assert (store.measurements(SMALL)[0].points, store.measurements(SMALL)[0].load_s) == ((), 1.0)


def test_points_teach_each_at_its_depth() -> None:
    """A lesson for every depth that was reached by one sequence; several together teach nothing of one."""
    plan = plan_of(context=4096, sequences=4)
    pools = tuple(replace(p, bytes_per_s=2e10, bandwidth_source=replace(p.source, kind="measured")) for p in plan.machine.pools)
    rated = replace(plan, machine=replace(plan.machine, pools=pools))
    rows = (
        Point(0, 1, 500.0, decode_tokens_per_s=50.0), Point(0, 4, decode_tokens_per_s=120.0),
        Point(512, 1, decode_tokens_per_s=50.0), Point(768, 1),
    )  # fmt: skip
    assert rated.machine.cpu is not None
    before = len(paces.lessons())
    remember(rated, replace(found_with(rows, decode_tokens_per_s=50.0), quant=plan.quant))
    new = paces.lessons()[before:]
    assert [(lesson.depth_tokens, lesson.sequences, lesson.model) for lesson in new] == [(0, 1, plan.model.name), (512, 1, plan.model.name)]
    # At the same rate the deeper one read more.
    assert new[1].moved_bytes > new[0].moved_bytes
    cpu = rated.machine.cpu.name
    assert new[0] in paces.taught(cpu, plan.quant, new[0].moved_bytes)
    paces.learn(cpu, 0.123, "m", plan.quant, new[0].moved_bytes, "2026-11-21", 0, 4)
    assert 0.123 not in [lesson.share for lesson in paces.taught(cpu, plan.quant, new[0].moved_bytes)]
    assert [lesson.share for lesson in paces.taught(cpu, plan.quant, new[0].moved_bytes, sequences=4)] == [0.123]


def test_points_are_extrapolated_one_by_one() -> None:
    """10 ms around the layers, 1 ms a layer at depth 0 and 2 ms at 512; of several runs the fastest counts; unreached stays so."""

    def run(layers: int) -> Measurement:
        rates = [1 / (0.010 + per_layer * layers) for per_layer in (0.001, 0.002)]
        return found_with(
            (Point(0, 1, rates[0], decode_tokens_per_s=rates[0]), Point(512, 1, rates[1], decode_tokens_per_s=rates[1]), Point(1024)),
            prefill_tokens_per_s=rates[0], decode_tokens_per_s=rates[0],
        )  # fmt: skip

    plan = plan_of()
    whole = extrapolated(plan, fastest([run(4), run(4)]), fastest([run(8), run(8)]), 4, 8)
    assert plan.model.layers == 30
    assert whole.points[0].decode_tokens_per_s == pytest.approx(1 / 0.040)
    assert whole.points[1].decode_tokens_per_s == pytest.approx(1 / 0.070)
    assert not whole.points[2].reached


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_fits_and_names_what_is_missing(language: str) -> None:
    """80 columns in every language; points that were not reached are named; energy is told or why not."""
    rows = (
        Point(0, 1, 1234.5, 0.123, 5, 3000.0, 98.7, 0.021, 5, 1234.0),
        Point(0, 8, decode_tokens_per_s=321.0, decode_spread=0.05, decode_repeats=2, decode_joules_per_1000_tokens=420.0),
        Point(131072, 1), Point(131072, 8),
    )  # fmt: skip
    plan = plan_of()
    for note in ("read", "denied", "none"):
        found = found_with(
            rows, prefill_tokens_per_s=1234.5, decode_tokens_per_s=98.7, load_s=1.0, load_cold_s=20.0 if note == "read" else None,
            load_cold_note="" if note == "read" else "kept", peaks={"ram": {"anonymous": 10**9, "file": 10**9}}, resident_bytes=10**9,
            energy_note=note, energy_counters=("package-0", "dram"), decode_joules_per_1000_tokens=1234.0,
        )  # fmt: skip
        said = measurement(Page(texts(language)), plan, found)
        assert max(map(cells, said.splitlines())) <= 80
        assert said.count("131,072") == 2
        assert "321" in said


@pytest.mark.engine
def test_the_verb_at_depths(sizeup: Run) -> None:
    """The context grows to what the depths need; a given one that is too small is refused with what would do."""
    short = ("--seconds", "30", "--prompt-tokens", "16", "--decode-tokens", "2", "--quant", "Q8_0")
    said = sizeup("rehearse", SMALL, "--depths", "0,256", "--batches", "1,2", *short, "--json")
    assert (said.code, said.err) == (0, "")
    answer = json.loads(said.out)
    assert [(row["depth_tokens"], row["sequences"]) for row in answer["points"]] == [(0, 1), (0, 2), (256, 1), (256, 2)]
    assert answer["settings"]["sequences"] == 2
    refused = sizeup("rehearse", SMALL, "--depths", "4096", "--context", "512", *short)
    assert (refused.code, refused.err.splitlines()[1]) == (2, "Try: --context 4352")
    assert sizeup("rehearse", SMALL, "--batches", "4", "--sequences", "2", *short).code == 2
    assert sizeup("rehearse", SMALL, "--batch", "1,2,4", *short).code == 2
