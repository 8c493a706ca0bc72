"""Whatever a tree of /proc and /sys holds, reading it ends, raises nothing, and invents no memory."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sizeup.probe.here import this_machine
from tests.trees import entries, names, plant

NONSENSE = (
    b"",
    b"N/A\n",
    b"-1\n",
    b"0\n",
    str(10**30).encode(),
    b"9" * 5000,
    b"\x00\xff\xfe\x80",
    b"1e9",
    b"0x",
    b"max\n",
    b"\n\n\n",
    b"a:b:c - \n",
    b" - ",
)


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    """A tree and what is done to which of its files: one of NONSENSE, a folder in its place, gone, cut in half, a link to itself, no rights."""
    name = draw(st.sampled_from(names()))
    return name, draw(
        st.lists(st.tuples(st.integers(0, len(entries(name)) - 1), st.integers(0, len(NONSENSE) + 4)), min_size=1, max_size=12)
    )


def damage(path: Path, how: int) -> None:
    if not path.parent.is_dir() or (path.is_dir() and not path.is_symlink()):
        return
    content = path.read_bytes() if path.is_file() else b""
    path.unlink(missing_ok=True)
    if how < len(NONSENSE):
        path.write_bytes(NONSENSE[how])
    elif how == len(NONSENSE):
        path.mkdir()
    elif how == len(NONSENSE) + 1:
        path.write_bytes(content[: len(content) // 2])
    elif how == len(NONSENSE) + 2:
        path.symlink_to(path)
    elif how == len(NONSENSE) + 3:
        path.write_bytes(content)
        path.chmod(0)


@example(("cgroup-v2-nested", [(17, 3)]))  # a limit of 0
@given(damages())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_trees(case: tuple[str, list[tuple[int, int]]]) -> None:
    """No exception; every pool has a size that a machine can have, and no more free than it has."""
    name, damaged = case
    root = Path(tempfile.mkdtemp())
    try:
        plant(name, root)
        files = [root / path.partition(" -> ")[0].strip().lstrip("/") for path, _ in entries(name)]
        for index, how in damaged:
            damage(files[index], how)
        machine = this_machine(root)
        assert all(0 < pool.bytes < 2**60 and 0 <= pool.free_bytes <= pool.bytes for pool in machine.pools)
        assert {device.pool for device in machine.devices} <= {pool.name for pool in machine.pools} | {"unified"}
        assert machine.pools or machine.warnings
    finally:
        shutil.rmtree(root)


@pytest.mark.parametrize("content", NONSENSE)
@pytest.mark.parametrize(
    "file", ["mem_info_vram_total", "mem_info_vram_used", "uevent", "revision", "max_link_speed", "current_link_width"]
)
def test_each_file_of_a_card(file: str, content: bytes, tmp_path: Path) -> None:
    """A card that tells nonsense of itself is left out with a warning, or has that figure unknown: it never has no memory."""
    plant("amd-card", tmp_path)
    (tmp_path / "sys/bus/pci/devices/0000:03:00.0" / file).write_bytes(content)
    machine = this_machine(tmp_path)
    assert all(pool.bytes > 0 for pool in machine.pools)
    if file == "mem_info_vram_total":
        assert (machine.devices, len(machine.warnings)) == ((), 1)
    if file == "mem_info_vram_used" and content != b"0\n":
        assert len(machine.warnings) == 1


def test_half_a_tree(tmp_path: Path) -> None:
    """KFD without amdgpu's files, and DRM without PCI, are no card and no crash."""
    plant("amd-card", tmp_path)
    shutil.rmtree(tmp_path / "sys/bus")
    machine = this_machine(tmp_path)
    assert machine.devices == ()
    shutil.rmtree(tmp_path / "sys/class/drm")
    assert this_machine(tmp_path).devices == ()
