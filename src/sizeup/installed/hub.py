"""The Hugging Face cache: models--ORG--NAME/snapshots/REVISION/… are links to blobs/ETAG; refs/ name the revisions in use.

Layout: huggingface_hub docs "Understand caching" and file_download.py of 1.0 (October 2025). A blob of Git LFS is named by its SHA-256; one
that did not come whole ends in .incomplete. Windows without links holds the files themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sizeup.tool_folders import hub_cache

from .entry import Entry, Leftover, Shelf, stored
from .folders import models_in

MOST_FILES = 20_000


def find(environment: Mapping[str, str], home: Path, shelf: Shelf) -> None:
    """Add every snapshot of every repository that holds a model."""
    root = hub_cache(environment, home)
    if root.is_dir():
        shelf.roots.append(root)
        for repository in sorted(root.glob("models--*")):
            _repository(repository, shelf)


def _repository(repository: Path, shelf: Shelf) -> None:
    name = repository.name.removeprefix("models--").replace("--", "/", 1)
    for blob in sorted(repository.glob("blobs/*.incomplete")):
        file = stored(blob)
        if file is not None:
            shelf.leftovers.append(Leftover("hub", "half", blob, file.bytes, name))
    used = {_read(ref) for ref in repository.glob("refs/**/*") if ref.is_file()}
    seen: set[tuple[int, int]] = set()
    for snapshot in sorted(repository.glob("snapshots/*"), key=lambda path: path.name not in used):
        old = bool(used) and snapshot.name not in used
        inside = sorted(path for path in snapshot.rglob("*") if path.is_symlink() or path.is_file())[:MOST_FILES]
        files = [file for path in inside if (file := stored(path, _digest(path)))]
        for path in inside:
            if not path.exists():
                shelf.leftovers.append(Leftover("hub", "missing", path, 0, name))
        if old:
            # What the snapshot in use holds too takes no room of its own.
            own = [file for file in files if file.inode not in seen]
            if sum(file.bytes for file in own):
                shelf.leftovers.append(Leftover("hub", "old", snapshot, sum({f.inode: f.bytes for f in own}.values()), name))
            continue
        seen |= {file.inode for file in files}
        for label, path, parts in models_in(snapshot, files):
            shelf.entries.append(Entry("hub", f"{name}/{label}" if label else name, path, parts))


def _read(ref: Path) -> str:
    try:
        return ref.read_text("ascii", "replace").strip()[:200]
    except OSError:
        return ""


def _digest(path: Path) -> str:
    """The SHA-256 that the blob behind a link is named by; a Git object's shorter name is another sum."""
    try:
        target = path.resolve().name
    except (OSError, RuntimeError):
        return ""
    return target if re.fullmatch(r"[0-9a-f]{64}", target) else ""
