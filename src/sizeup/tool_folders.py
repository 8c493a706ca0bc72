"""Where other tools keep their models on this machine: read to find what is there, written only by a pull for that tool."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def hub_home(environment: Mapping[str, str], home: Path | None = None) -> Path:
    """The folder of Hugging Face's tools: HF_HOME, else `huggingface` in the user's cache folder. Raises RuntimeError without a home."""
    if given := environment.get("HF_HOME"):
        return _expanded(given)
    cache = environment.get("XDG_CACHE_HOME")
    return (_expanded(cache) if cache else (home or Path.home()) / ".cache") / "huggingface"


def hub_cache(environment: Mapping[str, str], home: Path | None = None) -> Path:
    """Hugging Face's cache of models, which llama.cpp's `-hf` shares since spring 2026."""
    given = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE")
    return _expanded(given) if given else hub_home(environment, home) / "hub"


def lmstudio_home(home: Path) -> Path:
    """LM Studio's own folder: where its pointer file says, else the usual one, else the one of old versions where that alone is there."""
    try:
        said = (home / ".lmstudio-home-pointer").read_text("utf-8").strip()
        if said and Path(said).is_dir():
            return Path(said)
    except (OSError, ValueError):
        pass
    usual, old = home / ".lmstudio", home / ".cache/lm-studio"
    return old if old.is_dir() and not usual.is_dir() else usual


def lmstudio(home: Path) -> Path:
    """LM Studio's folder of models: the one that its settings name, else `models` in its own."""
    own = lmstudio_home(home)
    try:
        said = json.loads((own / "settings.json").read_bytes()).get("downloadsFolder")
        if isinstance(said, str) and said and Path(said).is_dir():
            return Path(said)
    except (OSError, ValueError, AttributeError):
        pass
    return own / "models"


def ollama(environment: Mapping[str, str], home: Path | None = None) -> list[Path]:
    """Ollama's model folders: the one it was told, the user's, and the one of a system service."""
    given = environment.get("OLLAMA_MODELS")
    if given:
        return [Path(given).expanduser()]
    service = Path("/usr/share/ollama/.ollama/models")
    try:
        own = (home or Path.home()) / ".ollama/models"
    except RuntimeError:  # a user without a home
        return [service]
    return [own] if home else [own, service]


def _expanded(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()
