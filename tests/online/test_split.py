"""Models in several GGUF files: every part is found, read, fetched and checked, and one that is missing is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sizeup
from sizeup.errors import NotFound, Unreadable
from sizeup.probe import machine
from sizeup.pulls import Puller
from tests.online.hub import Hub
from tests.online.site import Fault, sha256
from tests.online.split import split
from tests.program import Run
from tests.small_model import small_model

REPO = "someone/big-GGUF"
PARTS = 3


@pytest.fixture
def parts(world: Hub, gguf_bytes: bytes, tmp_path: Path) -> dict[str, bytes]:
    """A repository with a model in three parts below a folder, as large ones are published; and the same in one file."""
    whole = tmp_path / "big-Q8_0.gguf"
    whole.write_bytes(gguf_bytes)
    found = split(whole, PARTS)
    world.add(REPO, {f"Q8_0/{name}": content for name, content in found.items()} | {"README.md": b"# big\n"})
    world.add("someone/whole-GGUF", {whole.name: gguf_bytes})
    return found


@pytest.mark.parametrize("name", [REPO, f"{REPO}:Q8_0", "https://huggingface.co/{}/blob/main/Q8_0/big-Q8_0-00002-of-00003.gguf"])
def test_read_in_place(world: Hub, parts: dict[str, bytes], name: str) -> None:
    """By name, quantisation or any part: the layers, tensors and plan of the file in one piece; a request a part and its redirect."""
    whole = sizeup.read("someone/whole-GGUF")
    asked = len(world.storage.asked)
    spec = sizeup.read(name.format(REPO))
    assert len(world.storage.asked) - asked == PARTS
    assert spec.groups == whole.groups
    assert [(one.name, one.shape, one.type) for one in spec.tensors] == [(one.name, one.shape, one.type) for one in whole.tensors]
    assert spec.file_bytes == tuple(map(len, parts.values()))
    ours, theirs = (sizeup.fit(one, "rtx-4090", context_tokens=1024)[0] for one in (spec, whole))
    assert ours.breakdown.as_reported() == theirs.breakdown.as_reported()
    assert ours.settings == theirs.settings


def test_pulled(world: Hub, parts: dict[str, bytes], tmp_path: Path) -> None:
    """All parts come, each with its checksum; what is said to run is the first; here the model is one again."""
    with Puller(machine("rtx-4090")) as puller:
        found = puller.settle(REPO, to=tmp_path / "m")
        assert (found.quant, found.bytes, len(found.items)) == ("Q8_0", sum(map(len, parts.values())), PARTS)
        path = found.fetch()
    assert {one.name: one.read_bytes() for one in (tmp_path / "m").iterdir()} == parts
    assert path.name == "big-Q8_0-00001-of-00003.gguf"
    assert sizeup.read(str(path.with_name("big-Q8_0-00003-of-00003.gguf"))).groups == sizeup.read("someone/whole-GGUF").groups


def test_pulled_for_a_tool(world: Hub, parts: dict[str, bytes], tmp_path: Path) -> None:
    """In the cache that llama.cpp looks into, the parts lie beside each other under their own names."""
    with Puller(machine("rtx-4090")) as puller:
        path = puller.settle(REPO, tool="llama.cpp", to=tmp_path / "hub").fetch()
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == parts


def test_an_interrupted_pull_fetches_what_is_missing(world: Hub, parts: dict[str, bytes], tmp_path: Path) -> None:
    """A part that is whole is not asked for again; a byte that is wrong is found in its part, and the others stay."""
    second = sha256(parts["big-Q8_0-00002-of-00003.gguf"])
    with Puller(machine("rtx-4090")) as puller:
        found = puller.settle(REPO, to=tmp_path / "m")
        world.storage.faults.append(Fault(second, "poison", 99))
        with pytest.raises(Unreadable, match=r"00002-of-00003\.gguf came twice"):
            found.fetch()
    assert [one.name for one in (tmp_path / "m").glob("*.gguf")] == ["big-Q8_0-00001-of-00003.gguf"]
    world.storage.faults.clear()
    asked = len(world.storage.asked)
    with Puller(machine("rtx-4090")) as puller:
        puller.settle(REPO, to=tmp_path / "m").fetch()
    assert {one.name: one.read_bytes() for one in (tmp_path / "m").glob("*.gguf")} == parts
    last = sha256(parts["big-Q8_0-00003-of-00003.gguf"])
    again = {request.path.strip("/").partition("?")[0] for request in world.storage.asked[asked:]}
    # Headers were read and kept when the pull was settled for the first time.
    assert again == {second, last}


@pytest.mark.parametrize("name", [REPO, f"{REPO}:Q8_0", "https://huggingface.co/{}/blob/main/Q8_0/big-Q8_0-00003-of-00003.gguf"])
def test_a_missing_part_is_named(world: Hub, parts: dict[str, bytes], name: str, tmp_path: Path) -> None:
    """Reading and pulling say which."""
    del world.repos[REPO].files["Q8_0/big-Q8_0-00002-of-00003.gguf"]
    with pytest.raises(NotFound) as read:
        sizeup.read(name.format(REPO))
    with Puller(machine("rtx-4090")) as puller, pytest.raises(NotFound) as pulled:
        puller.settle(name.format(REPO), to=tmp_path / "m")
    assert read.value.message == pulled.value.message == "Part 2 of 3 is missing: Q8_0/big-Q8_0-00002-of-00003.gguf."


@pytest.mark.engine
def test_a_split_model_runs(tmp_path: Path, sizeup: Run) -> None:
    """llama.cpp reads all parts of a real model, whichever is named."""
    for name, content in split(small_model(), PARTS).items():
        (tmp_path / name).write_bytes(content)
    named = str(tmp_path / f"{small_model().stem}-00002-of-00003.gguf")
    asked = ("--raw", "--max-tokens", "4", "--context", "512", "--json")
    said, whole = sizeup("run", named, "One, two,", *asked), sizeup("run", str(small_model()), "One, two,", *asked)
    assert (said.code, _told(said.out)) == (0, _told(whole.out))


def _told(out: str) -> object:
    found = json.loads(out)
    return found["text"], found["buffers"]
