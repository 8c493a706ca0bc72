"""Counted things, reading and retrieval as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from ..facts import Source
from ..interval import Interval
from ..shape import as_json
from .fields import interval_json
from .plans import PlanJson, plan_json

if TYPE_CHECKING:
    from ..tokens.found import Thing, Tokens
    from ..tokens.rag import Rag
    from ..tokens.reading import Reading


class ThingJson(TypedDict):
    """One file; what its kind does not have is null."""

    path: str
    kind: str
    tokens: Interval
    how: str
    file_bytes: int
    characters: int
    encoding: str | None
    turns: int | None
    pages: int | None
    width: int | None
    height: int | None
    seconds: float | None
    picture_tokens: Interval | None
    notes: list[str]


class SkippedJson(TypedDict):
    """A file that could not be counted, and why."""

    path: str
    message: str
    hint: str


class ReadingJson(TypedDict):
    """What it takes a model to read all of it."""

    context_tokens: int | None
    share_of_context: Interval | None
    answer_tokens: int
    needed_tokens: int
    fits: bool
    fits_context: bool
    fits_machine: bool
    parts: int | None
    part_tokens: int
    cache_bytes: int
    prefill_s: Interval | None
    first_token_s: Interval | None
    models_with_context: list[str]
    nearest: list[PlanJson]
    plan: PlanJson


class RagJson(TypedDict):
    """What answers from retrieved chunks take."""

    chunk_tokens: int
    overlap_tokens: int
    top_k: int
    vector_type: str
    links: int
    chunks: Interval
    prompt_tokens: int
    context_tokens: int
    dimensions: int
    vectors_bytes: Interval
    links_bytes: Interval
    index_bytes: Interval
    index_pool: str | None
    fits: bool
    fits_context: bool
    first_token_s: Interval | None
    answer_s: Interval | None
    embed_s: Interval | None
    plan: PlanJson
    embedder: PlanJson


class TokensJson(TypedDict):
    """Everything that was named."""

    model: str | None
    tokenizer: str | None
    exact: bool
    tokens: Interval
    characters: int
    file_bytes: int
    files: int
    things: list[ThingJson]
    skipped: list[SkippedJson]
    passed_over: dict[str, int]
    notes: list[str]
    reading: ReadingJson | None
    rag: RagJson | None


def tokens_json(found: Tokens, model: str, reading: Reading | None, rag: Rag | None) -> TokensJson:
    """Tokens as intervals (all three ends equal where they were counted), per file and whole."""
    return {
        "model": model or None,
        "tokenizer": found.tokenizer or None,
        "exact": found.exact,
        "tokens": as_json(found.tokens),
        "characters": found.characters,
        "file_bytes": found.bytes,
        "files": len(found.things),
        "things": [_thing(thing) for thing in found.things],
        "skipped": [{"path": one.path, "message": one.message, "hint": one.hint} for one in found.skipped],
        "passed_over": dict(found.passed_over),
        "notes": list(found.notes),
        "reading": None if reading is None else _reading(reading),
        "rag": None if rag is None else _rag(rag),
    }


def _thing(thing: Thing) -> ThingJson:
    return {
        "path": thing.path,
        "kind": thing.kind,
        "tokens": as_json(thing.tokens),
        "how": thing.how,
        "file_bytes": thing.bytes,
        "characters": thing.characters,
        "encoding": thing.encoding or None,
        "turns": thing.turns or None,
        "pages": thing.pages or None,
        "width": thing.width or None,
        "height": thing.height or None,
        "seconds": thing.seconds,
        "picture_tokens": interval_json(thing.picture_tokens),
        "notes": list(thing.notes),
    }


def _reading(found: Reading) -> ReadingJson:
    return {
        "context_tokens": found.context_tokens,
        "share_of_context": interval_json(found.share),
        "answer_tokens": found.answer_tokens,
        "needed_tokens": found.needed_tokens,
        "fits": found.fits,
        "fits_context": found.in_context,
        "fits_machine": found.plan.fits,
        "parts": found.parts,
        "part_tokens": found.room_tokens,
        "cache_bytes": found.cache_bytes,
        "prefill_s": _seconds(found.prefill_s),
        "first_token_s": _seconds(found.first_token_s),
        "models_with_context": list(found.others),
        "nearest": [plan_json(plan) for plan in found.nearest],
        "plan": plan_json(found.plan),
    }


def _seconds(found: tuple[float, float, float] | None) -> Interval | None:
    return None if found is None else as_json(Interval(*found, Source("derived", "sizeup.speed")))


def _rag(found: Rag) -> RagJson:
    wanted = found.wanted
    return {
        "chunk_tokens": wanted.chunk_tokens,
        "overlap_tokens": wanted.overlap_tokens,
        "top_k": wanted.top_k,
        "vector_type": wanted.vector_type,
        "links": wanted.links,
        "chunks": as_json(found.chunks),
        "prompt_tokens": found.prompt_tokens,
        "context_tokens": found.context_tokens,
        "dimensions": found.dimensions,
        "vectors_bytes": as_json(found.vectors_bytes),
        "links_bytes": as_json(found.links_bytes),
        "index_bytes": as_json(found.index_bytes),
        "index_pool": found.index_pool or None,
        "fits": found.fits,
        "fits_context": found.in_context,
        "first_token_s": interval_json(found.first_token_s),
        "answer_s": interval_json(found.answer_s),
        "embed_s": interval_json(found.embed_s),
        "plan": plan_json(found.plan),
        "embedder": plan_json(found.embedder),
    }
