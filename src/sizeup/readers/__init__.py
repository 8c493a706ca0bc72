"""Any model by whatever a person has of it: a path, a hub id, an Ollama tag, a name."""

from __future__ import annotations

import os
from pathlib import Path

from sizeup.errors import NotAllowed, NotFound, Unavailable, UserError
from sizeup.model import ModelSpec

LONGEST_NAME = 4096


def read(what: str | os.PathLike[str], assume: str | None = None, offline: bool | None = None, online: bool = False) -> ModelSpec:
    """The model that `what` names: the path of a .gguf (any part of a split one), a config.json, a .safetensors or a folder;
    `ollama:NAME:TAG` (the pulled file if it is here); a catalogue id, tag or plain name; `ORG/NAME[:QUANT][@REVISION]` of the hub.

    What this disk and the shipped catalogue lack is read on the hub or in Ollama's registry, headers only (docs/online.md); with
    `online` what the catalogue has, too. `offline` forbids it; None asks SIZEUP_OFFLINE and HF_HUB_OFFLINE. `assume` reads an unknown
    architecture as this one, and the result says so. Raises NotFound, Unavailable, Unreadable or UserError: one sentence and a way out.
    """
    name = os.fspath(what)
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        raise UserError("No model is named so." if name else "No model is named.", "sizeup fit qwen3:8b, or the path of a .gguf")
    if name.startswith("ollama:"):
        return _ollama(name, assume, offline, online)
    from . import local

    path = Path(name).expanduser() if name.startswith("~") else Path(name)
    if not isinstance(what, str) or local.looks_like_path(name) or local.is_model_here(path):
        if name.lower().startswith(("http://", "https://")) or name.lower().startswith(("hf.co/", "huggingface.co/")):
            return _address(name, path, assume, offline, online)
        return local.read_path(path, assume)
    return _named(name, path, assume, offline, online)


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


def _named(name: str, path: Path, assume: str | None, offline: bool | None, online: bool) -> ModelSpec:
    """The catalogue's model, else the hub's: nothing is asked of anybody for what is shipped."""
    from .online import missing_package, not_reached, read_hub, reference

    wanted = reference(name)
    if wanted is not None and (online or wanted.exact):
        return read_hub(wanted, assume, _forbidden(offline))
    try:
        return _catalogue(name, path)
    except NotFound as error:
        if wanted is None or type(error) is not NotFound:
            raise
        because = _forbidden(offline)
        if because:
            raise NotFound(error.message, f"{error.hint}; or the same without {because}") from None
        if missing_package():
            raise NotFound(error.message, f'{error.hint}; or pip install ".[hub]" in the folder of sizeup') from None
    try:
        return read_hub(wanted, assume, "")
    except Unavailable as error:
        raise not_reached(name, error) from None


def _forbidden(offline: bool | None) -> str:
    """What forbids the network; "" when it may be used."""
    from sizeup.net.settings import offline_because

    # Nothing said is not the same as "allowed": the environment may forbid it.
    return offline_because(True if offline else None)


def _ollama(name: str, assume: str | None, offline: bool | None, online: bool) -> ModelSpec:
    from .ollama import stored

    blob = None if online else stored(name)
    if blob is not None:
        from .local import read_path

        return read_path(blob, assume)
    from .online import missing_package, read_ollama

    because = _forbidden(offline)
    if online:
        return read_ollama(name, assume, because)
    try:
        return _catalogue(name, Path(name))
    except NotFound as error:
        if type(error) is not NotFound or because or missing_package():
            raise
    return read_ollama(name, assume, because)


def _address(name: str, path: Path, assume: str | None, offline: bool | None, online: bool) -> ModelSpec:
    from .catalogue import HUB

    if HUB.match(name):
        return _named(name, path, assume, offline, online)
    raise Unavailable(
        f"Only the hub and Ollama's registry are read online, and {name[:80]} is elsewhere.", "the file, downloaded, by its path"
    )


__all__ = ["read", "read_published"]
