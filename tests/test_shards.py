"""Checkpoints of several safetensors files: shards by their numbers or by an index, and the two agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sizeup.errors import NotFound, Unreadable
from sizeup.readers.safetensors import read_headers
from tests.checkpoints import GOOD, llama, measured, save, save_sharded


@pytest.mark.parametrize("count", [1, 3])
def test_shards_are_one_checkpoint(count: int, tmp_path: Path) -> None:
    """An index, and any shard it names, lead to all tensors; each knows its file."""
    index = save_sharded(tmp_path, llama(), count)
    for start in (index, *sorted(tmp_path.glob("*.safetensors"))):
        headers = read_headers(start)
        assert len(headers) == count
        assert {t.name for h in headers for t in h.tensors} == set(llama())
        assert [{t.file for t in h.tensors} for h in headers] == [{number} for number in range(count)]
    index.unlink()
    assert len(read_headers(tmp_path / f"model-00001-of-{count:05}.safetensors")) == count


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    """The shard that is not there is named, with or without an index."""
    index = save_sharded(tmp_path, llama(), 3)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    for start in (index, tmp_path / "model-00001-of-00003.safetensors"):
        with pytest.raises(NotFound, match=r"Shard 2 of 3 is missing: model-00002-of-00003\.safetensors"):
            read_headers(start)
    index.unlink()
    with pytest.raises(NotFound, match="Shard 2 of 3"):
        read_headers(tmp_path / "model-00003-of-00003.safetensors")


@pytest.mark.parametrize("name", ["model-00000-of-00002", "model-00003-of-00002", "model-00001-of-00000", "model-00001-of-99999"])
def test_a_number_that_no_shard_has(name: str, tmp_path: Path) -> None:
    """A shard numbered outside its count is refused before others are looked for."""
    path = save(tmp_path / f"{name}.safetensors", GOOD)
    with pytest.raises(Unreadable, match="numbered"):
        read_headers(path)


@pytest.mark.parametrize(
    "content",
    [
        *(
            {"weight_map": {"a": name}}
            for name in ("../m.safetensors", "/etc/m.safetensors", "x/m.safetensors", "C:\\m.safetensors", "..", "")
        ),
        {"weight_map": {"a": "m\0.safetensors"}},
        {"weight_map": {"a": "model.safetensors.index.json"}},
        {"weight_map": {"a": ["m.safetensors"]}},
        {"weight_map": {"a": 1}},
        {"weight_map": {}},
        {"weight_map": ["a"]},
        {"weight_map": "m.safetensors"},
        {"metadata": {}},
        {},
    ],
)
def test_an_index_that_leads_astray(content: object, tmp_path: Path) -> None:
    """An index names safetensors files beside it, or it is refused: no path, no index again, no other value."""
    save(tmp_path / "folder" / "m.safetensors", GOOD)
    save(tmp_path / "m.safetensors", GOOD)
    index = tmp_path / "folder" / "model.safetensors.index.json"
    index.write_text(json.dumps(content))
    found, peak = measured(index, read_headers)
    assert isinstance(found, Unreadable)
    assert peak < 5 << 20


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"weight_map": {"a": "m.safetensors", "a": "m.safetensors"}}', b'{"weight_map":' * 9000, b"{" * 9000]
)
def test_an_index_that_is_no_json(raw: bytes, tmp_path: Path) -> None:
    """An index that is none, or names a tensor twice, is a sentence."""
    (tmp_path / "model.safetensors.index.json").write_bytes(raw)
    with pytest.raises(Unreadable, match=r"index of shards|is empty"):
        read_headers(tmp_path / "model.safetensors.index.json")


def test_an_index_that_is_untrue(tmp_path: Path) -> None:
    """The index and the shards must say the same of every tensor."""
    index = save_sharded(tmp_path, llama(), 2)
    listed = json.loads(index.read_text())["weight_map"]
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    moved = next(name for name, file in listed.items() if file == first)
    for wrong in ({**listed, moved: second}, {**listed, "absent": first}, {n: f for n, f in listed.items() if n != moved}):
        index.write_text(json.dumps({"weight_map": wrong}))
        with pytest.raises(Unreadable, match=r"index\.json (does not say|says)"):
            read_headers(index)


def test_two_shards_with_one_tensor(tmp_path: Path) -> None:
    """A tensor stands in one shard only."""
    for number in (1, 2):
        save(tmp_path / f"m-{number:05}-of-00002.safetensors", GOOD)
    with pytest.raises(Unreadable, match="same tensor"):
        read_headers(tmp_path / "m-00001-of-00002.safetensors")


def test_a_large_index_stays_in_bounds(tmp_path: Path) -> None:
    """An index of 140,000 tensors, as the largest published ones, is read below 100 MB; its shards decide the rest."""
    index = tmp_path / "model.safetensors.index.json"
    listed = {
        f"model.layers.{n // 2400}.mlp.experts.{n // 6 % 400}.gate_proj_{n % 6}.weight_scale": f"model-{n % 61 + 1:05}-of-00061.safetensors"
        for n in range(140_000)
    }
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": listed}))
    found, peak = measured(index, read_headers)
    assert isinstance(found, NotFound)
    assert "Shard 1 of 61" in found.message
    assert peak < 100_000_000
