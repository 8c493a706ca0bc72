"""Ollama's names: which model and quantisation a tag means, and the file of a tag that was pulled here."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sizeup import tool_folders
from sizeup.errors import NotFound, Unreadable, close_names
from sizeup.facts import data_json

from . import catalogue_data

MODEL_LAYER = "application/vnd.ollama.image.model"
LARGEST_MANIFEST_BYTES = 1 << 20
FORMAT = re.compile(r"-?((?:i?q\d+_\w+)|fp16|f16|bf16|fp32|f32|mxfp4|nvfp4|qat)$", re.IGNORECASE)
"""The quantisation that ends a tag."""
SPELLINGS = {"FP16": "F16", "FP32": "F32", "MXFP4": "MXFP4_MOE", "QAT": "Q4_0"}
"""Ollama's spelling -> llama.cpp's; Google's quantisation-aware training (qat) is stored as Q4_0."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag means in the catalogue: the model's number and the quantisation, None when nobody says which."""

    name: str
    number: int
    quant: str | None


def split(name: str) -> tuple[str, str]:
    """Family and tag of a name, without registry and namespace: `ollama:library/gemma2:2b` -> (`gemma2`, `2b`); the tag may be ""."""
    plain = name.strip().removeprefix("ollama:").strip()
    plain = re.sub(r"^(registry\.ollama\.ai/)?(library/)?", "", plain)
    family, _, tag = plain.partition(":")
    return family.lower(), tag


def tag(name: str) -> Tag | None:
    """The catalogue's model for a tag (`gemma2:2b`, `llama3.1:8b-instruct-q4_K_M`, `gemma2`); None when the family is not known.

    Raises NotFound with the family's tags when only the tag is unknown, or when nobody says what `latest` is.
    """
    family, wanted = split(name)
    known = _families().get(family)
    if known is None:
        return None
    facts = data_json("ollama_tags.json")
    wanted = wanted.lower()
    if wanted in ("", "latest"):
        if family not in facts["latest"]:
            raise NotFound(
                f"Nothing here says which model “{family}” is by default.", ", ".join(f"{family}:{size}" for size in _sizes(known))
            )
        wanted = facts["latest"][family].lower()
    said = FORMAT.search(wanted)
    stem = wanted[: said.start()] if said else wanted
    size = stem.split("-")[0]
    quant = said[1].upper() if said else facts["quants"].get(f"{family}:{stem}")
    number = known.get(wanted, known.get(stem))
    if number is None:
        number = _by_sisters(known, stem, size)
    if number is None:
        close = close_names(wanted, known, 3, 0.6) or _sizes(known)
        raise NotFound(f"“{family}” has no tag “{wanted}” in the catalogue.", ", ".join(f"{family}:{other}" for other in close))
    corrected = facts["corrections"].get(f"{family}:{wanted}")
    if corrected is not None:
        number = catalogue_data.number(corrected)
    return Tag(f"{family}:{wanted}", number, SPELLINGS.get(quant.upper(), quant[0].upper() + quant[1:]) if quant else None)


def _by_sisters(known: Mapping[str, int], stem: str, size: str) -> int | None:
    """The model of a tag that is not listed itself: of two names of one file, only one is. Its sisters in other formats are."""
    stems = {other: other[: found.start()] if (found := FORMAT.search(other)) else other for other in known}
    sisters = [known[other] for other, its in stems.items() if its == stem]
    sisters = sisters or [known[other] for other, its in stems.items() if its.startswith(f"{stem}-")]
    if sisters:
        return max(set(sisters), key=sisters.count)
    return known.get(size) if stem in (f"{size}-instruct", f"{size}-it", f"{size}-chat") else None


@functools.cache
def _families() -> dict[str, dict[str, int]]:
    """Family -> tag in lower case -> number."""
    found: dict[str, dict[str, int]] = {}
    for name, number in catalogue_data.index().ollama.items():
        family, _, rest = name.lower().partition(":")
        found.setdefault(family, {})[rest] = number
    return found


def families() -> list[str]:
    """Every family with a tag in the catalogue."""
    return list(_families())


def _sizes(known: Mapping[str, int]) -> list[str]:
    return sorted({name.split("-")[0] for name in known}, key=lambda size: (len(size), size))


def stored(name: str, environment: Mapping[str, str] = os.environ, home: Path | None = None) -> Path | None:
    """The weights file of a tag that Ollama has pulled here; None when it has not.

    Raises Unreadable when the manifest is broken or its file is gone.
    """
    plain = name.strip().removeprefix("ollama:").strip()
    path, _, wanted = plain.partition(":")
    parts = [part for part in path.split("/") if part]
    wanted = wanted or "latest"
    if not parts or any(part in (".", "..") or "\0" in part or "\\" in part for part in (*parts, wanted)) or "/" in wanted:
        return None
    host = parts.pop(0) if len(parts) == 3 or (len(parts) > 1 and "." in parts[0]) else "registry.ollama.ai"
    if len(parts) == 1:
        parts.insert(0, "library")
    for folder in tool_folders.ollama(environment, home):
        manifest = folder.joinpath("manifests", host, *parts, wanted)
        try:
            if not manifest.is_file():
                continue
            if manifest.stat().st_size > LARGEST_MANIFEST_BYTES:
                raise Unreadable(f"Ollama's manifest {manifest} is far too long.", f"ollama pull {plain}")
            content = json.loads(manifest.read_bytes())
        except OSError as error:
            raise Unreadable(f"Ollama's manifest {manifest} cannot be read: {error.strerror or error}.", f"ollama pull {plain}") from None
        except ValueError:
            raise Unreadable(f"Ollama's manifest {manifest} is not JSON.", f"ollama pull {plain}") from None
        digest = _digest(content)
        if digest is None:
            raise Unreadable(f"“{plain}” has no weights in Ollama's store (a cloud model, or another format).", "another tag")
        blob = folder / "blobs" / digest.replace(":", "-")
        if not blob.is_file():
            raise Unreadable(f"Ollama lists “{plain}”, but its file {blob.name} is gone.", f"ollama pull {plain}")
        return blob
    return None


def _digest(content: Any) -> str | None:
    layers = content.get("layers") if isinstance(content, dict) else None
    for layer in layers if isinstance(layers, list) else []:
        if (
            isinstance(layer, dict)
            and layer.get("mediaType") == MODEL_LAYER
            and re.fullmatch(r"sha256:[0-9a-f]{64}", str(layer.get("digest")))
        ):
            return str(layer["digest"])
    return None
