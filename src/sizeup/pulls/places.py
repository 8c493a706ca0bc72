"""Where each tool keeps its models, and which folders and links make it find one. Nothing is written outside the folder that is named.

Layouts: huggingface_hub 2.4.0 (file_download.py); llama.cpp since spring 2026 (common/hf-cache.cpp) keeps what `-hf` fetches in that
same cache; ollama of 2026-08 (manifest/paths.go); LM Studio's documentation (lmstudio.ai/docs, import models).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from sizeup import tool_folders
from sizeup.download import Item, inside
from sizeup.download.disk import in_words
from sizeup.download.item import SCRATCH
from sizeup.errors import Unreadable
from sizeup.home import write_atomically
from sizeup.readers.hub_list import RepoFile, Repository
from sizeup.readers.registry import Manifest

TOOLS = ("llama.cpp", "ollama", "lmstudio", "hf")
"""Tools whose own folders are known."""


def root(tool: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder in which a tool of TOOLS looks for its models."""
    if tool == "ollama":
        stores = tool_folders.ollama(environment)
        return next((store for store in stores if store.is_dir()), stores[0])
    return tool_folders.lmstudio(Path.home()) if tool == "lmstudio" else tool_folders.hub_cache(environment)


def item(repo: Repository, file: RepoFile, path: Path, scratch: Path) -> Item:
    """A file of a repository at its place. Raises Unreadable when the list does not say how long it is."""
    if file.bytes is None:
        raise Unreadable(f"The hub does not say how long {file.path} is.", "another repository")
    return Item(repo.address(file.path), path, scratch, file.path, file.bytes, file.sha256, file.git_oid)


class Cache:
    """Hugging Face's cache: content by its checksum, and a folder of links for each commit."""

    def __init__(self, folder: Path, repo: Repository, files: Sequence[RepoFile]) -> None:
        self.folder = folder / ("models--" + repo.id.replace("/", "--"))
        self.repo, self.files = repo, files

    def items(self) -> list[Item]:
        found = []
        for file in self.files:
            name = file.sha256 or file.git_oid
            if name is None:
                raise Unreadable(f"The hub states no checksum of {file.path}.", "another repository")
            inside(self._snapshot, file.path)
            found.append(item(self.repo, file, self.folder / "blobs" / name, self.folder / SCRATCH))
        return found

    def finish(self) -> Path:
        """Make the links, and last the name of the revision. The path of the first file."""
        links = [inside(self._snapshot, file.path) for file in self.files]
        for file, link in zip(self.files, links, strict=True):
            _link(self.folder / "blobs" / str(file.sha256 or file.git_oid), link)
        name = inside(self.folder / "refs", self.repo.revision)
        name.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(name, self.repo.commit.encode())
        return links[0]

    @property
    def _snapshot(self) -> Path:
        return self.folder / "snapshots" / self.repo.commit


class Plain:
    """Files in a folder under their own names; LM Studio's folder is one, with PUBLISHER/REPOSITORY before them."""

    def __init__(self, folder: Path, repo: Repository, files: Sequence[RepoFile], lmstudio: bool = False, flat: bool = True) -> None:
        self.folder = inside(folder, repo.id) if lmstudio else folder
        self.repo, self.files, self.flat = repo, files, flat

    def items(self) -> list[Item]:
        return [item(self.repo, file, self._path(file), self.folder / SCRATCH) for file in self.files]

    def finish(self) -> Path:
        return self._path(self.files[0])

    def _path(self, file: RepoFile) -> Path:
        whole = inside(self.folder, file.path)  # refused also where only the last part of it would be used
        return inside(self.folder, file.name) if self.flat else whole


class OllamaStore:
    """Ollama's store: blobs by their digest, and the manifest as it came, written last."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest

    def items(self) -> list[Item]:
        layers = {layer.digest: layer for layer in (self.manifest.weights, *self.manifest.layers, self.manifest.config)}
        # Ollama throws out of its blobs what it does not know, so that unfinished ones lie beside.
        return [
            Item(
                self.manifest.address(layer),
                self._blob(layer.digest),
                self.folder / SCRATCH,
                f"{layer.kind.rpartition('.')[2] or 'config'} {layer.sha256[:12]}",
                layer.bytes,
                layer.sha256,
            )
            for layer in layers.values()
        ]

    def finish(self) -> Path:
        name = self.manifest.name
        # The parts of a name were looked at when it was read: none of them climbs or holds a slash.
        path = self.folder.joinpath("manifests", name.host, name.namespace, name.model, name.tag)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.manifest.raw)
        path.chmod(0o644)
        return self._blob(self.manifest.weights.digest)

    def _blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "-")


Place = Cache | Plain | OllamaStore


def _link(blob: Path, link: Path) -> None:
    """A relative link from the snapshot to the blob; where the system has none, a copy."""
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        target = os.path.relpath(blob, link.parent)
        if link.is_symlink() and os.readlink(link) == target:
            return
        fresh = link.with_name(f".{link.name[:150]}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        try:
            fresh.symlink_to(target)
        except (OSError, NotImplementedError):
            shutil.copyfile(blob, fresh)
        os.replace(fresh, link)
    except OSError as error:
        raise in_words(error, link) from None
