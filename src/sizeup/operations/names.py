"""names: models and machines by the start of what is typed, for whoever offers a choice."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, NotRequired, TypedDict, cast

from .kinds import COUNT, choice
from .operation import Ask, Operation
from .parameter import Parameter, Values


class NameJson(TypedDict):
    """One name; a model's says which it is, a machine's what it has."""

    name: str
    id: NotRequired[str]
    parameters: NotRequired[int | None]
    active_parameters: NotRequired[int | None]
    context_tokens: NotRequired[int | None]
    label: NotRequired[str]
    kind: NotRequired[str]
    memory_bytes: NotRequired[int | None]
    bytes_per_s: NotRequired[float | None]


class NamesJson(TypedDict):
    """Names, the best first, and how many there are in all."""

    kind: str
    names: list[NameJson]
    found: int


class Found(NamedTuple):
    """Names that were found; the first ones are told."""

    kind: str
    names: list[Name]
    limit: int
    met: bool = True

    def to_json(self) -> NamesJson:
        shown = [cast(NameJson, {"name": one.name, **one.shown}) for one in self.names[: self.limit]]
        return {"kind": self.kind, "names": shown, "found": len(self.names)}


class Name(NamedTuple):
    """One name with the words that it is found by and what is shown beside it."""

    name: str
    words: str
    """In lower case; several spellings apart by spaces."""
    shown: dict[str, Any]


def names(ask: Ask, values: Values) -> Found:
    """Names that begin with the words, then those with a word that does, then those that only hold them."""
    kinds: dict[str, Callable[[], tuple[Name, ...]]] = {"model": model_names, "machine": machine_names, "engine": engine_names}
    known = kinds[values["kind"]]()
    return Found(values["kind"], ranked(known, values["q"].lower().split()), values["limit"])


def ranked(known: Iterable[Name], words: list[str]) -> list[Name]:
    """The names that hold every word, the best first; shorter names before longer ones of equal rank, otherwise in their own order."""
    if not words:
        return list(known)
    placed = [
        (_rank(one, words[0]), len(one.name), number, one) for number, one in enumerate(known) if all(word in one.words for word in words)
    ]
    return [one for *_, one in sorted(placed, key=lambda row: row[:3])]


def _rank(one: Name, word: str) -> int:
    if one.words.startswith(word):
        return 0
    # "qwen3" in "qwen/qwen3-8b" begins a word as well as "qwen" does.
    return 1 if any(mark + word in one.words for mark in " /-_:.") else 2


@functools.cache
def model_names() -> tuple[Name, ...]:
    """Every Ollama tag and hub id of the catalogue, with the parameters of its model; the most downloaded first."""
    from sizeup.readers.catalogue_data import index
    from sizeup.shortlist import listed

    rows = {one.id: one for one in listed()}
    table = index()

    def shown(number: int) -> dict[str, Any]:
        id = table.ids[number]
        row = rows.get(id)
        return {
            "id": id,
            "parameters": row.parameters if row else None,
            "active_parameters": row.active_parameters if row else None,
            "context_tokens": row.facts["context"] if row else None,
        }

    def weight(number: int) -> int:
        row = rows.get(table.ids[number])
        return -int((row.facts["downloads"] or 0) if row else 0)

    known = [*((id, number) for number, id in enumerate(table.ids)), *table.ollama.items()]
    return tuple(Name(name, name.lower(), shown(number)) for name, number in sorted(known, key=lambda pair: weight(pair[1])))


@functools.cache
def machine_names() -> tuple[Name, ...]:
    """Every preset, whole machine and device as one types it, with what it is called and its memory."""
    from sizeup.probe import table
    from sizeup.probe.described import whole_machines
    from sizeup.probe.instances import instances
    from sizeup.probe.spelling import slug

    whole = {one.name: one for one in instances().values()}
    found: dict[str, Name] = {}
    for part in table.parts():
        if part.kind in (*table.ALONE, "accelerator"):
            continue
        name = slug(part.name)
        spellings = " ".join([name, part.name.lower(), *(alias.lower() for alias in part.aliases)])
        shown = {"label": part.name, "kind": part.kind, "memory_bytes": part.memory_bytes or None, "bytes_per_s": part.bytes_per_s}
        found.setdefault(name, Name(name, spellings, shown))
    for name in whole_machines():
        row = whole.get(name)
        shown = {"label": name, "kind": "machine", "memory_bytes": (row.memory_bytes or None) if row else None, "bytes_per_s": None}
        found.setdefault(name, Name(name, name.lower(), shown))
    return tuple(found.values())


def engine_names() -> tuple[Name, ...]:
    """Engines to plan for, the embedded one first."""
    from sizeup.engines import HOME

    return tuple(Name(name, name.lower(), {}) for name in HOME)


NAMES = Operation(
    "names",
    (
        Parameter("kind", choice("model", "machine", "engine"), "model", key="name_kind"),
        Parameter("q", default="", key="name_start"),
        Parameter("limit", COUNT, 20, key="limit_names", shown="N", least=1, most=200),
    ),
    names,
)
