"""Retrieval: chunks of everything that was counted, their vectors and the index, one question's prompt, both models side by side.

An answer is written from a few chunks that are near the question, so a model's context need not hold everything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sizeup import search, together
from sizeup.errors import UserError
from sizeup.facts import Source
from sizeup.figure import Number, ceil_div, plain, step
from sizeup.hardware import Machine
from sizeup.interval import Interval
from sizeup.model import ModelSpec
from sizeup.plan import Plan
from sizeup.throughput import run_of

from .found import Thing
from .reading import stepped

VectorType = Literal["f32", "f16", "int8", "binary"]
BITS: dict[str, int] = {"f32": 32, "f16": 16, "int8": 8, "binary": 1}
"""Bits of one dimension of a vector."""
LINK_BYTES = 4
"""Of the number of a neighbour in a graph."""
GRAPH_SOURCE = Source("published", "faiss wiki, Guidelines to choose an index: (d * 4 + M * 2 * 4) bytes per vector of HNSW", "2026-11-21")
EMBEDDER = "Qwen/Qwen3-Embedding-0.6B"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How texts are cut, looked up and answered from."""

    chunk_tokens: int = 512
    overlap_tokens: int = 64
    top_k: int = 5
    answer_tokens: int = 512
    system_tokens: int = 200
    question_tokens: int = 50
    vector_type: VectorType = "f16"
    links: int = 0
    """M of an HNSW graph; 0 compares a question with every vector."""

    def checked(self) -> Wanted:
        """The same. Raises UserError for what cannot be."""
        if self.overlap_tokens >= self.chunk_tokens:
            raise UserError(
                f"An overlap of {self.overlap_tokens:,} tokens leaves nothing new in a chunk of {self.chunk_tokens:,}.",
                f"--overlap {self.chunk_tokens // 8}",
            )
        return self


@dataclass(frozen=True, slots=True)
class Rag:
    """Everything that answers from these files hold and take."""

    wanted: Wanted
    chunks: Interval
    prompt_tokens: int
    """Of one question at most: system prompt, chunks, question."""
    vectors_bytes: Interval
    links_bytes: Interval
    dimensions: int
    plan: Plan
    """Of the model that answers, at the context of one question."""
    embedder: Plan
    """On what the other leaves."""
    index_pool: str
    """Where the index lies; "" when no memory has room for it beside both."""

    @property
    def context_tokens(self) -> int:
        return self.prompt_tokens + self.wanted.answer_tokens

    @property
    def index_bytes(self) -> Interval:
        """Vectors and links. Not counted: the texts of the chunks, and what a database adds."""
        vectors, links = self.vectors_bytes, self.links_bytes
        return Interval(vectors.low + links.low, vectors.middle + links.middle, vectors.high + links.high, vectors.source)

    @property
    def in_context(self) -> bool:
        """Whether both models take what they are given at once."""
        answer, embed = self.plan.model.context_tokens, self.embedder.model.context_tokens
        return (answer is None or self.context_tokens <= answer) and (embed is None or self.wanted.chunk_tokens <= embed)

    @property
    def fits(self) -> bool:
        """Whether both models and the index are held at once."""
        return self.in_context and self.plan.fits and self.embedder.fits and bool(self.index_pool)

    @property
    def embed_s(self) -> Interval | None:
        """Seconds to turn every chunk into a vector, once; None where no speed is known."""
        pace = run_of(self.embedder).prefill(self.wanted.chunk_tokens)
        if pace is None:
            return None
        tokens = self.chunks.times(self.wanted.chunk_tokens)
        return Interval(tokens.low / pace.upper, tokens.middle / pace.tokens_per_s, tokens.high / pace.lower, Source("derived", pace.basis))

    @property
    def first_token_s(self) -> Interval | None:
        """Seconds from a question to the first token of its answer: the question's vector, and the prompt read.

        Not counted: the search itself, which is a look through memory.
        """
        embed = run_of(self.embedder).prefill(self.wanted.question_tokens)
        read = run_of(self.plan).prefill(self.prompt_tokens)
        if embed is None or read is None:
            return None
        asked, told = self.wanted.question_tokens, self.prompt_tokens
        return Interval(
            asked / embed.upper + told / read.upper,
            asked / embed.tokens_per_s + told / read.tokens_per_s,
            asked / embed.lower + told / read.lower,
            Source("derived", read.basis),
        )

    @property
    def answer_s(self) -> Interval | None:
        """Seconds until the answer stands; None where no speed is known."""
        first, decode = self.first_token_s, run_of(self.plan).decode(self.prompt_tokens)
        if first is None or decode is None:
            return None
        count = self.wanted.answer_tokens
        return Interval(
            first.low + count / decode.upper, first.middle + count / decode.tokens_per_s, first.high + count / decode.lower, first.source
        )


def rag(
    things: Sequence[Thing],
    model: ModelSpec,
    embedder: ModelSpec,
    machine: Machine,
    wanted: Wanted,
    *,
    engine: str = "llama.cpp",
    quant: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Rag:
    """What answers from these files take on `machine`: the model that answers is placed first, the other and the index on what it leaves."""
    wanted = wanted.checked()
    chunks = total_chunks(things, wanted)
    prompt = wanted.system_tokens + wanted.question_tokens + wanted.top_k * wanted.chunk_tokens
    plan = search.fit(
        model, machine, engine=engine, quant=quant, context_tokens=stepped(prompt + wanted.answer_tokens), **(settings or {})
    )[0]
    left = together.less(machine, plan)
    second = search.fit(embedder, left, context_tokens=wanted.chunk_tokens)[0]
    dimensions = embedder.hidden
    vectors = chunks.times(float(vector_bytes(1, dimensions, BITS[wanted.vector_type])))
    links = replace(chunks.times(float(link_bytes(1, wanted.links))), source=GRAPH_SOURCE)
    rest = together.less(left, second)
    index = vectors.high + links.high
    pool = next((name for name in ("ram", "unified") if (found := rest.pool(name)) is not None and found.free_bytes >= index), "")
    return Rag(wanted, chunks, prompt, vectors, links, dimensions, plan, replace(second, machine=machine), pool)


@step("chunks")
def chunks_of(tokens: Number, chunk: Number, overlap: Number) -> Number:
    """Chunks that a text of more tokens than one chunk is cut into: each but the first brings what does not overlap."""
    return ceil_div(tokens - overlap, chunk - overlap)


@step("vector_bytes")
def vector_bytes(vectors: Number, dimensions: Number, bits: Number) -> Number:
    """Bytes of vectors without a graph. Not counted: norms, numbers of rows."""
    return vectors * ceil_div(dimensions * bits, 8)


@step("link_bytes")
def link_bytes(vectors: Number, links: Number) -> Number:
    """Bytes of an HNSW graph's links: twice M on the lowest layer; the layers above hold a share of them that is not counted."""
    return vectors * links * 2 * LINK_BYTES


def total_chunks(things: Sequence[Thing], wanted: Wanted) -> Interval:
    """Chunks of all texts: none lies in two files."""

    def of(tokens: float) -> int:
        whole = math.ceil(tokens)
        if whole <= wanted.chunk_tokens:
            return min(whole, 1)
        return int(plain(chunks_of(whole, wanted.chunk_tokens, wanted.overlap_tokens)))

    texts = [thing.tokens for thing in things if thing.characters]
    source = next((each.source for each in texts), Source("derived", ""))
    return Interval(
        sum(of(each.low) for each in texts), sum(of(each.middle) for each in texts), sum(of(each.high) for each in texts), source
    )
