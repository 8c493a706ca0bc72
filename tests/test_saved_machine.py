"""A machine written down and read back is the same machine."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sizeup.errors import UserError
from sizeup.hardware import Machine
from sizeup.probe import machine, machine_file, machine_writer
from sizeup.probe.described import known, whole_machines
from sizeup.probe.here import this_machine
from sizeup.probe.specified import specified
from tests.conftest import Run
from tests.trees import names, plant

LEFT_OUT = {"source", "bandwidth_source", "free_source", "warnings", "programs"}
"""How a figure was found, what was strange about it, and who held memory at that moment are not written."""


def figures(thing: Any) -> Any:
    """Everything of a machine but what is left out and its name, which is the file's."""
    if dataclasses.is_dataclass(thing):
        kept = (item.name for item in dataclasses.fields(thing) if item.name not in LEFT_OUT)
        return {name: figures(getattr(thing, name)) for name in kept if name != "name" or not isinstance(thing, Machine)}
    return [figures(item) for item in thing] if isinstance(thing, tuple) else thing


def read_back(box: Machine) -> Machine:
    return specified(machine_file.parse(machine_writer.text(box, "box").encode(), "box.toml"))


@pytest.mark.parametrize("name", [name for name in names() if name != "garbled"])
def test_recorded_machines(name: str, tmp_path: Path) -> None:
    """Cards, shared memory, links, hybrid cores, swap, what stands unused: all of it comes back."""
    box = specified(this_machine(plant(name, tmp_path / "root")))
    assert figures(read_back(box)) == figures(box)


def test_recorded_machines_have_what_is_easily_lost(tmp_path: Path) -> None:
    """Among the recorded ones are fast cores, a limit on shared memory, a PCIe link and a power limit, so that the test above sees them."""
    boxes = [this_machine(plant(name, tmp_path / name)) for name in names()]
    assert any(box.cpu and box.cpu.fast_cores for box in boxes)
    devices = [device for box in boxes for device in box.devices]
    for field in ("limit_bytes", "pcie_generation", "pcie_lanes", "power_limit_w", "driver", "address", "cores"):
        assert any(getattr(device, field) for device in devices), field


def test_every_preset_and_every_part() -> None:
    """Each machine to name whole, and a machine around each row of the device table, is the same after it was written down."""
    different = [name for name in (*whole_machines(), *known()) if figures(read_back(machine(name))) != figures(machine(name))]
    assert different == []


@pytest.mark.parametrize("name", ["2x rtx-3090 nvlink", "m3-max-64gb"])
def test_a_file_on_the_disk(name: str, tmp_path: Path) -> None:
    """`--on FILE` reads what `--save` wrote."""
    box = machine(name)
    assert figures(machine(str(machine_writer.save(box, str(tmp_path / "box.toml"))))) == figures(box)


def test_several_machines_are_not_one_file(tmp_path: Path) -> None:
    """Joined machines and one without known memory are refused: no file of this format describes them."""
    with pytest.raises(UserError, match="2 machines"):
        machine_writer.save(machine("rtx-4090 and rtx-3090 over 10gbe"), str(tmp_path / "two"))
    with pytest.raises(UserError, match="not known"):
        machine_writer.save(Machine("empty", None, ()), str(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("[cpu]\ncores = 4\nfast_cores = 8", "4 cores but 8"),
        ('[[gpu]]\nname = "a"\nmemory = "8GiB"\nwatts = -3', "watts = -3"),
        ('[[gpu]]\nname = "a"\nmemory = "8GiB"\npcie_lanes = 0', "pcie_lanes = 0"),
    ],
)
def test_what_cannot_be(lines: str, words: str) -> None:
    """New keys are checked as the others are."""
    with pytest.raises(UserError, match=words):
        machine_file.parse(f'ram = {{memory = "8GiB"}}\n{lines}\n'.encode(), "box.toml")


def test_the_limit_of_a_shared_memory_can_be_said() -> None:
    """`gpu_limit` of [unified] is what its GPU may hold, and what is free ends there."""
    box = machine_file.parse(b'[unified]\nmemory = "64GiB"\ngpu_limit = "60GiB"\n[[gpu]]\nvendor = "Apple"\nshares = "unified"\n', "box")
    assert box.devices[0].limit_bytes == box.pools[0].free_bytes == 60 * 2**30


def test_this_machine(sizeup: Run, tmp_path: Path) -> None:
    """`sizeup machine --save FILE` writes this machine, `--on FILE` answers for it, and a file that is there is not overwritten."""
    path = tmp_path / "here.toml"
    assert str(path) in sizeup("machine", "--save", str(path)).out
    assert machine(str(path)).pools[0].bytes == machine().pools[0].bytes
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
