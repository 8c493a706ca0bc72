"""Any model by whatever a person has of it: a path, a hub id, an Ollama tag, a name."""

from __future__ import annotations

import os
from pathlib import Path

from sizeup.errors import NotAllowed, NotFound, Unavailable, UserError
from sizeup.model import ModelSpec

LONGEST_NAME = 4096


def read(what: str | os.PathLike[str], assume: str | None = None, offline: bool = True) -> ModelSpec:
    """The model that `what` names: the path of a .gguf (any part of a split one), a config.json, a .safetensors or a folder;
    `ollama:NAME:TAG` (the pulled file if it is here); a catalogue id, tag or plain name.

    `assume` reads an unknown architecture as this one, and the result says so. Nothing is looked up on the network yet,
    whatever `offline` says. Raises NotFound, Unreadable or UserError: one sentence and a way out.
    """
    name = os.fspath(what)
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        raise UserError("No model is named so." if name else "No model is named.", "sizeup fit qwen3:8b, or the path of a .gguf")
    if name.startswith("ollama:"):
        return _ollama(name, assume)
    from . import local

    path = Path(name).expanduser() if name.startswith("~") else Path(name)
    if not isinstance(what, str) or local.looks_like_path(name) or local.is_model_here(path):
        if name.lower().startswith(("http://", "https://")):
            return _address(name)
        return local.read_path(path, assume)
    return _catalogue(name, path)


def read_published(name: str) -> ModelSpec:
    """The catalogue's model of this name, and nothing from this disk, whatever lies there: for answers to somebody else.

    Raises NotAllowed for a path, and what the catalogue raises.
    """
    from . import local
    from .catalogue import HUB, find

    if not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        raise UserError("No model is named so." if name else "No model is named.", "sizeup fit qwen3:8b, or the path of a .gguf")
    if local.looks_like_path(name) and not HUB.match(name):
        raise NotAllowed("A model is named by its path, and this server reads no files for others.", "sizeup serve --allow-files")
    return find(name)


def _catalogue(name: str, path: Path) -> ModelSpec:
    from .catalogue import find

    try:
        return find(name)
    except NotFound as error:
        if type(error) is NotFound and path.is_dir():
            raise NotFound(f"{error.message} The folder of that name holds no config.json and no .gguf.", error.hint) from None
        raise


def _ollama(name: str, assume: str | None) -> ModelSpec:
    from .ollama import stored

    blob = stored(name)
    if blob is None:
        return _catalogue(name, Path(name))
    from .local import read_path

    return read_path(blob, assume)


def _address(name: str) -> ModelSpec:
    from .catalogue import HUB, find

    if HUB.match(name):
        return find(name)
    raise Unavailable(f"Nothing is read from the network yet, and {name[:80]} is an address.", "the file, downloaded, by its path")


__all__ = ["read", "read_published"]
