"""Exact counts: the library's tokenizers made from GGUF files, and whole files in pieces, against llama.cpp's own tokenizer."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

import sizeup as package
from sizeup.datasets import tokenizer as counting
from sizeup.datasets.tokenizer import tokenizer
from sizeup.engines.llamacpp.vocabulary import EngineTokenizer
from sizeup.errors import SizeupError
from sizeup.tokens import pieces
from tests.small_model import small_model
from tests.vocabularies import MADE, vocabulary

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parent.parent
FAMILIES = ("gemma-3", *MADE)
LIBRARY = tuple(name for name in FAMILIES if name != "rwkv")
"""Families whose vocabulary the library can run."""


def file_of(name: str) -> Path:
    return small_model() if name == "gemma-3" else vocabulary(name)


@functools.cache
def engine(name: str) -> EngineTokenizer:
    pytest.importorskip("xllamacpp")
    return EngineTokenizer(file_of(name))


@functools.cache
def corpus() -> tuple[str, ...]:
    """English, both kinds of Chinese, Python, JSON, a makefile, and what is awkward: spaces, digits, emoji, marks, broken lines."""
    names = [
        "README.md",
        "README.zh-Hant.md",
        "README.zh-Hans.md",
        "docs/speed.md",
        "src/sizeup/search.py",
        "Makefile",
        "tests/vocabularies.py",
    ]
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in names]
    texts += [(ROOT / f"src/sizeup/i18n/{name}.json").read_text(encoding="utf-8")[:40_000] for name in ("zh-Hant", "zh-Hans")]
    awkward = [
        "", " ", "\n", "\n\n\n", "   indented", "trailing   ", "a\tb\r\nc\r\n\r\nd", "12345678901234567890 3.14159", "don't we'll IT'S",
        "👩‍👩‍👧‍👦 naïve café e\u0301", "ｆｕｌｌ　ｗｉｄｔｈ", "皇帝。「你好」，世界！", "<end_of_turn> <|im_start|>user", "\u200b\ufeff\u00a0x", "a" * 5000,
        "한국어 텍스트 日本語のテキスト", "Привет, мир", "x=1;y=[2,3];if(x<y){z++}", "_" * 200, "\x00\x07",
    ]  # fmt: skip
    return (*texts, *awkward)


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_counts_as_the_engine_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text of the corpus, to the token, in six real vocabularies of three kinds."""
    pytest.importorskip("tokenizers")
    monkeypatch.setattr(counting, "_engine", lambda path: None)
    found = tokenizer(file_of(name))
    assert found is not None
    assert not found.near
    assert found.lengths(corpus()) == engine(name).lengths(corpus())


@pytest.mark.parametrize("name", FAMILIES)
def test_a_file_in_pieces_has_the_tokens_of_the_whole(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Cut wherever a line ends, every few hundred characters: the sum is what the engine counts of the whole text at once."""
    texts = [text for text in corpus() if len(text) > 1000 and "\n" in text]
    whole = engine(name).lengths(texts)
    monkeypatch.setattr(pieces, "LENGTH", 300)
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number:02}.txt")
        paths[-1].write_text(text, encoding="utf-8", newline="")
    found = package.count_tokens(paths, tokenizer=file_of(name))
    assert [int(thing.tokens.middle) for thing in found.things] == whole
    assert found.exact


def test_a_kind_that_only_the_engine_knows() -> None:
    """RWKV's vocabulary: counted by the engine; without it, refused in words."""
    found = tokenizer(vocabulary("rwkv"))
    assert found is not None
    assert found.lengths(["The river leaves mud.\n"]) == [6]


def test_without_the_engine_a_strange_kind_is_estimated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same file without the engine: one sentence."""
    monkeypatch.setattr(counting, "_engine", lambda path: None)
    with pytest.raises(SizeupError, match="of the kind “rwkv”"):
        tokenizer(vocabulary("rwkv"))


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A vocabulary of word pieces as llama.cpp keeps them: beginnings of words marked, what goes on bare."""
    import gguf

    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁river", "▁mud", "dy", "▁the", "s", "▁.", "▁田", "▁地"]
    writer = gguf.GGUFWriter(str(tmp_path / "bert.gguf"), "bert")
    writer.add_tokenizer_model("bert")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * 5 + [1] * (len(tokens) - 5))
    writer.add_bos_token_id(2)
    writer.add_sep_token_id(3)
    writer.add_unk_token_id(1)
    writer.add_pad_token_id(0)
    writer.add_mask_token_id(4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return tmp_path / "bert.gguf"


def test_word_pieces(bert: Path) -> None:
    """An embedding model's vocabulary is counted by the engine: the, muddy, rivers, the point, two characters."""
    found = tokenizer(bert)
    assert found is not None
    assert found.lengths(["The muddy rivers.", "田地"]) == [1 + 2 + 2 + 1, 2]


def test_a_model_here_is_counted_with_its_own_vocabulary(tmp_path: Path) -> None:
    """A GGUF file that is named, and one that another tool keeps, are what the catalogue's model is counted with."""
    from sizeup.readers import read
    from sizeup.tokens.vocabulary_of import vocabulary_of

    path = tmp_path / "a.txt"
    path.write_text(corpus()[0], encoding="utf-8")
    expected = engine("gemma-3").lengths([corpus()[0]])
    found = package.count_tokens(path, str(small_model()))
    assert ([thing.tokens.low for thing in found.things], found.exact, found.tokenizer) == (expected, True, str(small_model()))
    kept = tmp_path / "home" / ".cache" / "llama.cpp" / "gemma-3-270m-it-Q4_K_M.gguf"
    kept.parent.mkdir(parents=True)
    kept.symlink_to(small_model())
    counter, said = vocabulary_of(read("google/gemma-3-270m-it", offline=True), 0, {}, tmp_path / "home")
    assert counter is not None
    assert (counter.lengths([corpus()[0]]), said) == (expected, "")
    absent, said = vocabulary_of(read("qwen3:8b", offline=True), 0, {}, tmp_path / "home")
    assert absent is None
    assert said.startswith("No tokenizer of Qwen/Qwen3-8B is here")


def test_estimates_hold_the_truth() -> None:
    """Of this repository's texts, code, tables and logs: nine in ten estimates hold what three vocabularies count, 3 % aside."""
    folders = [str(ROOT / name) for name in ("docs", "src/sizeup/data/devices", "src/sizeup/readers", "tests/data/logs")]
    estimated = package.count_tokens(folders)
    held = {}
    for name in ("gemma-3", "llama-3", "mistral"):
        counted = package.count_tokens(folders, tokenizer=file_of(name))
        pairs = list(zip(estimated.things, counted.things, strict=True))
        inside = sum(0.97 * guess.tokens.low <= true.tokens.middle <= 1.03 * guess.tokens.high for guess, true in pairs)
        held[name] = round(inside / len(pairs), 2)
    assert {name: share for name, share in held.items() if share < 0.9} == {}, json.dumps(held)
