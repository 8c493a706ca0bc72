"""Folders with a config and safetensors files: layers from the one, tensors from the others, and differences are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sizeup import account, read
from sizeup.errors import NotFound, Unreadable
from tests.checkpoints import GOOD, llama, save, save_config, save_sharded, table


def test_a_folder_is_its_config_and_its_weights(tmp_path: Path) -> None:
    """Layers come from the config, tensors from the files; both agree, so nothing is warned of."""
    folder = save_config(tmp_path / "tiny")
    index = save_sharded(folder, llama(), 2)
    sizes = tuple(path.stat().st_size for path in sorted(folder.glob("*.safetensors")))
    for what in (folder, index, folder / "model-00002-of-00002.safetensors"):
        spec = read(what)
        assert (spec.stored, spec.name, len(spec.tensors), spec.file_bytes) == ("safetensors", "tiny", 21, sizes)
        assert (spec.parameters, spec.warnings, spec.notes) == (spec.stored_parameters, (), ())


def test_the_engine_makes_its_own_file_of_a_checkpoint(tmp_path: Path) -> None:
    """llama.cpp reads no safetensors: a checkpoint costs what its config costs at the same mix."""
    folder = save_config(tmp_path / "tiny")
    config_only = account(read(folder), quant="Q8_0")
    save(folder / "model.safetensors", table(llama()))
    assert read(folder).stored == "safetensors"
    assert account(read(folder), quant="Q8_0").claims == config_only.claims


def test_a_difference_is_named(tmp_path: Path) -> None:
    """Tensors that the config does not explain are counted in the warning; buffers and a tied head's copy are explained."""
    folder = save_config(tmp_path / "tiny")
    save(folder / "model.safetensors", table({**llama(), "surprise": ("BF16", (10, 10))}))
    assert [w for w in read(folder).warnings if "+100 " in w] == list(read(folder).warnings) != []
    save(folder / "model.safetensors", table({**llama(), "model.rotary_emb.inv_freq": ("F32", (8,))}))
    assert read(folder).warnings == ()
    save_config(folder, tie_word_embeddings=True)
    assert read(folder).warnings == ()
    tied = {name: shape for name, shape in llama().items() if name != "lm_head.weight"}
    save(folder / "model.safetensors", table(tied))
    assert read(folder).warnings == ()
    assert read(folder).parameters == sum(t.elements for t in read(folder).tensors)


def test_packed_weights_are_explained(tmp_path: Path) -> None:
    """Codes of several weights in one word make fewer elements than weights: a note, no warning."""
    folder = save_config(tmp_path / "tiny")
    packed = {}
    for name, (dtype, shape) in llama("F16").items():
        if "proj" in name:
            stem = name.removesuffix("weight")
            packed[f"{stem}qweight"] = ("I32", (shape[1] // 8, shape[0]))
            packed[f"{stem}scales"] = ("F16", (1, shape[0]))
        else:
            packed[name] = (dtype, shape)
    save(folder / "model.safetensors", table(packed))
    spec = read(folder)
    assert spec.warnings == ()
    assert len(spec.notes) == 1
    assert "packed into I32" in spec.notes[0]


def test_scales_are_no_weights(tmp_path: Path) -> None:
    """FP8 matrices with their scales beside them agree with the config."""
    folder = save_config(tmp_path / "tiny")
    scaled = {n + "_scale_inv": ("F32", (2, 1)) for n in llama() if "proj" in n}
    save(folder / "model.safetensors", table({**llama("F8_E4M3"), **scaled}))
    assert read(folder).warnings == ()


def test_which_files_of_a_folder_are_the_model(tmp_path: Path) -> None:
    """model.safetensors goes before others; an adapter is no model; several unrelated files are not guessed at; no shard at all is said."""
    folder = save_config(tmp_path / "tiny")
    save(folder / "adapter_model.safetensors", GOOD)
    assert read(folder).stored == "config"
    save(folder / "consolidated.safetensors", table({**llama(), "more": ("F16", (4,))}))
    save(folder / "model.safetensors", table(llama()))
    assert (read(folder).stored, read(folder).warnings) == ("safetensors", ())
    (folder / "model.safetensors").rename(folder / "first.safetensors")
    save(folder / "second.safetensors", GOOD)
    assert read(folder).stored == "config"
    assert "no index" in read(folder).warnings[0]
    bare = save_config(tmp_path / "bare")
    (bare / "model.safetensors.index.json").write_text('{"weight_map": {"a": "m.safetensors"}}')
    assert read(bare).stored == "config"
    assert "no shard" in read(bare).warnings[0]
    with pytest.raises(NotFound, match="Shard 1 of 1"):
        read(bare / "model.safetensors.index.json")


def test_a_shard_that_is_a_pointer(tmp_path: Path) -> None:
    """A shard that Git LFS has not fetched is named as such."""
    folder = save_config(tmp_path / "tiny")
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(Unreadable, match="Git LFS pointer") as caught:
        read(folder)
    assert caught.value.hint == "git lfs pull"


def test_no_config(tmp_path: Path) -> None:
    """Tensors without a config do not say how they are used."""
    save(tmp_path / "model.safetensors", table(llama()))
    for what in (tmp_path, tmp_path / "model.safetensors"):
        with pytest.raises(NotFound, match=r"config\.json"):
            read(what)
