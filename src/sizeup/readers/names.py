"""Which catalogue model a person's words mean: hub ids, short names, half-remembered names. No Ollama tags here."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from sizeup.errors import NotFound, close_names

from . import catalogue_data

TUNED = ("instruct", "it", "chat", "hf", "thinking")
"""Endings that a plain name may leave out, the likeliest first: people who say "Llama 3.1 8B" mean the one that talks."""
UNTUNED = ("pt", "base", "text")
FILLERS = frozenset({"model", "the", "ai", "llm", "gguf", "hf"})
MOST_SHOWN = 5
TOKEN = re.compile(r"\d+(?:\.\d+)?x\d+(?:\.\d+)?[bmk]|\d+(?:\.\d+)?(?:[bmk](?![a-z]))?|[a-z]+|\+")
NO_NAME = re.compile(r"[ae]?\d+(\.\d+)?(x\d+(\.\d+)?)?[bmk]?|[a-z]")
"""A word that names no model by itself: a number, a size (`7b`, `8x7b`, `e2b`, `a3b`), a single letter."""


def compact(name: str) -> str:
    """A name without case and punctuation: "Llama 3.1 8B" -> "llama3.18b"; the dot between digits stays, for 1.5 is not 15."""
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[^a-z0-9.+]", "", name.lower())


def tokens(name: str) -> tuple[str, ...]:
    """The words of a name: letters and numbers apart, a number with its unit together (`llama`, `3.1`, `8b`, `instruct`)."""
    return tuple(TOKEN.findall(name.lower()))


def dotted(id: str) -> str:
    """An id with the underscores that stand for a decimal point written as one: `phi-1_5` -> `phi-1.5`."""
    return re.sub(r"(?<=\d)_(?=\d)", ".", id)


def short(id: str) -> str:
    """The name behind the owner: `Qwen/Qwen3-8B` -> `Qwen3-8B`."""
    return id.rpartition("/")[2]


@functools.cache
def _by_id() -> dict[str, int]:
    return {id.lower(): number for number, id in enumerate(catalogue_data.index().ids)}


@functools.cache
def _by_gguf() -> dict[str, int]:
    return {id.lower(): number for id, number in catalogue_data.index().gguf.items()}


@functools.cache
def _by_name() -> dict[str, tuple[int, ...]]:
    """Compact short name -> models of that name; owners share some names."""
    found: dict[str, list[int]] = {}
    for number, id in enumerate(catalogue_data.index().ids):
        for spelling in {compact(short(id)), compact(dotted(short(id)))}:
            found.setdefault(spelling, []).append(number)
    return {name: tuple(numbers) for name, numbers in found.items()}


@functools.cache
def _by_token() -> dict[str, frozenset[int]]:
    """Word -> models whose id has it, and the same for words without their dashes (`qwen3` for `qwen-3`)."""
    found: dict[str, set[int]] = {}
    for number, id in enumerate(catalogue_data.index().ids):
        for token in tokens(dotted(id)):
            found.setdefault(token, set()).add(number)
    return {token: frozenset(numbers) for token, numbers in found.items()}


def by_id(name: str) -> int | None:
    """The model of a hub id in any case, or of a GGUF repository's id."""
    return _by_id().get(name.lower(), _by_gguf().get(name.lower()))


def by_name(name: str) -> int | None:
    """The model of a plain name: whole, or without the ending that says it is tuned; None when several or none are meant."""
    whole = compact(short(name) if name.count("/") == 1 else name)
    for spelling in (whole, *(whole + ending for ending in TUNED)):
        if spelling in _by_name():
            return _most_used(_by_name()[spelling])
    stripped = next((whole.removesuffix(ending) for ending in (*TUNED, *UNTUNED) if whole.endswith(ending)), whole)
    return _most_used(_by_name()[stripped]) if stripped in _by_name() and stripped != whole else None


def by_words(name: str) -> int | None:
    """The model whose id has every word of the name and the fewest others; None when none has.

    Raises NotFound with the candidates when models of different sizes or generations are as near, or when the words name none:
    a number, a size, a letter, an ending.
    """
    words = [word for word in tokens(name) if word not in FILLERS]
    if not words or any(word not in _by_token() for word in words):
        return None
    numbers = frozenset.intersection(*(_by_token()[word] for word in words))
    ids = catalogue_data.index().ids
    # Every digit said must be the model's own in the same order: "3 8b" is not Qwen3-8B-3.
    numbers = frozenset(n for n in numbers if _in_order(words, tokens(dotted(ids[n]))) and _begins(words, ids[n]))
    if not numbers:
        return None
    if not _names(name):
        raise NotFound(f"“{name}” alone names no model.", _most_used_of(numbers))
    extra = {number: _extra(words, ids[number]) for number in numbers}
    nearest = [number for number in numbers if extra[number] == min(extra.values())]
    if len({_essence(ids[number]) for number in nearest}) == 1:
        return _most_used(nearest, prefer_tuned=True)
    raise NotFound(f"“{name}” may be any of {len(numbers)} models.", _most_used_of(nearest))


def _names(said: str) -> bool:
    """Whether these words are more than sizes and endings."""
    words = re.split(r"[^a-z0-9.]+", dotted(said).lower())
    return any(word and not NO_NAME.fullmatch(word) and word not in (*FILLERS, *TUNED, *UNTUNED) for word in words)


def _begins(words: list[str], id: str) -> bool:
    """Whether a word of the name is where a word of the id begins: `bit` is no word of `16bit`. Numbers stand anywhere."""
    letters = [word for word in words if word.isalpha()]
    return not letters or any(part.startswith(word) for word in letters for part in re.split(r"[^a-z0-9]+", id.lower()))


def _most_used_of(numbers: Iterable[int]) -> str:
    """The most used of these models, for a "Try" line."""
    ids = catalogue_data.index().ids
    return ", ".join(ids[number] for number in sorted(numbers, key=lambda n: (-_downloads(n), n))[:MOST_SHOWN])


def near(name: str) -> list[str]:
    """Hub ids whose names look like this one, nearest first; for a "Try" line."""
    spelling = compact(short(name) if name.count("/") == 1 else name)
    if not spelling:
        return []
    # Comparing with a name of another length or without a common beginning is a waste: it cannot be near.
    likely = [known for known in _by_name() if abs(len(known) - len(spelling)) <= max(4, len(spelling) // 2)]
    first = [known for known in likely if known[:2] == spelling[:2]] or likely
    close = close_names(spelling, first, 4, 0.65) or close_names(spelling, likely, 3, 0.65)
    ids = catalogue_data.index().ids
    return [ids[_most_used(_by_name()[known])] for known in close]


def _in_order(words: Iterable[str], all_words: tuple[str, ...]) -> bool:
    rest = iter(all_words)
    return all(word in rest for word in words)


def _extra(words: list[str], id: str) -> int:
    """Words of the short name that nobody said; endings that say "tuned" cost nothing, and the owner is not counted."""
    said = list(words)
    count = 0
    for token in tokens(dotted(short(id))):
        if token in said:
            said.remove(token)
        elif token not in TUNED and token != "meta":
            count += 1
    return count


def _essence(id: str) -> tuple[str, ...]:
    return tuple(token for token in tokens(dotted(short(id))) if token not in (*TUNED, *UNTUNED, "meta"))


def _most_used(numbers: Iterable[int], prefer_tuned: bool = False) -> int:
    ids = catalogue_data.index().ids

    def rank(number: int) -> tuple[bool, int, int]:
        tuned = any(token in TUNED for token in tokens(short(ids[number])))
        return (prefer_tuned and tuned, _downloads(number), -number)

    every = list(numbers)
    return every[0] if len(every) == 1 else max(every, key=rank)


def _downloads(number: int) -> int:
    return int(catalogue_data.record(number)[0].get("hf_downloads") or 0)
