"""A model on this disk: a GGUF file, a config.json, a safetensors file, or a folder of them. What is none says what it is."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

from sizeup.errors import NotFound, Unreadable, UserError, close_names
from sizeup.facts import Source
from sizeup.model import ModelSpec
from sizeup.units import show_bytes

LARGEST_CONFIG_BYTES = 64 << 20
SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
SUFFIXES = (".gguf", ".safetensors", ".json", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".zip", ".ggml", ".npz", ".h5")
"""Endings that only a file has: a name with one is a path, whether it is there or not."""
KINDS = (
    (b"PK\x03\x04", "a zip archive, as PyTorch saves weights (.bin, .pt)", "the model's .gguf or .safetensors file, or its config.json"),
    (b"\x80\x02", "a Python pickle, as old PyTorch saves weights", "the model's .gguf or .safetensors file, or its config.json"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it points to", "git lfs pull"),
    (b"<!doctype html", "a web page", "the download link of the file itself"),
    (b"<html", "a web page", "the download link of the file itself"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"lmgg", "a GGML file from before GGUF", "a .gguf of the same model"),
    (b"fmgg", "a GGML file from before GGUF", "a .gguf of the same model"),
    (b"tjgg", "a GGML file from before GGUF", "a .gguf of the same model"),
    (b"algg", "a LoRA adapter in a format from before GGUF", "the model it adapts"),
    (b"\x89HDF", "an HDF5 file", "the model's .gguf or .safetensors file, or its config.json"),
    (b"\x08\x07", "an ONNX file", "the model's .gguf or .safetensors file, or its config.json"),
    (b"\x7fELF", "a program", "the model's .gguf file"),
    (b"%PDF", "a PDF", "the model's .gguf file"),
)
"""First bytes (compared without case) -> what such a file is, and what to give in its place."""


def looks_like_path(name: str) -> bool:
    """Whether only a path can be meant, as no model is called so."""
    return (
        name.startswith((".", "/", "~"))
        or "\\" in name
        or name.count("/") > 1
        or name.lower().endswith(SUFFIXES)
        or bool(re.match(r"^[A-Za-z]:[\\/]", name))
    )


def is_model_here(path: Path) -> bool:
    """Whether there is a file of this name, or a folder with something of a model in it."""
    try:
        return path.is_file() or (path.is_dir() and ((path / "config.json").is_file() or any(path.glob("*.gguf"))))
    except OSError:
        return False


def read_path(path: Path, assume: str | None = None) -> ModelSpec:
    """The model of a file or folder. Raises NotFound, Unreadable, or UserError for a folder of several models."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", _nearby(path)) from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.", "a file that you may read") from None
    if stat.S_ISDIR(mode):
        return _folder(path, assume)
    if not stat.S_ISREG(mode):
        raise Unreadable(f"{path} is not a regular file.", "the path of a .gguf, .safetensors or config.json")
    start = _start(path)
    if start[:4] in (b"GGUF", b"FUGG"):
        return _gguf(path, assume)
    if path.suffix == ".json" or start.lstrip()[:1] == b"{":
        return _json(path, assume)
    if _is_safetensors(start):
        return _safetensors(path, assume)
    what, way_out = kind(start)
    raise Unreadable(f"{path} is {what}.", way_out)


def kind(start: bytes) -> tuple[str, str]:
    """What a file is by its first bytes, and what to give in its place."""
    for magic, what, way_out in KINDS:
        if start.lstrip(b"\xef\xbb\xbf \r\n\t")[: len(magic)].lower() == magic.lower():
            return what, way_out
    if not start.strip(b"\0"):
        return "all zeros at its start, as a download that never finished", "download it again"
    from .gguf import begun

    return f"no model file: it begins with “{begun(start)}”, not with “GGUF”", "a .gguf, a .safetensors, a config.json or a folder of them"


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except PermissionError:
        raise Unreadable(f"You may not read {path}.", f"chmod u+r {path}, or another copy") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.", "another copy of the file") from None
    if not start:
        raise Unreadable(f"{path} is empty.", "download it again")
    return start


def _is_safetensors(start: bytes) -> bool:
    return len(start) > 8 and start[8:9] == b"{" and 0 < int.from_bytes(start[:8], "little") < 1 << 32


def _gguf(path: Path, assume: str | None) -> ModelSpec:
    from .gguf import read_headers
    from .gguf_model import spec_from_gguf

    return spec_from_gguf(read_headers(path), assume=assume)


def _safetensors(path: Path, assume: str | None) -> ModelSpec:
    config = path.parent / "config.json"
    if not config.is_file():
        raise NotFound(
            f"{path.name} holds tensors but not how they are used, and there is no config.json beside it.",
            f"the model's config.json in {path.parent}",
        )
    from .checkpoint import with_weights

    return with_weights(_config(config, assume, path.parent.resolve().name), path)


def _json(path: Path, assume: str | None) -> ModelSpec:
    if path.name.endswith(".safetensors.index.json"):
        return _safetensors(path, assume)
    return _config(path, assume, path.resolve().parent.name if path.name == "config.json" else path.stem)


def _config(path: Path, assume: str | None, name: str) -> ModelSpec:
    from .config import spec_from_config

    config = _parsed(path)
    said = config.get("_name_or_path") if isinstance(config, dict) else None
    if not isinstance(said, str) or not 0 < len(said) < 200 or looks_like_path(said):
        said = name
    return spec_from_config(config, said, Source("read", str(path)), assume=assume)


def _parsed(path: Path) -> Any:
    _start(path)
    try:
        size = path.stat().st_size
        if size > LARGEST_CONFIG_BYTES:
            raise Unreadable(f"{path} is {show_bytes(size)}; a config has some kilobytes.", "the model's config.json")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.", "another copy of the file") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path} is not text.", "the model's config.json") from None
    except json.JSONDecodeError as error:
        what = kind(path.read_bytes()[:64])
        if not what[0].startswith("no model"):
            raise Unreadable(f"{path} is {what[0]}.", what[1]) from None
        raise Unreadable(f"{path} is not JSON: line {error.lineno}, {error.msg}.", "the model's config.json") from None
    except (ValueError, RecursionError):
        raise Unreadable(f"{path} is nested too deeply or holds an impossible number.", "the model's config.json") from None


def _folder(path: Path, assume: str | None) -> ModelSpec:
    try:
        entries = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        raise Unreadable(f"The folder {path} cannot be read: {error.strerror or error}.", "a folder that you may read") from None
    # A projector is no language model, and the parts of a split file are one.
    files = [name for name in entries if name.lower().endswith(".gguf") and not name.lower().startswith("mmproj")]
    models = {(f"{found['stem']}-of-{found['count']}" if (found := SPLIT.match(name)) else name): name for name in reversed(files)}
    if "config.json" in entries and not models:
        return _checkpoint(path, entries, assume)
    if len(models) > 1:
        raise UserError(f"{path} holds {len(models)} GGUF models.", ", ".join(str(path / name) for name in sorted(models.values())[:3]))
    if models:
        return _gguf(path / next(iter(models.values())), assume)
    weights = [name for name in entries if name.endswith((".safetensors", ".bin", ".pt", ".pth"))]
    if weights:
        raise NotFound(f"{path} holds weights ({weights[0]}) but no config.json.", f"the model's config.json in {path}")
    inside = [name for name in entries if is_model_here(path / name)][:3]
    raise NotFound(
        f"The folder {path} holds no model: no config.json, no .gguf.",
        ", ".join(str(path / name) for name in inside) or "a folder with either",
    )


def _checkpoint(path: Path, entries: list[str], assume: str | None) -> ModelSpec:
    """The config of a folder with the weights in it, where there are any."""
    from .checkpoint import weights_of, with_weights

    spec, weights = _config(path / "config.json", assume, path.resolve().name), weights_of(path, entries)
    if weights is not None:
        return with_weights(spec, weights)
    here = sum(name.endswith(".safetensors") for name in entries)
    if here:
        said = f"no index in {path} says which of its safetensors files ({here}) belong together: sizes are from the config"
    elif any(name.endswith(".safetensors.index.json") for name in entries):
        said = f"no shard that the index in {path} names is there: sizes are from the config"
    else:
        return spec
    return replace(spec, warnings=(*spec.warnings, said))


def _nearby(path: Path) -> str:
    """Files of a similar name in the same folder, for a "Try" line."""
    try:
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        names = []
    close = close_names(path.name, names[:5000], 2, 0.6)
    if close:
        return ", ".join(str(path.parent / name) for name in close)
    return "the path of a .gguf, a config.json or a folder, or a model's name"
