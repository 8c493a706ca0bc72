"""The tokenizer of a model where its file is at hand: the model's own file, or one of it that another tool keeps on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sizeup.datasets.tokenizer import Counter, tokenizer
from sizeup.errors import SizeupError
from sizeup.installed.entry import Store
from sizeup.installed.judged import shelf
from sizeup.model import ModelSpec
from sizeup.tool_folders import hub_cache
from sizeup.verification.model import stem

STORES: tuple[Store, ...] = ("ollama", "lmstudio", "hub", "llama.cpp")
LITTLE_BYTES = 256 << 10
"""So little text is counted sooner by what starts sooner."""


def vocabulary_of(
    model: ModelSpec, text_bytes: int, environment: Mapping[str, str] = os.environ, home: Path | None = None
) -> tuple[Counter | None, str]:
    """The counter and, where there is none or it is only near, what is to be said of that."""
    why = f"No tokenizer of {model.name} is here, so texts are estimated; sizeup pull {model.card.get('id') or model.name} brings one."
    for path in _places(model, environment, home or Path.home()):
        try:
            found = tokenizer(path, text_bytes <= LITTLE_BYTES)
        except SizeupError as error:
            why = error.message
            continue
        if found is not None:
            return found, f"{found.name} cuts texts in a way that is not known here; the count is near." if found.near else ""
    return None, why


def _places(model: ModelSpec, environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where its vocabulary may lie, the surest first."""
    if model.path:
        yield Path(model.path)
    if model.source.kind == "read":
        # A tokenizer.json lies beside the config or the weights that were read.
        yield Path(model.source.where)
    id = str(model.card.get("id") or "")
    if not id:
        return
    yield from sorted(hub_cache(environment, home).glob(f"models--{id.replace('/', '--')}/snapshots/*/tokenizer.json"))
    tags = {str(row["tag"]).lower() for row in model.card.get("ollama") or ()}
    wanted = _plain(id.rpartition("/")[2])
    for entry in shelf(STORES, (), environment, home).entries:
        if entry.store == "ollama":
            if entry.name.lower() in tags:
                yield entry.path
        elif wanted == _plain(stem(entry.path.name)):
            yield entry.path


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
