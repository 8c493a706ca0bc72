"""A GGUF header becomes layers, and the layers account for every stored element."""

from __future__ import annotations

from pathlib import Path

import pytest

from sizeup.errors import Unreadable
from sizeup.layers import Attention, GatedDeltaNet, LatentAttention, Mamba1, Mamba2, Moe, Rwkv7, ShortConv
from sizeup.readers.gguf import read_headers
from sizeup.readers.gguf_model import spec_from_metadata
from tests.ghosts import NAMES, unpack
from tests.truth import rows, spec


@pytest.mark.parametrize("name", NAMES)
def test_layers_account_for_every_element(name: str) -> None:
    """Parameters counted from layers, stored elements and the measured table agree, without a warning."""
    model = spec(name)
    expected = next(int(row.raw["n_params"]) for row in rows() if row.ghost == name)
    assert model.warnings == ()
    assert model.stored_parameters == expected
    assert model.parameters == expected


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("Llama-3.1-8B-Q4_K_M", {Attention: 32}),
        ("DeepSeek-V3-Q4_K_M", {LatentAttention: 61}),
        ("Mamba-130M-F16", {Mamba1: 24}),
        ("Granite-4.0-H-Micro-Q4_K_M", {Mamba2: 36, Attention: 4}),
        ("Nemotron-H-8B-Q4_K_M", {Mamba2: 24, Attention: 4}),
        ("Qwen3.5-0.8B-Q4_K_M", {GatedDeltaNet: 18, Attention: 6}),
        ("LFM2-1.2B-Q4_K_M", {ShortConv: 10, Attention: 6}),
        ("RWKV7-1.5B-Q4_K_M", {Rwkv7: 24}),
    ],
)
def test_layer_kinds(name: str, kinds: dict[type, int]) -> None:
    """Each layer is of the kind its model card says."""
    found: dict[type, int] = {}
    for group in spec(name).groups:
        for mixer in group.block.mixers:
            found[type(mixer)] = found.get(type(mixer), 0) + group.layers
    assert found == kinds


def test_windows_follow_the_architecture() -> None:
    """Gemma 3: five windowed layers, then a full one; Phi-3's window key is ignored; Gemma 3n caches only its first layers."""
    gemma = {p: g.block.mixers[0].window for g in spec("gemma-3-4b-Q4_K_M").groups for p in g.positions}  # type: ignore[union-attr]
    assert [gemma[p] for p in range(7)] == [1024] * 5 + [0, 1024]
    assert {g.block.mixers[0].window for g in spec("Phi-3-mini-4k-Q4_K_M").groups} == {0}  # type: ignore[union-attr]
    sharing = {p: g.block.mixers[0].caches for g in spec("gemma-3n-E2B-Q4_K_M").groups for p in g.positions}  # type: ignore[union-attr]
    assert [p for p in sorted(sharing) if sharing[p]] == list(range(20))


def test_experts_that_idle_are_not_active() -> None:
    """Qwen3-30B-A3B: 3.3 billion of 30.5 take part in a token."""
    model = spec("Qwen3-30B-A3B-Q4_K_M")
    assert isinstance(model.groups[0].block.feed, Moe)
    assert (model.parameters, model.active_parameters) == (30532122624, 30532122624 - 48 * 120 * 3 * 2048 * 768)


def test_an_unknown_architecture_says_which_and_can_be_assumed(tmp_path: Path) -> None:
    """An unknown architecture is an error that names it; assumed, the result is labelled."""
    header = read_headers(unpack("Llama-3.2-1B-Q4_0", tmp_path))[0]
    metadata = {k.replace("llama.", "zzz.", 1): v for k, v in header.metadata.items()} | {"general.architecture": "zzz"}
    with pytest.raises(Unreadable, match="zzz") as caught:
        spec_from_metadata(metadata, header.tensors)
    assert "--assume" in caught.value.hint
    model = spec_from_metadata(metadata, header.tensors, assume="llama")
    assert model.parameters == spec("Llama-3.2-1B-Q4_0").parameters
    assert model.assumed == ("the unknown architecture zzz is read as llama",)


@pytest.mark.parametrize(
    "changes",
    [
        {"llama.block_count": None},
        {"llama.block_count": 10**9},
        {"llama.block_count": "many"},
        {"llama.embedding_length": 0},
        {"llama.attention.head_count": -5},
        {"llama.attention.head_count": [32]},
        {"general.architecture": 7},
        {"general.architecture": None},
        {"llama.nextn_predict_layers": 99},
    ],
)
def test_hostile_metadata_is_unreadable(tmp_path: Path, changes: dict[str, object]) -> None:
    """A missing or absurd hyper-parameter is one sentence, never a traceback."""
    header = read_headers(unpack("Llama-3.2-1B-Q4_0", tmp_path))[0]
    metadata = {k: v for k, v in (header.metadata | changes).items() if v is not None}
    with pytest.raises(Unreadable):
        spec_from_metadata(metadata, header.tensors)


def test_the_whole_model_carries_its_file() -> None:
    """Offsets, sizes and the mix's label come along, so that mapped spans can be worked out."""
    model = spec("Llama-3.1-8B-Q4_K_M")
    assert model.file_bytes == (4912916096,)
    assert sum(tensor.bytes for tensor in model.tensors) == 4912898304
    assert model.stored == "gguf"
