"""Ghosts on disks: nothing is left behind, no disk is filled, and a ghost that none holds is split."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gguf import GGUFReader

from sizeup.engines.llamacpp import ENGINE
from sizeup.errors import Unavailable, UserError
from sizeup.ghost import disk, room
from sizeup.ghost.rehearse import rehearse
from tests.plans import SMALL, plan_of

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
