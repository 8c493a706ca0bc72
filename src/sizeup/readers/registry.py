"""Ollama's registry: the manifest of a tag, and the header of its weights by ranges.

Shapes: ollama v0.9.7 and main of 2026-08 (types/model/name.go, manifest/manifest.go, manifest/paths.go, server/download.go). The
registry answers without an account, and lists no tags.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sizeup.errors import NotFound, SizeupError, Unavailable, Unreadable, UserError
from sizeup.facts import Source
from sizeup.model import ModelSpec
from sizeup.net import HttpSource, Kept, Status

from .gguf import header_from
from .gguf_model import spec_from_gguf

LIBRARY_HOST = "registry.ollama.ai"
MODEL = "application/vnd.ollama.image.model"
PROJECTOR = "application/vnd.ollama.image.projector"
TENSOR = "application/vnd.ollama.image.tensor"
ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_LIMIT = 1 << 20
MOST_LAYERS = 512
LARGEST_LAYER_BYTES = 1 << 50
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}", re.ASCII)
NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}", re.ASCII)
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Name:
    """A model's name as Ollama writes it: [http[s]://][host/][namespace/]model[:tag]."""

    host: str
    namespace: str
    model: str
    tag: str
    scheme: str = "https"

    def __str__(self) -> str:
        library = self.host == LIBRARY_HOST and self.namespace == "library"
        owner = "" if library else f"{self.namespace}/" if self.host == LIBRARY_HOST else f"{self.host}/{self.namespace}/"
        return f"{owner}{self.model}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Layer:
    """One blob of a manifest."""

    kind: str
    digest: str
    bytes: int

    @property
    def sha256(self) -> str:
        return self.digest.removeprefix("sha256:")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a tag is made of. `raw` are the very bytes that Ollama keeps."""

    name: Name
    home: str
    raw: bytes
    config: Layer
    layers: tuple[Layer, ...]

    @property
    def weights(self) -> Layer:
        """The GGUF file. Raises Unreadable for a tag that has none, or several."""
        found = [layer for layer in self.layers if layer.kind == MODEL]
        if not found:
            why = "it is for MLX" if any(layer.kind == TENSOR for layer in self.layers) else "a cloud model, or another format"
            raise Unreadable(f"“{self.name}” has no GGUF weights ({why}).", "another tag")
        if len(found) > 1:
            raise Unreadable(f"“{self.name}” claims {len(found)} files of weights.", "another tag")
        return found[0]

    def address(self, layer: Layer) -> str:
        return f"{self.home}/v2/{self.name.namespace}/{self.name.model}/blobs/{layer.digest}"


def parse(text: str) -> Name:
    """The parts of a name. Raises UserError for one that Ollama would not take either."""
    plain = text.strip().removeprefix("ollama:").strip()
    scheme, mark, rest = plain.partition("://")
    scheme, rest = (scheme.lower(), rest) if mark else ("https", plain)
    path, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        path, tag = rest, "latest"
    parts = path.split("/")
    host = parts.pop(0) if len(parts) == 3 else LIBRARY_HOST
    namespace = parts.pop(0) if len(parts) == 2 else "library"
    if (
        len(parts) != 1
        or scheme not in ("http", "https")
        or not HOST.fullmatch(host)
        or not NAMESPACE.fullmatch(namespace)
        or not PART.fullmatch(parts[0])
        or not PART.fullmatch(tag)
        or any(".." in piece for piece in (host, parts[0], tag))
    ):
        raise UserError(f"“{text[:120]}” is no name of an Ollama model.", "ollama:gemma3:4b, or ollama:OWNER/MODEL:TAG")
    return Name(host.lower(), namespace, parts[0], tag, scheme)


def home_of(name: Name, registry: str, hub: str) -> str:
    """The address of the server that a name says; the hub also speaks as a registry, for `hf.co/OWNER/REPOSITORY:QUANT`."""
    if name.host == LIBRARY_HOST:
        return registry
    return hub if name.host in ("hf.co", "huggingface.co") else f"{name.scheme}://{name.host}"


def manifest(kept: Kept, name: Name) -> Manifest:
    """The manifest of a tag. Raises NotFound, Unavailable, and Unreadable for a hostile or foreign one."""
    home = kept.client.home
    address = f"{home}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"
    try:
        raw = kept.read(address, limit=MANIFEST_LIMIT).content
    except Status as error:
        raise in_words(error, name, home) from None
    return parsed(raw, name, home)


def parsed(raw: bytes, name: Name, home: str) -> Manifest:
    """A manifest from the registry's answer. Every digest and size is looked at before anything is made of it."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    layers = said.get("layers") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(layers, list) or said.get("schemaVersion") != 2:
        raise Unreadable(f"{home} answers for “{name}” with no manifest.", "another registry")
    if len(layers) > MOST_LAYERS:
        raise Unreadable(f"The manifest of “{name}” lists {len(layers):,} layers.", "another tag")
    found = tuple(_layer(entry, name) for entry in layers)
    return Manifest(name, home, raw, _layer(said.get("config"), name), found)


def _layer(entry: Any, name: Name) -> Layer:
    digest, size, kind = (
        (entry.get("digest"), entry.get("size"), entry.get("mediaType")) if isinstance(entry, Mapping) else (None, None, None)
    )
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise Unreadable(f"The manifest of “{name}” names the digest “{str(digest)[:80]}”, which is none.", "another registry")
    if type(size) is not int or not 0 <= size <= LARGEST_LAYER_BYTES:
        raise Unreadable(f"The manifest of “{name}” claims a layer of {str(size)[:40]} bytes.", "another registry")
    return Layer(kind if isinstance(kind, str) else "", digest, size)


def in_words(error: Status, name: Name, home: str) -> SizeupError:
    """A status of a registry in words."""
    if error.status in (401, 403, 404):
        from . import ollama
        from .names import near

        close = [f"{name.model}:…"] if name.model in ollama.families() else near(name.model)
        return NotFound(f"{home} has no “{name}”.", ", ".join(close) or "a model and tag of ollama.com/library")
    if error.status == 429:
        wait = f"{error.asked_s:.0f} seconds" if error.asked_s is not None else "a while"
        return Unavailable(f"{home} takes no more requests for now: it asks to wait {wait}.", "again then")
    return Unavailable(f"{home} answers {error.status} for “{name}”.", "again later")


def read(kept: Kept, name: Name, assume: str | None = None) -> ModelSpec:
    """The model of a tag, by the header of its weights."""
    found = manifest(kept, name)
    layer = found.weights
    address = found.address(layer)
    source = HttpSource(kept.client, address, str(name), layer.bytes, failed=lambda error: in_words(error, name, found.home), kept=kept)
    spec = spec_from_gguf(header_from(source), assume=assume)
    beside = sum(other.bytes for other in found.layers if other.kind == PROJECTOR)
    notes = (f"the tag also holds a projector of {beside:,} bytes, which is not counted",) if beside else ()
    return replace(
        spec,
        path=None,
        source=Source("read", address, time.strftime("%Y-%m-%d")),
        notes=(*spec.notes, *notes),
    )
