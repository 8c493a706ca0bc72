"""Ollama's store: manifests/HOST/NAMESPACE/MODEL/TAG name blobs/sha256-… by digest and size.

Layout: ollama/ollama server/manifest.go, server/download.go and envconfig/config.go of v0.12 (October 2025). Downloads that did not end
are blobs/sha256-…-partial with their pieces (…-partial-0); blobs that no manifest names are removed by Ollama when it starts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sizeup.readers.ollama import LARGEST_MANIFEST_BYTES, MODEL_LAYER
from sizeup.tool_folders import ollama as stores

from .entry import Entry, Leftover, Shelf, stored

BLOB = re.compile(r"sha256[-:]([0-9a-f]{64})(-partial(?:-\d+)?)?")
MOST_MANIFESTS = 10_000
PROJECTOR_LAYER = "application/vnd.ollama.image.projector"
ADAPTER_LAYER = "application/vnd.ollama.image.adapter"
WEIGHTS = (MODEL_LAYER, PROJECTOR_LAYER, ADAPTER_LAYER)


def find(environment: Mapping[str, str], home: Path | None, shelf: Shelf) -> None:
    """Add every tag and everything left over of Ollama's stores."""
    for folder in stores(environment, home):
        try:
            if folder.is_dir():
                shelf.roots.append(folder)
                _store(folder, shelf)
        except OSError:
            continue


def _store(folder: Path, shelf: Shelf) -> None:
    named: set[str] = set()
    sound = True
    root = folder / "manifests"
    for manifest in sorted(path for path in root.glob("*/*/*/*") if path.is_file())[:MOST_MANIFESTS]:
        host, namespace, model, tag = manifest.relative_to(root).parts
        name = "/".join([*([host] if host != "registry.ollama.ai" else []), *([namespace] if namespace != "library" else []), model])
        sound = _tag(folder, manifest, f"{name}:{tag}", named, shelf) and sound
    for blob in sorted((folder / "blobs").glob("sha256*")):
        match, file = BLOB.fullmatch(blob.name), stored(blob)
        if match is None or file is None:
            continue
        if match[2]:
            shelf.leftovers.append(Leftover("ollama", "half", blob, file.bytes))
        elif sound and match[1] not in named:
            # A manifest that cannot be read may name any of them.
            shelf.leftovers.append(Leftover("ollama", "orphan", blob, file.bytes))


def _tag(folder: Path, manifest: Path, name: str, named: set[str], shelf: Shelf) -> bool:
    """Add one tag; False when its manifest cannot be read."""
    layers = _layers(manifest)
    if layers is None:
        file = stored(manifest)
        shelf.leftovers.append(Leftover("ollama", "unreadable", manifest, file.bytes if file else 0, name))
        return False
    named |= {digest for _, digest, _ in layers}
    files = []
    for kind, digest, size in layers:
        if kind not in WEIGHTS:
            continue
        blob = folder / "blobs" / f"sha256-{digest}"
        file = stored(blob, digest)
        if file is None or file.bytes != size:
            missing = file is None
            shelf.leftovers.append(Leftover("ollama", "missing" if missing else "short", blob, file.bytes if file else 0, name, size))
            return True
        files.append((kind, file))
    weights = [file for kind, file in files if kind == MODEL_LAYER]
    # A model of the cloud has a manifest and no weights.
    if weights:
        shelf.entries.append(Entry("ollama", name, weights[0].path, tuple(file for _, file in files)))
    return True


def _layers(manifest: Path) -> list[tuple[str, str, int]] | None:
    """(media type, digest, bytes) of every layer and the config; None for what is no manifest."""
    try:
        if manifest.stat().st_size > LARGEST_MANIFEST_BYTES:
            return None
        content: Any = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("layers"), list):
        return None
    found = []
    for layer in [*content["layers"], content.get("config")]:
        if not isinstance(layer, dict):
            continue
        digest, size = re.fullmatch(r"sha256:([0-9a-f]{64})", str(layer.get("digest"))), layer.get("size")
        # A digest becomes the name of a file: anything else could lead out of the store.
        if digest is None or not isinstance(size, int) or size < 0:
            return None
        found.append((str(layer.get("mediaType")), digest[1], size))
    return found
