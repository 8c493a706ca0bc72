"""Rehearsals: made-up weights are numbers, ghosts leave nothing behind, fewer layers tell of all, and what ran is learnt from."""

from __future__ import annotations

import array
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize

import sizeup
from sizeup import paces, store
from sizeup.engines.llamacpp import ENGINE
from sizeup.engines.llamacpp.pace import Pace, spread
from sizeup.errors import Unavailable, UserError
from sizeup.facts import data_json
from sizeup.ghost import disk, room
from sizeup.ghost.fill import filling, pattern
from sizeup.ghost.rehearse import extrapolated, rehearse, thin_layers
from sizeup.ghost.thin import blocks_of, rounds, thinned
from sizeup.model import Tensor
from sizeup.plan import Measurement, Plan
from sizeup.probe import machine
from sizeup.search import fit, make_plan, remember, with_speed
from tests.program import Run
from tests.small_model import small_model

SMALL = "HuggingFaceTB/SmolLM2-135M"
DEQUANTIZED = [kind for kind in data_json("fillings.json")["scales"] if kind not in ("Q1_0", "Q2_0")]
"""Formats that the gguf package can turn into numbers."""


def plan_of(name: str = SMALL, quant: str = "Q4_K_M", **settings: object) -> Plan:
    return fit(name, quant=quant, context_tokens=512, **settings)[0]


@pytest.mark.parametrize("kind", DEQUANTIZED)
def test_made_up_weights_are_numbers_of_a_weights_size(kind: str) -> None:
    """As the gguf package reads them: all finite, about zero on average, neither tiny nor large."""
    raw = np.frombuffer(pattern(kind), np.uint8)
    block = GGMLQuantizationType[kind]
    values = dequantize(raw[: GGML_QUANT_SIZES[block][1] * 1000], block)
    assert np.isfinite(values).all()
    assert abs(values.mean()) < 0.02
    assert 0.005 < values.std() < 0.25


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_floats_are_normal_numbers(kind: str) -> None:
    """No zero, no denormal, nothing infinite."""
    raw = pattern(kind)[:40000]
    values = np.frombuffer(raw, {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}[kind])
    if kind == "BF16":
        values = (values.astype(np.uint32) << 16).view(np.float32)
    assert np.isfinite(values).all()
    assert np.abs(values).min() > 1e-4


def test_every_mix_can_be_filled() -> None:
    """Every format that a mix of ours gives to any tensor has a filling; of one without, the sentence names it."""
    from sizeup.engines.llamacpp.tensors import gguf_tensors

    for name, mixes in (("Qwen/Qwen3-8B", data_json("recommended_mixes.json")["order"]), ("openai/gpt-oss-20b", ["MXFP4_MOE"])):
        for mix in mixes:
            for tensor in gguf_tensors(sizeup.read(name), mix):
                assert next(filling(tensor))
    with pytest.raises(Unavailable, match="IQ1_M"):
        list(filling(Tensor("blk.0.ffn_up.weight", (256, 4), "IQ1_M")))


def test_a_filled_ghost_is_a_whole_file() -> None:
    """The gguf package reads every tensor from it; vectors that multiply are ones; afterwards nothing is left."""
    plan = plan_of()
    tensors = ENGINE.tensors(plan.model, "Q4_K_M")
    with disk.filled(plan.model, tensors) as (path,):
        reader = GGUFReader(path)
        stored = {t.name: t for t in reader.tensors}
        assert set(stored) == {t.name for t in tensors}
        assert (stored["blk.0.attn_norm.weight"].data == 1).all()
        assert stored["blk.3.ffn_up.weight"].data.any()
        del reader, stored
    assert list(room.folder().iterdir()) == []


def test_a_disk_that_is_too_small_is_never_filled() -> None:
    """What would not fit is refused before a byte is written, with both figures."""
    plan = plan_of()
    with (
        pytest.raises(Unavailable, match=r"takes .* of disk, and 1\.00 MiB may be used"),
        disk.filled(plan.model, ENGINE.tensors(plan.model, "Q4_K_M"), limit=1 << 20),
    ):
        pass
    assert list(room.folder().iterdir()) == []


WRITER = """
import sys
from pathlib import Path
from sizeup.ghost import room
from sizeup.ghost.rehearse import rehearse
from sizeup.search import fit
if sys.argv[2] == "named":
    room.sys = type("elsewhere", (), {"platform": "darwin"})
disks = tuple(map(Path, sys.argv[3:]))
print("begun", flush=True)
limit = (80 << 20) if disks else None
plan = fit(sys.argv[1], quant="Q4_K_M", context_tokens=512)[0]
rehearse(plan, prompt_tokens=32, decode_tokens=4, seconds=2, max_disk=limit, disks=disks)
"""


@pytest.mark.engine
@pytest.mark.parametrize("disks", [0, 2])
@pytest.mark.parametrize("kind", ["nameless", "named"])
def test_a_kill_leaves_no_ghost(kind: str, disks: int, tmp_path: Path) -> None:
    """Killed at random moments, 50 times in four ways: after the next start no ghost is left, and nothing else was touched."""
    named = [tmp_path / f"disk {number}" for number in range(disks)]
    for place in (room.folder(), *named):
        place.mkdir(exist_ok=True)
        (place / "keep.txt").write_text("mine")
    before = {path.name for path in room.folder().parent.iterdir()}
    choose = random.Random(kind)
    for _ in range(10 if disks else 15):
        command = [sys.executable, "-c", WRITER, SMALL, kind, *map(str, named)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ))
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(choose.uniform(0.0, 0.6))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if kind == "nameless":
            assert all([path.name for path in place.iterdir()] == ["keep.txt"] for place in (room.folder(), *named))
    room.sweep()
    for place in (room.folder(), *named):
        assert [path.name for path in place.iterdir()] == ["keep.txt"]
        assert (place / "keep.txt").read_text() == "mine"
    assert {path.name for path in room.folder().parent.iterdir()} - before <= {"sizeup.db"}


def test_a_ghost_that_no_disk_holds_is_split(tmp_path: Path) -> None:
    """Law: the parts are sound files that together hold every tensor once, each within its disk's limit; afterwards all are gone."""
    plan = plan_of()
    tensors = ENGINE.tensors(plan.model, "Q4_K_M")
    (whole,) = disk.parts(plan.model, tensors)
    disks = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for folder in disks:
        folder.mkdir()
    limit = int(whole.file_bytes * 0.55)
    with disk.filled(plan.model, tensors, limit, disks=disks) as paths:
        readers = [GGUFReader(path) for path in paths]
        assert len(paths) == 2
        assert all(os.path.getsize(path) <= limit for path in paths)
        assert [tensor.name for reader in readers for tensor in reader.tensors] == [tensor.name for tensor in tensors]
        found = [[reader.fields[f"split.{key}"].contents() for key in ("no", "count", "tensors.count")] for reader in readers]
        assert found == [[0, 2, len(tensors)], [1, 2, len(tensors)]]
        assert readers[1].tensors[-1].data.any()
        del readers
    assert [list(folder.iterdir()) for folder in disks] == [[], [], []]


def test_folders_on_one_disk_share_its_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming a disk twice does not make it larger; one folder that holds everything is enough; a folder that is none is a mistake."""
    plan = plan_of()
    tensors = ENGINE.tensors(plan.model, "Q4_K_M")
    (whole,) = disk.parts(plan.model, tensors)
    disks = [tmp_path / "a", tmp_path / "b"]
    for folder in disks:
        folder.mkdir()
    free = whole.file_bytes * 2 // 3
    monkeypatch.setattr(disk, "room", lambda where=None, limit=None, spare=0: free if limit is None else min(free, limit))
    with pytest.raises(Unavailable, match="may be used"):
        disk.parts(plan.model, tensors, disks=disks)
    monkeypatch.setattr(disk, "_device", hash)
    assert [part.where for part in disk.parts(plan.model, tensors, disks=disks)] == disks
    monkeypatch.undo()
    assert [part.where for part in disk.parts(plan.model, tensors, disks=disks)] == disks[:1]
    with pytest.raises(UserError, match="is no folder"):
        disk.parts(plan.model, tensors, disks=[tmp_path / "nowhere"])


@pytest.mark.engine
def test_a_split_ghost_runs_as_the_whole_one(tmp_path: Path) -> None:
    """The engine loads the parts from their disks and takes the same bytes, part by part (of a mapped file it keeps other spans)."""
    plan = plan_of(mmap=False)
    disks = [tmp_path / "a", tmp_path / "b"]
    for folder in disks:
        folder.mkdir()
    asked = {"prompt_tokens": 32, "decode_tokens": 4, "seconds": 0.5}
    split = rehearse(plan, max_disk=80 << 20, disks=disks, **asked)
    assert (split.layers_run, split.buffers) == (0, rehearse(plan, **asked).buffers)
    assert [list(folder.iterdir()) for folder in disks] == [[], []]


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses while a ghost is written is said, and the ghost is removed."""

    def refuse(descriptor: int, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "write_all", refuse)
    plan = plan_of()
    with pytest.raises(Unavailable, match="No space left"), disk.filled(plan.model, ENGINE.tensors(plan.model, "Q4_K_M")):
        pass
    assert list(room.folder().iterdir()) == []


def test_the_ghost_of_a_living_process_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeping takes only what nobody holds any more, whatever its number says."""
    monkeypatch.setattr(room, "sys", type("elsewhere", (), {"platform": "darwin"}))
    descriptor, mine = room.open_ghost(room.folder())
    left = room.folder() / f"{room.PREFIX}{os.getpid()}-0.gguf"
    left.write_bytes(b"GGUF")
    room.sweep()
    assert (Path(mine).exists(), left.exists()) == (True, False)
    room.close_ghost(descriptor, mine)
    assert list(room.folder().iterdir()) == []


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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen/Qwen3-8B", (0, 1)),
        ("google/gemma-3-4b-it", (0, 6)),
        ("deepseek-ai/DeepSeek-V3", (3, 1)),
        ("Qwen/Qwen3.5-4B", (0, 4)),
        ("openai/gpt-oss-20b", (0, 2)),
    ],
)
def test_rounds(name: str, expected: tuple[int, int]) -> None:
    """What stands before the repetition, and how many blocks repeat."""
    assert rounds(sizeup.read(name)) == expected


@pytest.mark.parametrize("name", ["Qwen/Qwen3-8B", "google/gemma-3-4b-it", "deepseek-ai/DeepSeek-V3"])
def test_a_thin_model_has_the_first_layers(name: str) -> None:
    """Law: parameters are those of the layers kept and of what stands around them; a local header thins to the same."""
    spec = sizeup.read(name)
    before, period = rounds(spec)
    few, more = thinned(spec, before + period), thinned(spec, before + 3 * period)
    round_parameters = sum(int(b.parameters(spec.hidden)) for b in blocks_of(spec)[before : before + period])
    assert more.parameters - few.parameters == 2 * round_parameters
    assert more.layers == before + 3 * period


@pytest.mark.engine
def test_a_thinned_rehearsal_is_of_the_whole_and_says_so() -> None:
    """Fewer layers run, twice; the number of layers is told, and the speed is of all of them."""
    plan = plan_of()
    found = rehearse(plan, prompt_tokens=32, decode_tokens=4, seconds=1, layers=8)
    assert found.layers_run == 8
    assert found.decode_tokens_per_s
    assert found.prefill_tokens_per_s


def test_extrapolation_by_hand() -> None:
    """10 ms around the layers and 2 ms a layer: 4 and 8 layers tell 20 exactly."""

    def made(layers: int) -> Measurement:
        rate = 1 / (0.010 + 0.002 * layers)
        return Measurement("rehearsed", "e", "m", {}, {}, prefill_tokens_per_s=rate, decode_tokens_per_s=rate)

    plan = make_plan(thinned(sizeup.read("Qwen/Qwen3-8B"), 20), machine(), ENGINE, "Q4_K_M", ENGINE.Settings(context_tokens=512))
    found = extrapolated(plan, made(4), made(8), 4, 8)
    assert found.decode_tokens_per_s == pytest.approx(1 / 0.050)
    assert found.layers_run == 8


def test_a_model_that_cannot_be_thinned_enough_says_so() -> None:
    """When not even two rounds have room on the disk, the sentence gives the size."""
    with pytest.raises(Unavailable, match="Even 2 of the 30 layers"):
        thin_layers(plan_of(), 1 << 20, None)


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
    assert paces.shares(rated.machine.cpu.name, "Q8_0", 10**8) == ()
    assert paces.shares(rated.machine.cpu.name, plan.quant, 10**11) == ()


def test_a_damaged_lesson_teaches_nothing() -> None:
    """Whatever stands in the file, an answer comes."""
    from sizeup.home import data_dir

    for content in (b"", b"[1, {}, null]", b"{", b'[{"cpu": "x", "quant": "q", "moved_bytes": -1, "share": 1.0}]'):
        (data_dir() / paces.FILE).write_bytes(content)
        paces._lessons.cache_clear()
        assert paces.shares("x", "q", 1) == ()


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
