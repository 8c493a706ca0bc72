"""Logs of engines as people have them: what is read of each, however it was pasted, and that nothing breaks the readers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup.errors import Unreadable
from sizeup.logs import Reading, readings
from sizeup.logs.text import LONGEST_LINE, decoded, lines

FOLDER = Path(__file__).parent / "data" / "logs"
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_bytes())["logs"]
SCALES = {"B": 1, "MiB": 2**20, "GiB": 2**30}
names = pytest.mark.parametrize("row", INDEX, ids=lambda row: row["file"].removesuffix(".txt"))


def raw(row: dict[str, Any]) -> bytes:
    return (FOLDER / row["file"]).read_bytes()


def told(reading: Reading, expected: dict[str, Any]) -> dict[str, Any]:
    """What was read, of what is expected; every buffer, and no other."""
    return {
        "engine": reading.engine,
        "version": reading.version,
        "model": {key: getattr(reading.model, key) for key in expected["model"]},
        "settings": {key: reading.settings.get(key) for key in expected["settings"]},
        "cards": [[card.name, card.total_bytes, card.free_bytes] for card in reading.cards] if expected["cards"] else [],
        "buffers": Counter((buffer.part, buffer.pool, buffer.bytes) for buffer in reading.buffers),
        "facts": {key: reading.facts.get(key) for key in expected["facts"]},
        "prefill_tokens_per_s": reading.prefill_tokens_per_s,
        "decode_tokens_per_s": reading.decode_tokens_per_s,
        "failed": reading.failed,
        "ram": reading.ram_bytes if expected["ram"] else None,
    }


def wanted(expected: dict[str, Any]) -> dict[str, Any]:
    buffers = Counter((part, pool, round(number * SCALES[unit])) for part, pool, number, unit in expected["buffers"])
    return {**expected, "buffers": buffers}


@names
def test_every_figure_is_read(row: dict[str, Any]) -> None:
    """Engine, version, model, settings, cards, every buffer, rates and failure are what the index says, start by start."""
    found = readings(raw(row))
    assert [told(one, expected) for one, expected in zip(found, row["starts"], strict=True)] == [wanted(e) for e in row["starts"]]


def test_all_four_engines_are_there() -> None:
    """At least twenty logs, each with its source, and no file without its row."""
    assert len(INDEX) >= 20
    assert {start["engine"] for row in INDEX for start in row["starts"]} == {"llama.cpp", "ollama", "vllm", "sglang"}
    assert [row["file"] for row in INDEX if not row["source"]] == []
    assert sorted(row["file"] for row in INDEX) == sorted(path.name for path in FOLDER.glob("*.txt"))


PASTED = {
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 without its mark": lambda text: text.encode("utf-16-le"),
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "quoted": lambda text: "".join(f"> {line}\n" for line in text.splitlines()).encode(),
    "docker": lambda text: "".join(f"engine-1  | {line}\n" for line in text.splitlines()).encode(),
    "timestamps": lambda text: "".join(f"2026-08-14T14:07:20.123456789Z {line}\n" for line in text.splitlines()).encode(),
    "kubernetes": lambda text: "".join(f"2026-08-14T14:07:20.1Z stderr F {line}\n" for line in text.splitlines()).encode(),
    "journald": lambda text: "".join(f"Aug 14 14:07:20 box engine[123]: {line}\n" for line in text.splitlines()).encode(),
    "coloured": lambda text: "".join(f"\x1b[32m{line[:3]}\x1b[0m{line[3:]}\n" for line in text.splitlines()).encode(),
    "in a fence": lambda text: f"Here it is\n```shell\n{text}\n```\n".encode(),
}
"""Ways in which the same log arrives."""


@pytest.mark.parametrize("way", PASTED)
@names
def test_how_it_was_pasted_changes_nothing(row: dict[str, Any], way: str) -> None:
    """Encodings, line ends, colours and what others put before each line are taken off."""
    text = raw(row).decode()
    plain = [(r.version, r.model, r.settings, r.cards, r.buffers, r.facts, r.failed) for r in readings(raw(row))]
    pasted = [(r.version, r.model, r.settings, r.cards, r.buffers, r.facts, r.failed) for r in readings(PASTED[way](text))]
    assert pasted == plain


@pytest.mark.parametrize("width", [80, 100, 132])
@names
def test_lines_that_a_window_broke_are_joined(row: dict[str, Any], width: int) -> None:
    """A log copied out of a terminal, whose longest lines were broken at its width, reads the same."""
    text = raw(row).decode().replace("│", " ")
    broken = [line[at : at + width] for line in text.splitlines() for at in range(0, max(len(line), 1), width)]
    if sum(len(line) == width for line in broken) < 2:
        pytest.skip("no window of this width breaks two of its lines")
    plain = [Counter((b.part, b.pool, b.bytes) for b in r.buffers) for r in readings(text.encode())]
    assert [Counter((b.part, b.pool, b.bytes) for b in r.buffers) for r in readings("\n".join(broken).encode())] == plain


def test_several_starts_are_apart() -> None:
    """Two logs one behind the other are two starts, each with its own buffers and the line it begins at."""
    first, second = (next(row for row in INDEX if row["file"].startswith(name)) for name in ("llamacpp-2025-12", "llamacpp-2024-01"))
    alone = [reading.buffers for row in (first, second) for reading in readings(raw(row))]
    both = readings(raw(first) + raw(second))
    assert [reading.buffers for reading in both] == alone
    assert [reading.line for reading in both] == [1, raw(first).count(b"\n") + 1]


def test_the_engine_trying_what_fits_counts_once() -> None:
    """Where it loads the same file again without having served, only the last load is told."""
    row = next(row for row in INDEX if row["file"] == "llamacpp-2026-10-b11549-told.txt")
    text = raw(row).decode()
    at = text.index("llama_model_loader: loaded meta data")
    middle = text[text.rindex("\n", 0, at) + 1 : text.index("warming up")]
    (reading,) = readings((text[: text.rindex("\n", 0, at) + 1] + middle + "\n" + text[text.rindex("\n", 0, at) + 1 :]).encode())
    assert reading.buffers == readings(raw(row))[0].buffers


def test_folders_are_dropped() -> None:
    """Of a file's path only its last part is kept, whoever's system it is of."""
    line = b"llama_model_loader: loaded meta data with 3 key-value pairs and 4 tensors from C:\\Users\\someone\\models\\a.gguf (version GGUF V3)\nload_tensors: CPU model buffer size = 1.00 MiB"
    assert [reading.model.file for reading in readings(line)] == ["a.gguf"]


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"hello\n", b"\xff\xfe", b"{}", b"| pp |"])
def test_what_is_no_log_is_said_so(content: bytes) -> None:
    """One sentence with what would be read."""
    with pytest.raises(Unreadable) as caught:
        readings(content, "x.txt")
    assert (caught.value.message, caught.value.hint) == (
        "x.txt is no log of an engine that sizeup knows.",
        "a log of llama.cpp, Ollama, vLLM or SGLang",
    )


@settings(max_examples=200)
@given(row=st.sampled_from(INDEX), start=st.floats(0, 1), end=st.floats(0, 1))
def test_any_cut_of_a_log_is_read_or_refused(row: dict[str, Any], start: float, end: float) -> None:
    """Whatever piece of a log is there, nothing is told that the whole does not hold, and nothing breaks."""
    content = raw(row)
    piece = content[int(len(content) * min(start, end)) : int(len(content) * max(start, end))]
    try:
        found = readings(piece)
    except Unreadable:
        return
    text = piece.decode("utf-8", "replace")
    assert [
        b.name
        for reading in found
        for b in reading.buffers
        if b.name and b.name.split(" ")[0] not in (*text.split(), "rank", "server") and b.name not in text
    ] == []


@settings(max_examples=200)
@given(row=st.sampled_from(INDEX), noise=st.binary(max_size=200), at=st.floats(0, 1))
def test_noise_breaks_nothing(row: dict[str, Any], noise: bytes, at: float) -> None:
    """Random bytes in the middle of a log, alone or instead of one, are read past or refused."""
    content = raw(row)
    place = int(len(content) * at)
    for damaged in (noise, content[:place] + noise + content[place:], content[:place] + noise + content[place + len(noise) :]):
        try:
            assert all(buffer.bytes >= 0 for reading in readings(damaged) for buffer in reading.buffers)
        except Unreadable:
            continue


WORDS = ["llama_context", "buffer size =", "MiB", " KV ", "1", "99999999999", "=", ":", "msg=", '"', "\\", "source=a.go:1", "offload", "layers.offload=", "K (", "[", "(", "\x1b[", ">", "│", "eval time", "tokens per second", "GPU", "server_args=ServerArgs(", "model='", "took", "GiB", "mem usage="]  # fmt: skip


@settings(max_examples=200)
@given(words=st.lists(st.sampled_from(WORDS), max_size=60), gap=st.sampled_from(["", " ", "\n"]))
def test_words_of_logs_in_any_order_break_nothing(words: list[str], gap: str) -> None:
    """Lines that nearly are an engine's are read past."""
    try:
        readings(gap.join(words).encode())
    except Unreadable:
        return


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "a",
        "=",
        "> ",
        "[0m",
        'msg="',
        "- kv ",
        "model",
        "eval time ",
        "using device (",
        "a.b=c ",
        "llama_context: KV buffer size",
        "--x ",
        "(EngineCore ",
    ],
)
def test_huge_lines_are_cut(piece: str) -> None:
    """A line of a megabyte is looked at up to a limit, and what follows it is still read."""
    text = "llama_context: " + piece * (1_000_000 // len(piece)) + "\nload_tensors:        CUDA0 model buffer size =     1.00 MiB\n"
    assert [reading.bytes("weights") for reading in readings(text.encode())] == [1 << 20]
    assert max(len(line) for _, line in lines(decoded(text.encode()))) <= LONGEST_LINE
