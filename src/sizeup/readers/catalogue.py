"""A catalogue model by name: hub id, GGUF repository, Ollama tag, or what people call it."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

from sizeup.errors import NotFound, close_names
from sizeup.facts import Source
from sizeup.model import ModelSpec

from . import catalogue_data, names, ollama
from .closed import check_open
from .config import spec_from_config

HUB = re.compile(r"^(https?://)?(www\.)?(huggingface\.co|hf\.co)/(models/)?", re.IGNORECASE)
QUANT_SUFFIX = re.compile(r"^(?P<id>[^:]+/[^:]+):(?P<quant>[A-Za-z]\w+)$")


def find(name: str) -> ModelSpec:
    """The model that `name` means, from the shipped catalogue. Its `mix` is the quantisation that a tag names, else None.

    Raises ClosedModel for a model that nobody can run, NotFound with the nearest names or with all candidates.
    """
    wanted = HUB.sub("", name.strip()).strip("/")
    wanted = re.sub(r"/(tree|resolve|blob)/.*$", "", wanted)
    quant = None
    if found := QUANT_SUFFIX.match(wanted):  # hf.co/OWNER/NAME-GGUF:Q4_K_M, as Ollama and llama.cpp write it
        wanted, quant = found["id"], found["quant"].upper()
    number = names.by_id(wanted)
    if number is None and (wanted.startswith("ollama:") or ":" in wanted):
        return _of_tag(wanted)
    if number is None and "/" not in wanted:
        tag = ollama.tag(wanted)
        if tag is not None:
            return _with_quant(tag.number, tag.quant)
    if number is None:
        number = _by_what_people_say(wanted)
    return _with_quant(number, quant)


@functools.lru_cache(maxsize=64)
def spec(number: int) -> ModelSpec:
    """The model with this number in the catalogue."""
    row, config = catalogue_data.record(number)
    source = Source("published", str(row.get("source", "the shipped catalogue")), catalogue_data.index().date)
    return replace(spec_from_config(config, row["id"], source), card=row)


def _with_quant(number: int, quant: str | None) -> ModelSpec:
    found = spec(number)
    return found if quant is None else replace(found, mix=quant)


def _of_tag(wanted: str) -> ModelSpec:
    tag = ollama.tag(wanted)
    if tag is not None:
        return _with_quant(tag.number, tag.quant)
    check_open(wanted.removeprefix("ollama:"))
    family = ollama.split(wanted)[0]
    close = close_names(family, ollama.families(), 3, 0.6)
    raise NotFound(f"The shipped catalogue has no Ollama model “{family}”.", ", ".join(close) or "the path of its GGUF file")


def _by_what_people_say(wanted: str) -> int:
    number = names.by_name(wanted)
    if number is not None:
        return number
    check_open(wanted)
    owner, slash, _rest = wanted.rpartition("/")
    if not slash:
        number = _family_and_size(wanted) or names.by_words(wanted)
        if number is not None:
            return number
    near = names.near(wanted)
    if slash and owner.count("/") == 0 and owner:
        near_words = f"{', '.join(near)}; or " if near else ""
        raise NotFound(
            f"“{wanted}” is not in the shipped catalogue of {len(catalogue_data.index().ids)} models.",
            f"{near_words}its config.json, saved here and named by path",
        )
    raise NotFound(
        f"No model is called “{wanted}”.",
        ", ".join(near) or "a Hugging Face id such as Qwen/Qwen3-8B, an Ollama tag, or the path of a file",
    )


def _family_and_size(wanted: str) -> int | None:
    """ "mistral 7b" is what Ollama calls mistral:7b, when there is such a tag."""
    family, _, size = wanted.strip().replace(" ", "-").rpartition("-")
    if family.lower() not in ollama.families():
        return None
    try:
        tag = ollama.tag(f"{family}:{size}")
    except NotFound:
        return None
    return tag.number if tag else None
