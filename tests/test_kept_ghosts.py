"""Ghosts that are kept: what other programs take for a model has its names, types and shapes, takes no room, and is honest of what is missing."""

from __future__ import annotations

import functools
import importlib.util
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFReader

import sizeup as package
from sizeup.errors import Refused, SizeupError, Unavailable, UserError
from sizeup.facts import Source
from sizeup.ghost import formats, keep, room
from sizeup.ghost.keepsake import File, Keepsake
from sizeup.ghost.shards import INDEX, shards
from sizeup.ghost.skeleton import Entry, Skeleton, skeleton
from sizeup.ghost.tokenizer import byte_letters, texts, tokenizer_files
from sizeup.model import ModelSpec
from sizeup.readers.config import spec_from_config
from sizeup.readers.safetensors import read_headers
from sizeup.search import fit
from tests import checkpoints
from tests.program import Run

RECORDED = Path(__file__).parent / "data" / "transformers_checkpoints.jsonl.xz"

DISAGREE = {
    "google/gemma-3-12b-it": "the config in the catalogue leaves out that the image tower has no pooling head, and the class takes one",
    "ibm-granite/granite-3.0-1b-a400m-base": "the config in the catalogue names its experts otherwise than the class",
    "swiss-ai/Apertus-70B-2509": "two constants of every activation are stored beside its weights",
    "zai-org/GLM-4-32B-0414": "the config in the catalogue leaves out that attention has no bias, and the class takes one",
    "Skywork/Skywork-Reward-Llama-3.1-8B-v0.2": "a classifier has no output projection, which our layers count",
}
"""Models whose class has other weights than our layers, and why. Their ghosts say by how many."""


@functools.cache
def recorded() -> tuple[str, tuple[dict[str, Any], ...]]:
    """The library that was asked, and its answers."""
    head, *rows = map(json.loads, lzma.decompress(RECORDED.read_bytes()).splitlines())
    return head["source"], tuple(rows)


def answer(row: dict[str, Any]) -> tuple[ModelSpec, Skeleton]:
    entries = tuple(Entry(name, kind, tuple(shape)) for name, kind, shape in row["tensors"])
    return spec_from_config(row["config"], row["id"], Source("published", row["id"])), Skeleton(row["class"], recorded()[0], entries)


def breakdown(model: ModelSpec) -> Any:
    try:
        return fit(model, quant="Q8_0", context_tokens=4096, gpu_layers=0)[0].breakdown.to_json()
    except Refused as error:
        return error.message


def test_every_class_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: of every class that transformers has for the catalogue, our reader finds the names, types and shapes that it gave, counts
    the weights of the layers, and plans as from the config; on disk there are headers alone."""
    said = set()
    for number, row in enumerate(recorded()[1]):
        model, found = answer(row)
        monkeypatch.setattr(formats, "skeleton", lambda model, dtype, found=found: found)
        ghost, where = formats.safetensors(model, shard_bytes=2 * 10**9), tmp_path / str(number)
        keep.keep(ghost, where)
        headers = read_headers(where / INDEX)
        stored = {tensor.name: (tensor.type, tensor.shape) for header in headers for tensor in header.tensors}
        assert stored == {entry.name: (entry.tensor().type, entry.tensor().shape) for entry in found.entries}
        assert all(header.metadata == {"format": "pt"} and header.warnings == () for header in headers)
        again = package.read(where)
        if again.warnings != model.warnings:
            said.add(model.name)
            assert "disagree" in " ".join(ghost.notes)
        assert breakdown(again) == breakdown(model)
        assert sum(path.stat().st_blocks * 512 for path in where.iterdir()) < ghost.disk_bytes + 8192 * len(ghost.files)
        assert sum(path.stat().st_size for path in where.iterdir()) == ghost.file_bytes
    assert len(recorded()[1]) >= 75
    assert said == set(DISAGREE)


def test_shards_hold_every_tensor_once() -> None:
    """No shard is larger than asked but for a tensor that is larger itself; names are numbered as save_pretrained numbers them."""
    entries = [Entry(f"t{number}", "BF16", (number, 500)) for number in range(1, 9)] + [Entry("scalar", "F32", ())]
    found = shards(entries, 5000)
    assert [shard.name for shard in found][:1] == [f"model-00001-of-{len(found):05}.safetensors"]
    lengths = [int.from_bytes(shard.header[:8], "little") for shard in found]
    listed = [{k: v for k, v in json.loads(shard.header[8:]).items() if k != "__metadata__"} for shard in found]
    assert [name for shard in listed for name in shard] == [entry.name for entry in entries]
    assert all(length % 8 == 0 for length in lengths)
    assert all(shard.file_bytes - len(shard.header) <= 5000 or len(part) == 1 for shard, part in zip(found, listed, strict=True))
    assert listed[-1]["scalar"]["shape"] == []


@pytest.mark.parametrize("vocabulary", [1, 100, 259, 32000])
def test_a_tokenizer_has_the_right_size(vocabulary: int) -> None:
    """Every number has a text of its own, and the first are controls and bytes."""
    assert len(set(texts(vocabulary))) == vocabulary
    assert len(set(byte_letters())) == 256
    made = json.loads(tokenizer_files(vocabulary, None)["tokenizer.json"])
    assert sorted(made["model"]["vocab"].values()) == list(range(vocabulary))


def test_without_the_library_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Config and tokenizer are there, no tensors, and two sentences: how to have them, and who can do without."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ghost = formats.safetensors(package.read("Qwen/Qwen3-8B"))
    assert [file.name for file in ghost.files] == ["config.json", "tokenizer.json", "tokenizer_config.json"]
    assert 'pip install ".[transformers]" in the folder of sizeup' in ghost.notes[0]
    assert "There are no tensors" in ghost.notes[1]
    assert ghost.commands == ("vllm serve {folder} --load-format dummy",)
    assert formats.safetensors(package.read("Qwen/Qwen3-8B"), config_only=True).tensors == 0


def test_what_differs_from_the_real_model_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A config that wants packed tensors or names no class is changed in the ghost, and the ghost says so; other people's code never runs."""
    config = {**checkpoints.LLAMA, "quantization_config": {"quant_method": "fp8"}, "auto_map": {"AutoModel": "x--y"}, "architectures": []}
    entries = tuple(Entry(name, kind, shape) for name, (kind, shape) in checkpoints.llama().items())
    monkeypatch.setattr(formats, "skeleton", lambda model, dtype: Skeleton("LlamaForCausalLM", "transformers 0", entries))
    ghost = formats.safetensors(spec_from_config(config, "small"))
    written = json.loads(ghost.files[0].content)
    assert "quantization_config" not in written
    assert (written["architectures"], written["torch_dtype"]) == (["LlamaForCausalLM"], "bfloat16")
    assert len(ghost.notes) == 2
    monkeypatch.setattr(formats, "skeleton", lambda model, dtype: Skeleton("LlamaForCausalLM", "transformers 0", entries[:-1]))
    assert "disagree" in formats.safetensors(spec_from_config(config, "small")).notes[-1]


def test_a_checkpoint_that_is_here_gives_its_own_headers(tmp_path: Path) -> None:
    """A local checkpoint's ghost has the very bytes of its headers, in its own formats, and no library is asked."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "config.json").write_text(json.dumps(checkpoints.LLAMA))
    checkpoints.save(here / "model.safetensors", checkpoints.table(checkpoints.llama("F32")))
    ghost = formats.safetensors(package.read(here))
    keep.keep(ghost, tmp_path / "there")
    start = read_headers(here / "model.safetensors")[0].data_start
    copied = (tmp_path / "there" / "model.safetensors").read_bytes()
    assert copied[:start] == (here / "model.safetensors").read_bytes()[:start]
    assert len(copied) == (here / "model.safetensors").stat().st_size
    assert not any(copied[start:])
    assert package.read(tmp_path / "there").tensors == package.read(here).tensors


def test_a_header_alone_has_no_config(tmp_path: Path) -> None:
    """A GGUF file becomes a GGUF ghost; for safetensors the sentence says what it lacks."""
    ghost = formats.gguf(package.read("Qwen/Qwen3-8B"), "Q4_K_M")
    keep.keep(ghost, tmp_path / "ghost")
    path = tmp_path / "ghost" / "Qwen3-8B-Q4_K_M.gguf"
    assert len(GGUFReader(path).tensors) == ghost.tensors
    assert path.stat().st_blocks * 512 < 8 << 20 < path.stat().st_size
    local = package.read(path)
    assert formats.gguf(local).parameters == ghost.parameters
    with pytest.raises(UserError, match=r"has no config\.json"):
        formats.safetensors(local)


def test_nothing_is_written_where_it_must_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with something in it, a file, no room, a disk without holes: one sentence each, and nothing has changed."""
    ghost = formats.gguf(package.read("HuggingFaceTB/SmolLM2-135M"), "Q8_0")
    full, new = tmp_path / "full", tmp_path / "new" / "deep"
    full.mkdir()
    (full / "mine").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        keep.keep(ghost, full)
    with pytest.raises(UserError, match="is a file"):
        keep.keep(ghost, full / "mine")
    with pytest.raises(Unavailable, match=r"of disk, and 1\.00 KiB may be used"):
        keep.keep(ghost, new, 1024)
    with monkeypatch.context() as patch:
        patch.setattr(keep, "has_holes", lambda where: False)
        with pytest.raises(Unavailable, match="would really take 13"):
            keep.keep(ghost, new)
    assert not new.parent.exists()
    assert [path.name for path in full.iterdir()] == ["mine"]


def test_an_error_half_way_leaves_nothing(tmp_path: Path) -> None:
    """What the disk refuses is said, and what was written before is removed; a folder that was there stays."""
    good = File("a", b"a", 1)
    ghost = Keepsake("gguf", (good, File("no/where", b"", 0)), 0, 0)
    (tmp_path / "there").mkdir()
    for where in (tmp_path / "there", tmp_path / "new"):
        with pytest.raises(Unavailable, match="cannot be written"):
            keep.keep(ghost, where)
    assert list((tmp_path / "there").iterdir()) == []
    assert not (tmp_path / "new").exists()


def test_a_small_file_tells_whether_a_disk_has_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks decide where the system counts them, free space where it does not; nothing stays behind."""
    assert room.has_holes(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(room, "_taken", lambda status: status.st_size)
        assert not room.has_holes(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_verb(sizeup: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes first, then the commands; the JSON has both; mistakes are one sentence."""
    said = sizeup("ghost", "smollm2:135m", "--format", "gguf", "--quant", "Q8_0", "--to", str(tmp_path / "a"))
    assert (said.code, said.err) == (0, "")
    assert said.out.index("really take") < said.out.index("llama-server -m")
    again = json.loads(sizeup("ghost", "smollm2:135m", "--config-only", "--to", str(tmp_path / "b"), "--json").out)
    assert again["commands"] == [f"vllm serve {tmp_path / 'b'} --load-format dummy"]
    assert (again["tensors"], again["parameters"], again["expected_parameters"]) == (0, None, 134515008)
    assert sizeup("fit", str(tmp_path / "b")).code in (0, 3)
    for args in (["smollm2:135m"], ["smollm2:135m", "--to", str(tmp_path / "a")], ["smollm2:135m", "--to", "x", "--dtype", "int3"]):
        wrong = sizeup("ghost", *args)
        assert (wrong.code, wrong.out, wrong.err.splitlines()[1][:5]) == (2, "", "Try: ")


@pytest.mark.transformers
@pytest.mark.parametrize(
    "id", ["openai-community/gpt2", "state-spaces/mamba-1.4b-hf", "mistralai/Mixtral-8x7B-v0.1", "microsoft/OptiMind-SFT"]
)
def test_the_library_names_what_was_recorded(id: str) -> None:
    """The installed transformers gives the recorded names, types and shapes."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    (row,) = [row for row in recorded()[1] if row["id"] == id]
    model, found = answer(row)
    again = skeleton(model)
    assert (again.class_name, again.entries) == (found.class_name, found.entries)


TINY: dict[str, dict[str, Any]] = {
    "llama": checkpoints.LLAMA,
    "mixtral": {
        **checkpoints.LLAMA, "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "num_local_experts": 4, "num_experts_per_tok": 2,
    },
    "gemma2": {**checkpoints.LLAMA, "model_type": "gemma2", "architectures": ["Gemma2ForCausalLM"], "tie_word_embeddings": True},
    "qwen3": {**checkpoints.LLAMA, "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]},
}  # fmt: skip


@pytest.mark.transformers
@pytest.mark.parametrize("kind", TINY)
@pytest.mark.filterwarnings("ignore")
def test_the_library_loads_a_ghost_and_runs(kind: str, tmp_path: Path) -> None:
    """from_pretrained finds every tensor it wants and none that it does not; a forward pass gives zeros; the tokenizer works."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    try:
        ghost = formats.safetensors(spec_from_config(TINY[kind], kind), shard_bytes=20_000)
    except SizeupError as error:
        pytest.fail(error.message)
    keep.keep(ghost, tmp_path / "ghost")
    model, told = getattr(transformers, ghost.class_name).from_pretrained(tmp_path / "ghost", output_loading_info=True)
    assert {name: found for name, found in told.items() if found} == {}
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "ghost")
    assert len(tokenizer) == TINY[kind]["vocab_size"]
    numbers = tokenizer("hi", return_tensors="pt")["input_ids"].clamp(max=255)
    with torch.no_grad():
        assert not model(numbers).logits.any()
