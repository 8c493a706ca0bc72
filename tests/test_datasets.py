"""Dataset files: what is counted of a row, estimates that hold the truth, tokenizers, and files that mean harm."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import sizeup as package
from sizeup.datasets import rows as reading
from sizeup.datasets.fields import texts as texts_of
from sizeup.datasets.guess import KINDS, characters, rates, tokens
from sizeup.datasets.rows import rows
from sizeup.datasets.tokenizer import tokenizer
from sizeup.errors import SizeupError
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import Page, cells
from sizeup.render.dataset import dataset as page
from sizeup.render.dataset import purposes as purposes_page
from sizeup.sft import purposes
from tests.program import Run


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


ROWS: list[tuple[Any, list[str], list[str]]] = [
    ("plain", ["plain"], []),
    ({"text": "a", "url": "b", "id": 3}, ["a"], ["text"]),
    ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}, ["q", "a"], ["messages"]),
    ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, ["q", "a"], ["conversations"]),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image"}]}]}, ["q"], ["messages"]),
    ({"instruction": "i", "input": "", "output": "o"}, ["i", "o"], ["instruction", "output"]),
    ({"prompt": "p", "chosen": [{"role": "a", "content": "c"}], "rejected": "r"}, ["p", "c", "r"], ["prompt", "chosen", "rejected"]),
    ({"frage": "f", "antwort": "a"}, ["f", "a"], ["frage", "antwort"]),
    ({"label": 3}, [], []),
    ([{"role": "user", "content": "q"}], ["q"], []),
    (None, [], []),
    (7, [], []),
]


@pytest.mark.parametrize(("row", "expected", "names"), ROWS)
def test_texts_of_a_row(row: Any, expected: list[str], names: list[str]) -> None:
    """The turns of a talk without their roles, the fields that trainers know, else every text."""
    assert texts_of(row) == (expected, names)


LINES = [{"text": "The sky is blue.", "source": "x"}, {"text": "天空是藍色的。", "source": "y"}]
FILES: dict[str, bytes] = {
    "lines.jsonl": "\n".join(map(json.dumps, LINES)).encode(),
    "bom.jsonl": b"\xef\xbb\xbf" + "\r\n\r\n".join(map(json.dumps, LINES)).encode() + b"\n",
    "list.json": json.dumps(LINES, indent=2).encode(),
    "object.json": json.dumps({"version": 1, "data": LINES}).encode(),
    "lines.json": "\n".join(map(json.dumps, LINES)).encode(),
    "no-ending": "\n".join(map(json.dumps, LINES)).encode(),
    "text.txt": "\n\n".join(line["text"] for line in LINES).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_formats(tmp_path: Path, name: str) -> None:
    """The same two examples, however they are written."""
    found = package.dataset(written(tmp_path / name, FILES[name]))
    assert (found.examples, found.empty, found.characters, found.counted) == (2, 0, 16 + 7, False)
    assert found.tokens.low < found.tokens.middle < found.tokens.high
    if name != "text.txt":
        assert (found.fields, found.passed_over) == (("text",), ("source",))


def test_parquet(tmp_path: Path) -> None:
    """The same from Parquet."""
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    parquet.write_table(pyarrow.Table.from_pylist(LINES), tmp_path / "x.parquet")
    assert package.dataset(tmp_path / "x.parquet").examples == 2


DEEP = b"[" * 100_000
HOSTILE: dict[str, tuple[str, bytes]] = {
    "empty": ("x.jsonl", b""),
    "spaces": ("x.jsonl", b" \n\n\t\n"),
    "half": ("x.jsonl", b'{"text": "a"}\n{"text": '),
    "noise": ("x.jsonl", bytes(range(256)) * 10),
    "zeros": ("x.jsonl", bytes(1000)),
    "deep": ("x.jsonl", b'{"text": "a"}\n{"a": ' + DEEP),
    "deep list": ("x.json", DEEP),
    "deep closed": ("x.jsonl", b'{"text": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "gzip": ("x.jsonl.gz", b"\x1f\x8b\x08\x00rest"),
    "zip": ("x.zip", b"PK\x03\x04rest"),
    "latin-1": ("x.txt", "blå".encode("latin-1")),
    "latin-1 JSON": ("x.jsonl", '{"text": "blå"}'.encode("latin-1")),
    "numbers": ("x.jsonl", b"1\n2\n3\n"),
    "no text": ("x.jsonl", b'{"label": 1}\n{"label": null}\n'),
    "endless number": ("x.jsonl", b'{"text": ' + b"9" * 100_000 + b"}"),
    "parquet": ("x.parquet", b"PAR1" + bytes(100) + b"PAR1"),
    "web page": ("x.json", b"<!doctype html><html></html>"),
    "pretty broken": ("x.json", b'{\n "text": "a",\n'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path: Path, name: str) -> None:
    """Whatever a file holds: one sentence that names it, one way out, in three languages; never a traceback, never a silent zero."""
    file, content = HOSTILE[name]
    path = written(tmp_path / file, content)
    with pytest.raises(SizeupError) as caught:
        package.dataset(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    for language in LANGUAGES[1:]:
        assert texts(language).sentence(caught.value.message) != caught.value.message


def test_a_row_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line beyond the limit is refused before it is held."""
    monkeypatch.setattr(reading, "LONGEST_ROW_BYTES", 1000)
    with pytest.raises(SizeupError, match=r"Line 1 of .* is longer than"):
        package.dataset(written(tmp_path / "x.jsonl", b'{"text": "' + b"a" * 2000 + b'"}'))


def test_what_is_no_file(tmp_path: Path) -> None:
    """A folder, a pipe, a missing file: refused at once, nothing waits."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing", "a\0b"):
        with pytest.raises(SizeupError):
            next(rows(path))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The sky is blue because air scatters short waves.", "english"),
        ("Der Himmel über Zürich ist schön blau, größer als je zuvor, süß und früh.", "latin"),
        ("天空為什麼是藍的", "cjk"),
        ("なぜ空は青いのですか", "cjk"),
        ("하늘은왜파란가요", "cjk"),
        ("почему", "cyrillic"),
        ("ทำไมท้องฟ้าเป็นสีฟ้า", "other"),
        ("def f(x):\n    return {k: [v] for k, v in x.items()}\n", "code"),
        ("```\nplain words in a fence\n```", "code"),
    ],
)
def test_scripts(text: str, kind: str) -> None:
    """Each script by its own rate."""
    counts = characters(text)
    assert max(counts, key=counts.__getitem__) == kind


def test_characters_are_all_counted() -> None:
    """Every character falls under one kind, but for the marks of a fence."""
    text = "Sky 天空 небо\n```\nx = {1: [2]}\n```\nÄpfel über Österreich"
    assert sum(characters(text).values()) == len(text) - 2 * 3
    assert set(characters(text)) == set(KINDS) == set(rates())


# Tokens of these texts by o200k_base, Llama 3, Qwen 2, Gemma 3 (their own tokenizers, 2026-11-21).
COUNTED: list[tuple[str, tuple[int, ...]]] = [
    (
        "A river that floods every spring leaves fine mud on the fields, and the farmers who curse the water in April thank it in August, when the grain stands higher than anywhere else in the valley.",
        (39, 39, 39, 39),
    ),
    (
        "El panadero abre la tienda a las seis de la mañana, enciende el horno y prepara la masa que dejó reposar toda la noche; a las siete ya esperan los primeros clientes delante de la puerta.",
        (43, 52, 52, 42),
    ),
    (
        "Der alte Uhrmacher öffnet jeden Morgen seine Werkstatt, prüft die Federn der großen Standuhr und hört zu, ob sie gleichmäßig schlägt, bevor er den ersten Kunden begrüßt.",
        (41, 50, 47, 42),
    ),
    (
        "春天的河水每年都會漫過田地，留下一層細細的泥土。四月裡抱怨洪水的農夫，到了八月又會感謝它，因為這裡的稻子長得比別處都高。",
        (63, 60, 48, 50),
    ),
    (
        "春天的河水每年都会漫过田地，留下一层细细的泥土。四月里抱怨洪水的农民，到了八月又会感谢它，因为这里的稻子长得比别处都高。",
        (55, 57, 43, 48),
    ),
    (
        "春になると川の水が田畑にあふれ、細かい泥を残していきます。四月に水を恨む農夫も、八月には感謝します。ここの稲はどこよりも高く育つからです。",
        (61, 56, 53, 42),
    ),
    (
        "Весной река заливает поля и оставляет на них тонкий слой ила; крестьяне, которые ругают воду в апреле, благодарят её в августе.",
        (39, 44, 46, 36),
    ),
    (
        'def windows(items, size):\n    """Every run of `size` neighbours."""\n    for start in range(len(items) - size + 1):\n        yield items[start : start + size]\n\n\nprint([sum(w) for w in windows([1, 2, 3, 4], 2)])\n',
        (63, 63, 63, 73),
    ),
    ('{"name": "fork", "sizes": [1, 2, 3], "colour": {"red": 0.25, "green": 0.5}, "tags": ["kitchen", "steel"]}', (48, 47, 48, 47)),
]


def test_estimates_hold_what_tokenizers_count() -> None:
    """Texts that the rates were not measured on: the interval, 3 % wider, holds what each tokenizer counts."""
    for text, counts in COUNTED:
        low, _, high = tokens(characters(text))
        assert all(0.97 * low <= count <= 1.03 * high for count in counts), text


def small_tokenizer(tmp_path: Path) -> Path:
    """A tokenizer of bytes and one merge."""
    from sizeup.ghost.tokenizer import tokenizer_files

    return written(tmp_path / "tokenizer.json", tokenizer_files(300, None)["tokenizer.json"])


def test_counting(tmp_path: Path) -> None:
    """With a tokenizer of bytes every byte is a token, exactly."""
    pytest.importorskip("tokenizers")
    path = written(tmp_path / "x.jsonl", FILES["lines.jsonl"])
    found = package.dataset(path, small_tokenizer(tmp_path))
    assert (found.tokens.low, found.tokens.middle, found.counted, found.longest_tokens) == (16 + 21, 16 + 21, True, 21)


def vocabulary_file(path: Path, model: str, tokens: list[str], **rest: Any) -> Path:
    """A GGUF file of a vocabulary and nothing else."""
    import gguf

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_tokenizer_model(model)
    writer.add_token_list(tokens)
    for name, value in rest.items():
        getattr(writer, f"add_{name}")(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_a_vocabulary_of_bytes_in_gguf(tmp_path: Path) -> None:
    """Byte-level merges in the order of the file, inside what the cut leaves together: two words are two pieces."""
    pytest.importorskip("tokenizers")
    from sizeup.ghost.tokenizer import byte_letters

    path = vocabulary_file(
        tmp_path / "v.gguf",
        "gpt2",
        [*byte_letters(), "he", "hel", "lo", "Ġhe"],
        tokenizer_pre="gpt-2",
        token_merges=["h e", "he l", "l o", "Ġ he"],
    )
    found = tokenizer(path)
    assert found is not None
    # hel lo, and Ġ hel lo: "h e" and "he l" are earlier than "Ġ he".
    assert found.lengths(["hello hello", "he", "héh", ""]) == [2 + 3, 1, 4, 0]
    assert not found.near
    strange = tokenizer(vocabulary_file(tmp_path / "w.gguf", "gpt2", [*byte_letters()], tokenizer_pre="never-heard-of", token_merges=[]))
    assert strange is not None
    assert strange.near


def test_a_vocabulary_of_pieces_in_gguf(tmp_path: Path) -> None:
    """SentencePiece: the join with the highest score first; what is no piece falls to its bytes."""
    pytest.importorskip("tokenizers")
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    tokens = ["<unk>", *bytes_, "▁", "a", "b", "c", "ab", "bc", "▁a"]
    scores = [0.0] * 257 + [-1.0, -2.0, -3.0, -4.0, -9.0, -5.0, -7.0]
    found = tokenizer(vocabulary_file(tmp_path / "v.gguf", "llama", tokens, token_scores=scores, token_types=[2] + [6] * 256 + [1] * 7))
    assert found is not None
    # ▁abc: bc (-5) before ▁a (-7); ab (-9) has no a left. The two bytes of é fall back.
    assert found.lengths(["abc", "é"]) == [2, 3]
    with pytest.raises(SizeupError, match="of the kind"):
        tokenizer(vocabulary_file(tmp_path / "w.gguf", "never-heard-of", tokens))


def test_a_broken_tokenizer(tmp_path: Path) -> None:
    """A tokenizer that is none is refused in words."""
    pytest.importorskip("tokenizers")
    for name, content in (("tokenizer.json", b"{}"), ("x.gguf", b"GGUF\3\0\0\0")):
        with pytest.raises(SizeupError):
            tokenizer(written(tmp_path / name, content))


def test_no_tokenizer_means_an_estimate(tmp_path: Path) -> None:
    """A model without one at hand is estimated, and says so."""
    path = written(tmp_path / "x.jsonl", FILES["lines.jsonl"])
    found = package.dataset(path, "qwen3:8b")
    assert (found.counted, len(found.notes)) == (False, 1)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [40, 80])
def test_pages(tmp_path: Path, language: str, width: int) -> None:
    """No line is wider than the page."""
    found = package.dataset(written(tmp_path / "x.jsonl", FILES["lines.jsonl"]))
    drawn = page(Page(texts(language), width), found, purposes()) + purposes_page(Page(texts(language), width), purposes())
    assert max(map(cells, drawn.splitlines())) <= width


def test_program(sizeup: Run, tmp_path: Path) -> None:
    """The verb with and without a file, as text and as JSON; a broken file ends with 4."""
    path = written(tmp_path / "x.jsonl", FILES["lines.jsonl"])
    assert sizeup("dataset", str(path)).code == 0
    found = json.loads(sizeup("dataset", str(path), "--json").out)
    assert (found["examples"], sum(found["characters_by_kind"].values())) == (2, found["characters"])
    assert len(json.loads(sizeup("dataset", "--json").out)["purposes"]) == 4
    assert sizeup("dataset", str(tmp_path / "missing")).code == 4
