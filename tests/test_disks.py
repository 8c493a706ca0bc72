"""Disks: what kind each is, and how fast one reads, measured on a file of ours that is gone afterwards."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sizeup.hardware import Disk
from sizeup.home import data_dir
from sizeup.probe import block, disk_read
from sizeup.probe.disk import disks
from tests.trees import plant


def test_kinds(tmp_path: Path) -> None:
    """Under volumes and encryption lies the disk that counts; networks and memory are known by their filesystem; the unknown is unknown."""
    plant("disks", tmp_path)
    where = [Path("/srv"), *(Path("/mnt") / name for name in ("old", "new", "share", "ram", "card", "c", "odd"))]
    for place in where:
        (tmp_path / str(place).lstrip("/")).mkdir(parents=True, exist_ok=True)
    found, _ = disks(tmp_path, where, lambda path: (100, 0, 100))
    assert {disk.path: disk.kind for disk in found} == {
        "/": "nvme",
        "/mnt/old": "rotational",
        "/mnt/new": "ssd",
        "/mnt/share": "network",
        "/mnt/ram": "memory",
        "/mnt/card": "card",
        "/mnt/c": "virtual",
        "/mnt/odd": "",
    }


@pytest.mark.parametrize(
    "device", ["", "tmpfs", "/dev/", "/dev/mapper/", "/dev/../..", "/dev/sda\x00", "/dev/" + "x" * 5000, "//nas/share"]
)
def test_odd_devices(device: str, tmp_path: Path) -> None:
    """A device that is none has no kind."""
    assert block.kind(plant("disks", tmp_path), "ext4", device) == ""


def test_a_loop_of_volumes_ends(tmp_path: Path) -> None:
    """Volumes that claim to lie on each other are no reason to hang."""
    for one, other in (("dm-0", "dm-1"), ("dm-1", "dm-0")):
        (tmp_path / "sys/block" / one / "slaves" / other).mkdir(parents=True)
    assert block.kind(tmp_path, "ext4", "/dev/dm-0") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is measured there")
def test_a_read_is_measured_and_the_file_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rate is plausible, labelled and dated, belongs to this filesystem alone, and nothing is left behind."""
    monkeypatch.setattr(disk_read, "MOST_BYTES", 16 << 20)
    folder = data_dir()
    rate = disk_read.measured(folder, seconds=0.2)
    if rate is None:
        pytest.skip("this folder lies in memory, or its disk is full")
    assert 1e5 < rate.bytes_per_s < 1e12
    assert (rate.source.kind, rate.bytes) == ("measured", shutil.disk_usage(folder).total)
    assert not (folder / disk_read.NAME).exists()
    disk_read.keep("/models", rate)
    disk = Disk("/models", rate.bytes, 1)
    (known, other, elsewhere) = disk_read.rated((disk, replace(disk, bytes=7), replace(disk, path="/other")))
    assert (known.bytes_per_s, known.source.kind) == (rate.bytes_per_s, "measured")
    assert (other.bytes_per_s, elsewhere.bytes_per_s) == (None, None)


def test_a_full_disk_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room nothing is written at all."""
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(100 << 20, 0, 100 << 20))  # type: ignore[attr-defined]
    assert disk_read.measured(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error on the way is no rate, and the file is removed all the same."""

    def broken(*arguments: object) -> float:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(disk_read, "MOST_BYTES", 16 << 20)
    monkeypatch.setattr(disk_read, "_timed", broken)
    assert disk_read.measured(tmp_path, seconds=0.1) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stored", [b"", b"{", b"[]", b'{"/": 3}', b'{"/": {"bytes_per_s": -1, "how": "", "date": "", "bytes": 1}}'])
def test_a_damaged_measurement_is_none(stored: bytes) -> None:
    """What was kept and cannot be read is as good as never measured."""
    (data_dir() / disk_read.FILE).write_bytes(stored)
    assert disk_read.kept() == {}
