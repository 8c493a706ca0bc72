"""A model of Hugging Face Hub, read in place: the config, and the headers of its files by ranges. No weights are fetched."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sizeup.errors import NotFound, Unreadable
from sizeup.facts import Source
from sizeup.model import ModelSpec
from sizeup.net import HttpSource, Kept, Status

from . import gguf, gguf_files, safetensors
from .checkpoint import weights_of, with_headers
from .config import spec_from_config
from .gguf_model import spec_from_gguf
from .hub_list import RepoFile, Repository, in_words, repository

CONFIG_LIMIT = 8 << 20
SHARD_GUESS_BYTES = 1 << 17
"""The first bytes of a shard, asked for at once: 97 % of headers are shorter, so a shard takes one request."""
AT_ONCE = 8

Header = TypeVar("Header")


def read(
    kept: Kept, id: str, revision: str = "", quant: str | None = None, file: str | None = None, assume: str | None = None
) -> ModelSpec:
    """The model of a repository: its checkpoint, or the GGUF of this quantisation or file. Raises what `repository` raises."""
    repo = repository(kept, id, revision)
    names = [entry.path for entry in repo.files]
    if quant is None and file is None and "config.json" in names and (weights_of(Path(), names) is not None or not gguf_files.models(repo)):
        spec = _checkpoint(kept, repo, names, assume)
    elif quant is not None or file is not None or gguf_files.models(repo):
        spec = _gguf(kept, repo, quant, file, assume)
    else:
        raise gguf_files.lacking(repo) or NotFound(
            f"{repo.id} holds no model: no config.json, no .gguf.", "the repository of the language model itself"
        )
    moved = (f"{id} is now called {repo.id}",) if repo.id != id else ()
    return replace(spec, path=None, card=_card(repo.id), notes=(*spec.notes, *moved))


def _checkpoint(kept: Kept, repo: Repository, names: list[str], assume: str | None) -> ModelSpec:
    address = repo.address("config.json")
    try:
        content = kept.read(address, fixed=True, limit=CONFIG_LIMIT).content
    except Status as error:
        raise in_words(error, repo.id, kept.client.has_token, repo.home) from None
    spec = spec_from_config(_json(content, repo), repo.id, _source(address), assume=assume)
    leads = weights_of(Path(), names)
    if leads is None:
        return replace(
            spec, warnings=(*spec.warnings, f"{repo.id} has no safetensors files that belong together: sizes are from the config")
        )
    shards = _shards(kept, repo, names, leads.name)
    headers = _headers(kept, repo, shards, safetensors.header_from, SHARD_GUESS_BYTES)
    return with_headers(spec, safetensors.joined(headers, repo.id), None)


def _shards(kept: Kept, repo: Repository, names: Sequence[str], leads: str) -> list[RepoFile]:
    """The files of a checkpoint, from the list alone where the shards are numbered; else from the index."""
    known = {file.path: file for file in repo.files}
    stem = leads.removesuffix(safetensors.INDEX_SUFFIX) if leads.endswith(safetensors.INDEX_SUFFIX) else None
    if stem is None:
        wanted = [path.name for path in safetensors.shards(Path(leads))] if safetensors.SHARD_NAME.match(leads) else [leads]
    else:
        numbered = [name for name in names if (found := safetensors.SHARD_NAME.match(name)) and found["stem"] == stem]
        wanted = [path.name for path in safetensors.shards(Path(numbered[0]))] if numbered else []
        # Numbers that do not make one whole set leave it to the index to say what belongs together.
        if not wanted or sorted(numbered) != wanted:
            wanted = _indexed(kept, repo, leads)
    for number, name in enumerate(wanted):
        if name not in known:
            raise NotFound(f"Shard {number + 1} of {len(wanted)} is missing: {name}.", "another revision of the repository")
    return [known[name] for name in wanted]


def _indexed(kept: Kept, repo: Repository, leads: str) -> list[str]:
    try:
        said = _json(kept.read(repo.address(leads), fixed=True, limit=safetensors.INDEX_LIMIT).content, repo)
    except Status as error:
        raise in_words(error, repo.id, kept.client.has_token, repo.home) from None
    listed = said.get("weight_map") if isinstance(said, dict) else None
    if not isinstance(listed, dict) or not listed or not all(isinstance(name, str) for name in listed.values()):
        raise Unreadable(f"{leads} has no “weight_map”, so it names no shard.", "another revision of the repository")
    return sorted(set(listed.values()))


def _gguf(kept: Kept, repo: Repository, quant: str | None, file: str | None, assume: str | None) -> ModelSpec:
    model = gguf_files.chosen(repo, quant, file)
    spec = read_gguf(kept, repo, model, assume)
    others = len(gguf_files.models(repo)) - 1
    if not others or quant is not None or file is not None:
        return spec
    return replace(spec, notes=(*spec.notes, f"{repo.id} holds {others} other quantizations; this is {model.files[0].path}"))


def read_gguf(kept: Kept, repo: Repository, model: gguf_files.GgufModel, assume: str | None = None) -> ModelSpec:
    """One GGUF model of a repository, by the headers of its parts."""
    headers = _headers(kept, repo, model.files, gguf.header_from, None)
    if len(headers) > 1:
        headers = list(gguf.joined(headers, [part.name for part in model.files], model.files[0].name))
    return replace(spec_from_gguf(headers, assume=assume), path=None, source=_source(repo.address(model.files[0].path)))


def _headers(
    kept: Kept, repo: Repository, files: Sequence[RepoFile], parse: Callable[[Any], Header], first_bytes: int | None
) -> list[Header]:
    """The headers of these files, several at once, in order."""

    def one(file: RepoFile) -> Header:
        source = HttpSource(
            kept.client,
            repo.address(file.path),
            file.path,
            file.bytes,
            **({} if first_bytes is None else {"first_bytes": first_bytes}),
            failed=lambda error: in_words(error, repo.id, kept.client.has_token, repo.home),
            kept=kept,
        )
        return parse(source)

    if len(files) == 1:
        return [one(files[0])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(one, file) for file in files]
        try:
            return [future.result() for future in asked]
        finally:
            for future in asked:
                future.cancel()


def _json(content: bytes, repo: Repository) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable(f"The config.json of {repo.id} is not JSON.", "another revision of the repository") from None


def _source(address: str) -> Source:
    return Source("read", address, time.strftime("%Y-%m-%d"))


def _card(id: str) -> dict[str, Any]:
    """The catalogue's row, where it has one: licence, dates and scores are not in a config."""
    from . import catalogue_data, names

    number = names.by_id(id)
    return catalogue_data.record(number)[0] if number is not None else {"id": id}
