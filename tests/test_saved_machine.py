"""A machine written down and read back is the same machine for every figure of an answer."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from sizeup.errors import UserError
from sizeup.hardware import Machine
from sizeup.probe import machine, machine_writer
from sizeup.probe.here import this_machine
from tests.conftest import Run
from tests.trees import plant

TREES = ("amd-card", "amd-two-cards-and-igpu", "amd-strix-halo", "amd-strix-halo-96g", "intel-arc-xe", "jetson-agx-orin", "raspberry-pi-5")


def figures(box: Machine) -> dict[str, Any]:
    """All that a plan or a speed reads of a machine."""
    return {
        "cpu": box.cpu and (box.cpu.name, box.cpu.cores, box.cpu.threads, box.cpu.usable, box.cpu.architecture, box.cpu.features),
        "pools": [(p.name, p.bytes, p.free_bytes, p.bytes_per_s) for p in box.pools],
        "devices": [(d.name, d.vendor, d.kind, d.pool, d.compute_capability) for d in box.devices],
        "disks": [(d.path, d.bytes, d.free_bytes, d.filesystem, d.bytes_per_s) for d in box.disks],
        "links": sorted((link.kind, link.ends, link.bytes_per_s) for link in box.links),
        "system": box.system,
    }


@pytest.mark.parametrize("name", TREES)
def test_trees(name: str, tmp_path: Path) -> None:
    """Cards, shared memory, links: all come back."""
    box = this_machine(plant(name, tmp_path / "root"))
    assert figures(machine(str(machine_writer.save(box, str(tmp_path / "box.toml"))))) == figures(box)


@pytest.mark.parametrize("name", ["rtx-4090", "2x rtx-3090 nvlink", "m3-max-64gb", "raspberry-pi-5-8gb"])
def test_described_machines(name: str, tmp_path: Path) -> None:
    """A machine by name can be written down too, to change it by hand."""
    box = machine(name)
    assert figures(machine(str(machine_writer.save(box, str(tmp_path / "box.toml"))))) == figures(box)


def test_this_machine(sizeup: Run, tmp_path: Path) -> None:
    """`sizeup machine --save FILE` writes this machine, `--on FILE` answers for it, and a file that is there is not overwritten."""
    path = tmp_path / "here.toml"
    assert str(path) in sizeup("machine", "--save", str(path)).out
    assert figures(machine(str(path)))["pools"][0][:2] == figures(machine())["pools"][0][:2]
    before = path.read_bytes()
    again = sizeup("machine", "--save", str(path))
    assert (again.code != 0, path.read_bytes()) == (True, before)


def test_odd_names_are_written_as_toml(tmp_path: Path) -> None:
    """Quotes, control characters and other scripts in a name do not break the file."""
    said = 'a "b" \\ \n \x7f 機'
    assert tomllib.loads(machine_writer.text(Machine(said, None, ()), said))["name"] == said


def test_a_name_is_a_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without .toml is a file in the working folder."""
    monkeypatch.chdir(tmp_path)
    assert machine_writer.save(machine("rtx-4090"), "box") == Path("box.toml")
    with pytest.raises(UserError, match="is there already"):
        machine_writer.save(machine("rtx-4090"), "box")
