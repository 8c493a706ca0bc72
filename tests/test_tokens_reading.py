"""What reading takes and what retrieval takes: parts, remedies, chunks, index; and the verb itself in three languages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

import sizeup as package
from sizeup.errors import UserError
from sizeup.facts import Source
from sizeup.i18n import LANGUAGES, texts
from sizeup.interval import Interval
from sizeup.page import Page, cells
from sizeup.probe import machine
from sizeup.readers import read_published
from sizeup.render.tokens import tokens as page
from sizeup.throughput import run_of
from sizeup.tokens.found import Thing, Tokens
from sizeup.tokens.rag import Rag, Wanted, chunks_of, link_bytes, rag, total_chunks, vector_bytes
from sizeup.tokens.reading import Reading, reading
from sizeup.web.app import app
from sizeup.web.serving import Serving
from tests.client import Client
from tests.program import Run

EXACT = Source("read", "tokenizer.json")
SMALL = "Qwen/Qwen3-0.6B"


def whole(count: int) -> Interval:
    return Interval(count, count, count, EXACT)


def text(count: int, path: str = "a.txt") -> Thing:
    return Thing(path, "text", whole(count), "counted", 4 * count, 4 * count, "utf-8")


def read(count: int, name: str = SMALL, on: str = "rtx-4090", **settings: object) -> Reading:
    return reading(whole(count), read_published(name), machine(on), **settings)  # type: ignore[arg-type]


def test_what_goes_in_at_once() -> None:
    """The plan is at the context of what is read and the answer; the wait is the prompt's at the plan's own pace."""
    found = read(10_000)
    assert (found.fits, found.parts, found.plan_tokens, found.needed_tokens) == (True, 1, 10_752, 10_752)
    assert found.share is not None
    assert found.share.middle == 10_000 / 40_960
    pace = run_of(found.plan).prefill(10_000)
    assert pace is not None
    assert found.prefill_s == (10_000 / pace.upper, 10_000 / pace.tokens_per_s, 10_000 / pace.lower)
    account = package.account(
        read_published(SMALL),
        quant=found.plan.quant,
        context_tokens=10_752,
        gpu_layers="all",
        k=found.plan.settings.k,
        v=found.plan.settings.v,
    )
    assert found.cache_bytes == account.bytes("cache")


def test_the_edge_of_the_context() -> None:
    """What fills the context with its answer to the last token goes in; one more does not, and other models are named."""
    assert read(40_960 - 512).in_context
    over = read(40_960 - 511)
    assert (over.in_context, over.fits, over.parts) == (False, False, 2)
    assert over.others
    for name in over.others:
        assert (read_published(name).context_tokens or 0) >= 40_961


@pytest.mark.parametrize("count", [40_449, 100_000, 1_000_000])
def test_parts_hold_everything(count: int) -> None:
    """So many parts are enough, and one less is not."""
    found = read(count)
    assert found.parts is not None
    assert (found.parts - 1) * found.room_tokens < count <= found.parts * found.room_tokens


def test_a_machine_that_is_too_small() -> None:
    """Where memory ends before the context does, the parts are as long as the machine has room; with none at all there are none."""
    box = machine("rtx-4090")
    model = read_published("Qwen/Qwen3-8B")
    tight = replace(box, pools=tuple(replace(pool, free_bytes=min(pool.free_bytes, 4 << 30)) for pool in box.pools))
    found = reading(whole(30_000), model, tight, quant="Q4_K_M", settings={"k": "f16", "v": "f16"})
    assert (found.in_context, found.plan.fits) == (True, False)
    assert found.longest_tokens is not None
    assert found.parts == -(-30_000 // (found.longest_tokens - 512))
    assert found.nearest
    none = replace(box, pools=tuple(replace(pool, free_bytes=1 << 20) for pool in box.pools))
    assert reading(whole(30_000), model, none, quant="Q4_K_M").parts is None


def test_a_context_that_is_asked_for() -> None:
    """It ends where the person says."""
    found = read(10_000, context_tokens=8192)
    assert (found.in_context, found.context_tokens, found.parts) == (False, 8192, 2)
    with pytest.raises(UserError, match="leaves nothing"):
        read(10, context_tokens=512)
    with pytest.raises(UserError, match="writes no answers"):
        read(10, "mixedbread-ai/mxbai-embed-large-v1")


@pytest.mark.parametrize(("tokens", "expected"), [(1, 1), (512, 1), (513, 2), (960, 2), (961, 3), (100_000, 224)])
def test_chunks(tokens: int, expected: int) -> None:
    """Chunks cover a text and one less does not: the first brings all of itself, each next what does not overlap."""
    assert total_chunks([text(tokens)], Wanted()).middle == expected
    if tokens > 512:
        assert chunks_of(tokens, 512, 64) == expected
        assert 512 + (expected - 2) * 448 < tokens <= 512 + (expected - 1) * 448


def test_the_index() -> None:
    """Worked by hand: 1,000 vectors of 1,024 dimensions; FAISS counts (d x 4 + M x 2 x 4) bytes a vector of HNSW."""
    assert [vector_bytes(1000, 1024, bits) for bits in (32, 16, 8, 1)] == [4_096_000, 2_048_000, 1_024_000, 128_000]
    assert vector_bytes(1, 1023, 1) == 128
    assert vector_bytes(1, 128, 32) + link_bytes(1, 32) == 128 * 4 + 32 * 2 * 4


def both(things: list[Thing], wanted: Wanted) -> Rag:
    return rag(things, read_published(SMALL), read_published("Qwen/Qwen3-Embedding-0.6B"), machine("rtx-4090"), wanted)


def test_retrieval() -> None:
    """Chunks do not span files, the prompt is the sum of what it is told of, and both models are held beside each other."""
    found = both([text(1000), text(100, "b.txt"), text(0, "c.txt")], Wanted(vector_type="f32", links=16))
    assert (found.chunks.middle, found.prompt_tokens, found.context_tokens) == (3 + 1, 200 + 50 + 5 * 512, 2810 + 512)
    assert (found.dimensions, found.index_bytes.middle) == (1024, 4 * (1024 * 4 + 16 * 2 * 4))
    assert (found.fits, found.index_pool) == (True, "ram")
    assert found.first_token_s is not None
    assert found.answer_s is not None
    assert found.first_token_s.middle < found.answer_s.middle
    pool = machine("rtx-4090").pool("vram:0")
    assert pool is not None
    assert sum(plan.breakdown.needed_bytes("vram:0") for plan in (found.plan, found.embedder)) <= pool.free_bytes


def test_retrieval_that_cannot_be() -> None:
    """An overlap as long as the chunk; chunks that the model of vectors does not take; no room for the index."""
    model, embedder, box = read_published(SMALL), read_published("mixedbread-ai/mxbai-embed-large-v1"), machine("rtx-4090")
    with pytest.raises(UserError, match="leaves nothing new"):
        rag([text(1000)], model, embedder, box, Wanted(overlap_tokens=512))
    long = rag([text(1000)], model, embedder, box, Wanted(chunk_tokens=513))
    assert (long.in_context, long.fits) == (False, False)
    huge = rag([text(10**12)], model, embedder, box, Wanted())
    assert (huge.in_context, huge.index_pool, huge.fits) == (True, "", False)


def found_of(*things: Thing) -> Tokens:
    return Tokens(list(things), passed_over={"hidden": 2, "binary": 1})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [60, 80])
def test_pages(language: str, width: int) -> None:
    """No line of any answer is wider than the page."""
    on = Page(texts(language), width)
    rough = replace(
        text(30_000, "a/very/long/folder/name/that/goes/on/and/on/" + "x" * 60),
        how="estimated",
        tokens=Interval(20_000, 30_000, 45_000, EXACT),
    )
    found = found_of(rough, text(12, "b.txt"))
    drawn = page(on, found)
    drawn += page(on, found, SMALL, read(30_000)) + page(on, found, SMALL, read(60_000))
    drawn += page(on, found, SMALL, None, both([rough], Wanted(links=16)))
    assert max(map(cells, drawn.splitlines())) <= width


def test_program(sizeup: Run, tmp_path: Path) -> None:
    """The verb: as text, as JSON, with what does not fit (3), what is missing (4) and what makes no sense (2)."""
    path = tmp_path / "a.txt"
    path.write_text("The river leaves mud.\n" * 4000)
    said = json.loads(sizeup("tokens", str(path), "--json").out)
    assert (said["files"], said["exact"], said["reading"], said["things"][0]["kind"]) == (1, False, None, "text")
    asked = ("tokens", str(path), "--model", SMALL, "--on", "rtx-4090")
    assert json.loads(sizeup(*asked, "--json").out)["reading"]["parts"] == 1
    assert sizeup(*asked).code == 0
    assert sizeup(*asked, "--context", "4096").code == 3
    assert "cache" in sizeup(*asked, "--why", "cache").out
    assert json.loads(sizeup(*asked, "--rag", "--top-k", "3", "--json").out)["rag"]["prompt_tokens"] == 250 + 3 * 512
    assert sizeup("tokens", str(tmp_path / "missing")).code == 4
    for wrong in (
        ("--on", "rtx-4090"),
        ("--top-k", "3"),
        ("--rag",),
        ("--encoding", "big6"),
        ("--model", SMALL, "--rag", "--overlap", "512"),
    ):
        assert sizeup("tokens", str(path), *wrong).code == 2
    assert sizeup("tokens").code == 2


def test_rest(tmp_path: Path, sizeup: Run) -> None:
    """The same over REST where files may be read."""
    path = tmp_path / "a.txt"
    path.write_text("The river leaves mud.\n" * 40)
    reply = Client(app(Serving(allow_files=True))).get(f"/api/tokens?file={quote(str(path))}&model={SMALL}&on=rtx-4090")
    said = sizeup("tokens", str(path), "--model", SMALL, "--on", "rtx-4090", "--json")
    assert (reply.status, reply.json) == (200, json.loads(said.out))
