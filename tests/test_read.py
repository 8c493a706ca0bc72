"""Whatever a person has of a model is read; whatever is none is one sentence that says what it is, and a way out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path

import pytest

from sizeup import read
from sizeup.errors import NotFound, SizeupError, Unavailable, Unreadable, UserError
from sizeup.readers import catalogue_data, ollama
from tests.ghosts import unpack

QWEN = catalogue_data.config("Qwen/Qwen3-8B")
GHOST = "Llama-3.2-1B-Q4_0"


def save_config(folder: Path, config: object = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    path.write_text(json.dumps(QWEN if config is None else config))
    return path


def test_a_config_and_its_folder_are_the_same_model(tmp_path: Path) -> None:
    """A config.json and its folder describe one model, named after the folder."""
    path = save_config(tmp_path / "My-Qwen")
    expected = read("Qwen/Qwen3-8B").parameters
    for what in (path, path.parent, str(path)):
        found = read(what)
        assert (found.parameters, found.name, found.source.kind) == (expected, "My-Qwen", "read")


def test_a_gguf_and_its_folder(tmp_path: Path) -> None:
    """A GGUF file is read by path, and a folder with one of them (a projector beside it) is that one."""
    path = unpack(GHOST, tmp_path)
    (tmp_path / "mmproj-f16.gguf").write_bytes(b"GGUF")
    assert read(path).stored == "gguf"
    assert read(tmp_path).parameters == read(path).parameters
    unpack(GHOST, tmp_path).rename(tmp_path / "second.gguf")
    unpack(GHOST, tmp_path)
    with pytest.raises(UserError, match="holds 2 GGUF models") as caught:
        read(tmp_path)
    assert "second.gguf" in caught.value.hint


def test_a_file_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file called like a model is the file; a folder without a model in it is not."""
    monkeypatch.chdir(tmp_path)
    unpack(GHOST, tmp_path).rename(tmp_path / "gemma2")
    assert read("gemma2").stored == "gguf"
    (tmp_path / "gemma2").unlink()
    (tmp_path / "gemma2").mkdir()
    assert read("gemma2").name == "google/gemma-2-9b-it"
    (tmp_path / "nonsense").mkdir()
    with pytest.raises(NotFound, match="The folder of that name holds no"):
        read("nonsense")


def test_a_name_relative_to_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path from ~ is the user's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    save_config(tmp_path / "models" / "m")
    assert read("~/models/m").name == "m"


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n  <HTML><head>", "web page"),
        (b"\x80\x02}q\x00.", "pickle"),
        (b"\x1f\x8b\x08\x00\x00", "gzip"),
        (b"lmgg\x01\x00", "before GGUF"),
        (b"tjgg\x03\x00\x00\x00", "before GGUF"),
        (b"\x00" * 4096, "all zeros"),
        (b"hello, world", "begins with “hell”"),
        (b"\xde\xad\xbe\xef", "begins with “de ad be ef”"),
        (b"GGUF", ""),
        (b"GGUF\x03\x00\x00\x00" + b"\xff" * 16, ""),
        (b"GGUF\x03\x00\x00\x00" + (1 << 60).to_bytes(8, "little") + (1).to_bytes(8, "little"), ""),
    ],
)
def test_what_is_no_model_file_says_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    """A wrong file is one sentence that names it and what it is, quickly, with a way out."""
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    begin = time.perf_counter()
    with pytest.raises(Unreadable) as caught:
        read(path)
    assert time.perf_counter() - begin < 1
    assert words in caught.value.message
    assert "model.gguf" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_pytorch_archive(tmp_path: Path) -> None:
    """PyTorch's own files are named as such."""
    zipped(tmp_path / "pytorch_model.bin")
    with pytest.raises(Unreadable, match="zip archive, as PyTorch"):
        read(tmp_path / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("{", "is not JSON: line 1"),
        ("[1, 2]", ""),
        ("{}", ""),
        ('{"model_type": "no-such-type"}', "no-such-type"),
        ('{"model_type": 7}', ""),
        ("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("[" * 100_000, "nested too deeply"),
        ('{"model_type": "llama"}', ""),
    ],
)
def test_configs_that_are_none(content: str, words: str, tmp_path: Path) -> None:
    """A broken config is one sentence, never a traceback, and an unknown architecture is named."""
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(Unreadable) as caught:
        read(path)
    assert words in caught.value.message
    assert caught.value.hint


def test_folders_without_a_model(tmp_path: Path) -> None:
    """An empty folder, a folder of folders, and weights without a config each say what is missing."""
    with pytest.raises(NotFound, match="holds no model"):
        read(tmp_path)
    save_config(tmp_path / "inside")
    with pytest.raises(NotFound) as caught:
        read(tmp_path)
    assert "inside" in caught.value.hint
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    for what in (tmp_path / "weights", tmp_path / "weights" / "model.safetensors"):
        with pytest.raises(NotFound, match=r"config\.json"):
            read(what)


@pytest.mark.parametrize(
    "name", ["./absent.gguf", "absent.gguf", "/no/such/place", "a/b/c.safetensors", "..\\models\\m.gguf", "C:\\models\\m", "x.json"]
)
def test_a_path_that_is_not_there_is_no_unknown_model(name: str) -> None:
    """What looks like a path is a missing file, not a missing model."""
    with pytest.raises(NotFound, match="There is no file"):
        read(name)


def test_a_misspelt_path_suggests(tmp_path: Path) -> None:
    """A missing file offers the files of a similar name beside it."""
    unpack(GHOST, tmp_path)
    with pytest.raises(NotFound) as caught:
        read(tmp_path / "Llama-3.2-1B-Q4_O.gguf")
    assert f"{GHOST}.gguf" in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe")
def test_what_is_no_regular_file(tmp_path: Path) -> None:
    """A pipe or a device is refused before it is opened: reading it would never end."""
    os.mkfifo(tmp_path / "pipe.gguf")
    for path in (tmp_path / "pipe.gguf", Path("/dev/zero")):
        with pytest.raises(Unreadable, match="not a regular file"):
            read(path)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the right to read it says so."""
    path = unpack(GHOST, tmp_path)

    def refused(self: Path, *arguments: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(Unreadable, match="You may not read"):
        read(path)


@pytest.mark.parametrize("name", ["", "   ", "x" * 5000, "a\0b"])
def test_names_that_are_none(name: str) -> None:
    """Nothing, or far too much, is a mistake of the user's."""
    with pytest.raises(UserError):
        read(name)


def test_an_address() -> None:
    """An address that is not the hub's nor Ollama's is not read, and says so."""
    with pytest.raises(Unavailable, match="is elsewhere"):
        read("https://example.com/model.gguf")
    assert read("https://huggingface.co/Qwen/Qwen3-8B").name == "Qwen/Qwen3-8B"


def store(folder: Path, tag: str, blob: Path | None, digest: str | None = None) -> None:
    """Write what `ollama pull` leaves behind."""
    digest = digest or (hashlib.sha256(blob.name.encode()).hexdigest() if blob else "0" * 64)
    family, _, name = tag.partition(":")
    manifest = folder / "manifests" / "registry.ollama.ai" / "library" / family / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    layers = [{"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": 1}]
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))
    if blob:
        (folder / "blobs").mkdir(exist_ok=True)
        shutil.move(blob, folder / "blobs" / f"sha256-{digest}")


def test_a_pulled_ollama_model_is_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag that Ollama has here is the file it has; one that it has not is the catalogue's."""
    folder = tmp_path / "models"
    store(folder, "gemma2:2b", unpack(GHOST, tmp_path))
    monkeypatch.setenv("OLLAMA_MODELS", str(folder))
    assert read("ollama:gemma2:2b").stored == "gguf"
    assert read("ollama:gemma2:9b").stored == "config"
    assert read("ollama:gemma2:9b").name == "google/gemma-2-9b-it"
    assert read("gemma2:2b").stored == "config"


def test_a_broken_ollama_store(tmp_path: Path) -> None:
    """A manifest that is broken, whose file is gone, or that has no weights says so; a hostile name leaves the store alone."""
    environment = {"OLLAMA_MODELS": str(tmp_path)}
    store(tmp_path, "gone:1b", None)
    store(tmp_path, "cloud:1b", None)
    broken = tmp_path / "manifests" / "registry.ollama.ai" / "library"
    (broken / "bad").mkdir()
    (broken / "bad" / "1b").write_text("{")
    (broken / "cloud" / "1b").write_text('{"layers": [{"mediaType": "x", "digest": "../../etc/passwd"}]}')
    for name, words in (("gone:1b", "is gone"), ("bad:1b", "is not JSON"), ("cloud:1b", "has no weights")):
        with pytest.raises(Unreadable, match=words):
            ollama.stored(name, environment)
    for name in ("../../x:1b", "..:..", "a/../b:1", "x:../../y", "ollama:", "\0:1b"):
        assert ollama.stored(name, environment) is None


@pytest.mark.parametrize(
    "name", ["gpt-4o", "no-such-model-at-all", "./x.gguf", "granite4", "nobody/nothing", "llama 8b", "ollama:zzz:1b", "zzz:1b"]
)
def test_every_error_has_a_sentence_and_a_way_out(name: str) -> None:
    """One sentence, one way out, within a second."""
    begin = time.perf_counter()
    with pytest.raises(SizeupError) as caught:
        read(name)
    assert time.perf_counter() - begin < 1
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint
