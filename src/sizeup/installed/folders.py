"""Models in plain folders: LM Studio's publisher/repository/file, llama.cpp's cache, and folders that a person names.

Layouts: LM Studio's documentation "Import models" (~/.lmstudio/models/publisher/model/file.gguf; before 0.3.6 ~/.cache/lm-studio; a pointer
file names another home, settings.json another folder of models); ggml-org/llama.cpp common/download.cpp of b6900 (October 2025):
LLAMA_CACHE, else the user's cache folder, one file a model, .downloadInProgress while it comes. Newer ones use the Hugging Face cache.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from sizeup import tool_folders
from sizeup.readers.local import SPLIT

from .entry import Entry, Leftover, Shelf, Store, Stored, stored

HALF = (".downloadinprogress", ".part", ".incomplete", ".crdownload", ".aria2", ".download", ".partial", ".tmp")
"""Endings of files that are still coming; LM Studio's begin with downloading_ too."""
DEEPEST = 6
MOST_FILES = 50_000


def models_in(folder: Path, files: Iterable[Stored]) -> list[tuple[str, Path, tuple[Stored, ...]]]:
    """(name below the folder, what to read, files) of each model: every .gguf, split ones once, and every folder of safetensors.

    A projector belongs to the models beside it, and an adapter or a config alone is none.
    """
    by_folder: dict[Path, list[Stored]] = {}
    for file in files:
        by_folder.setdefault(file.path.parent, []).append(file)
    found = []
    for place, here in sorted(by_folder.items()):
        ggufs = [file for file in here if file.path.name.lower().endswith(".gguf")]
        projectors = tuple(file for file in ggufs if file.path.name.lower().startswith("mmproj"))
        splits: dict[str, list[Stored]] = {}
        for file in ggufs:
            if file not in projectors:
                match = SPLIT.match(file.path.name)
                splits.setdefault(f"{match['stem']}.gguf" if match else file.path.name, []).append(file)
        for name, parts in splits.items():
            below = (place / name).relative_to(folder).as_posix()
            found.append((below, parts[0].path, (*parts, *projectors)))
        tensors = [file for file in here if file.path.name.endswith(".safetensors")]
        names = {file.path.name for file in here}
        if tensors and "config.json" in names:
            below = place.relative_to(folder).as_posix()
            found.append(("" if below == "." else below, place, tuple(tensors)))
    return found


def walk(store: Store, root: Path, shelf: Shelf) -> None:
    """Add what lies in a folder and the folders in it. Links to folders are not followed, so no loop is without an end."""
    if not root.is_dir():
        return
    shelf.roots.append(root)
    files: list[Stored] = []
    deepest = len(root.parts) + DEEPEST
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and len(Path(place).parts) < deepest)
        for name in sorted(names):
            path, lower = Path(place) / name, name.lower()
            if lower.endswith(HALF) or lower.startswith("downloading_"):
                file = stored(path)
                if file is not None and (".gguf" in lower or ".safetensors" in lower or lower.startswith("downloading_")):
                    shelf.leftovers.append(Leftover(store, "half", path, file.bytes))
            elif lower.endswith((".gguf", ".safetensors")) or name == "config.json":
                file = stored(path)
                if file is not None:
                    files.append(file)
                elif path.is_symlink():
                    shelf.leftovers.append(Leftover(store, "missing", path, 0))
        if len(files) > MOST_FILES:
            break
    for name, path, parts in models_in(root, files):
        shelf.entries.append(Entry(store, name or root.name, path, parts))


def lmstudio(home: Path, shelf: Shelf) -> None:
    """Add LM Studio's models."""
    walk("lmstudio", tool_folders.lmstudio(home), shelf)


def llamacpp(environment: Mapping[str, str], home: Path, shelf: Shelf) -> None:
    """Add what llama.cpp downloaded by itself."""
    if environment.get("LLAMA_CACHE"):
        walk("llama.cpp", Path(environment["LLAMA_CACHE"]).expanduser(), shelf)
        return
    if sys.platform == "darwin":
        folder = home / "Library/Caches"
    elif sys.platform == "win32":
        folder = Path(environment.get("LOCALAPPDATA") or home / "AppData/Local")
    else:
        folder = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    walk("llama.cpp", folder / "llama.cpp", shelf)


def named(folders: Iterable[Path], shelf: Shelf) -> None:
    """Add folders that a person named. Raises NotFound for one that is none."""
    from sizeup.errors import NotFound

    for folder in folders:
        if not folder.is_dir():
            raise NotFound(f"There is no folder {folder}.", "the path of a folder with models")
        walk("folder", folder, shelf)
