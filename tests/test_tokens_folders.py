"""Tokens of folders and of large or strange files: what is passed over, what never ends, how a long text is cut and sampled."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

import pytest

import sizeup as package
from sizeup.datasets.guess import KINDS, characters
from sizeup.datasets.tokenizer import Counter
from sizeup.errors import SizeupError, UserError
from sizeup.tokens import count as counting
from sizeup.tokens import pieces
from sizeup.tokens.count import count
from sizeup.tokens.pieces import Piece
from tests.test_tokens import ENGLISH, RIVER, names, written


def tree(top: Path) -> None:
    """A source tree with what is not for reading in it."""
    written(top / "src" / "a.py", "x = 1\n")
    written(top / "src" / "kept.log", "kept\n")
    written(top / "src" / ".gitignore", "!kept.log\n")
    written(top / "gone.log", "gone\n")
    written(top / "secret" / "key", "k\n")
    written(top / ".gitignore", "*.log\nsecret/\n")
    written(top / ".git" / "config", "c\n")
    written(top / "node_modules" / "m.js", "m\n")
    written(top / "py" / "pyvenv.cfg", "home\n")
    written(top / "uv.lock", "l\n")
    written(top / "logo.bin", b"\0\1\2")
    written(top / "empty.py", "")


def test_folders(tmp_path: Path) -> None:
    """What a person would read: not what is hidden, ignored, made by tools, or no text; each is counted by reason."""
    pytest.importorskip("pathspec")
    tree(tmp_path)
    found = package.count_tokens(tmp_path)
    assert names(found) == ["a.py", "kept.log"]
    assert found.passed_over == {"hidden": 3, "ignored": 2, "made": 2, "locked": 1, "binary": 1, "empty": 1}
    everything = package.count_tokens(tmp_path, everything=True)
    assert len(everything.things) == 10
    assert everything.passed_over == {"binary": 1, "empty": 1}


def test_each_file_once(tmp_path: Path) -> None:
    """A file that is named and lies in a folder that is named is one file; what is named is counted however it is called."""
    tree(tmp_path)
    found = package.count_tokens([tmp_path / "gone.log", tmp_path / "src", tmp_path / "src" / "a.py", tmp_path / "src" / ".." / "gone.log"])
    assert names(found) == ["gone.log", "a.py", "kept.log"]


def test_what_never_ends(tmp_path: Path) -> None:
    """Pipes, sockets, devices and rings of links: nothing waits, and what is named is refused by name."""
    written(tmp_path / "a.txt", ENGLISH)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "ring").symlink_to("ring")
    (tmp_path / "up").symlink_to("..")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        found = package.count_tokens(tmp_path)
        assert (names(found), found.passed_over) == (["a.txt"], {"link": 2, "special": 2})
        named = package.count_tokens([tmp_path / "a.txt", tmp_path / "pipe", tmp_path / "ring", "/dev/zero", tmp_path / "s", "a\0b"])
    assert (names(named), len(named.skipped)) == (["a.txt"], 5)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Nothing of it: one sentence, and the exit code of the first; some of it: the rest is counted."""
    empty = written(tmp_path / "zero.txt", "")
    with pytest.raises(SizeupError, match="is empty") as caught:
        package.count_tokens(empty)
    assert caught.value.exit_code == 4
    with pytest.raises(SizeupError, match=r"Nothing of 2 files can be counted\. There is no file"):
        package.count_tokens([tmp_path / "missing", empty])
    with pytest.raises(UserError):
        package.count_tokens([])
    good = written(tmp_path / "good.txt", ENGLISH)
    found = package.count_tokens([empty, good])
    assert (names(found), [one.path for one in found.skipped]) == (["good.txt"], [str(empty)])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    """A file and a folder that this user may not read are named."""
    written(tmp_path / "good.txt", ENGLISH)
    written(tmp_path / "closed.txt", ENGLISH).chmod(0)
    (tmp_path / "inside").mkdir(mode=0)
    found = package.count_tokens(tmp_path)
    (tmp_path / "inside").chmod(0o700)
    assert (names(found), len(found.skipped)) == (["good.txt"], 2)


def by_words(texts: list[str] | tuple[str, ...]) -> list[int]:
    """A tokenizer whose tokens are what spaces and line ends part, with them."""
    return [len(text.split()) + text.count("\n") for text in texts]


def test_cutting_changes_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text in any portions and pieces has the tokens that it has whole."""
    random_ = random.Random(7)
    text = "".join(random_.choice(["river ", "mud\n", "x = 1\n\n", "  indented\n", "田地，泥土。\n", "a" * 50 + " "]) for _ in range(2000))
    whole = by_words([text])[0]
    monkeypatch.setattr(pieces, "LENGTH", 100)
    monkeypatch.setattr(pieces, "LONGEST", 400)
    for size in (1, 7, 100, 5000):
        portions = [text[at : at + size] for at in range(0, len(text), size)]
        cut = list(pieces.pieces(portions))
        assert "".join(piece.text for piece in cut) == text
        assert not any(piece.hard for piece in cut)
        found = count(portions, Counter(by_words, "words"))
        assert (found.tokens.low, found.tokens.middle, found.tokens.high, found.characters) == (whole, whole, whole, len(text))


def test_a_text_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without lines or spaces a cut may fall into a token: the count becomes an interval."""
    monkeypatch.setattr(pieces, "LENGTH", 100)
    monkeypatch.setattr(pieces, "LONGEST", 400)
    cut = list(pieces.pieces(["a" * 1000]))
    assert cut == [Piece("a" * 400), Piece("a" * 400, "a", True), Piece("a" * 200, "a", True)]
    found = count(["a" * 1000], Counter(lambda texts: [-(-len(text) // 3) for text in texts], "threes"))
    # 134 + (134 - 1) + (67 - 1), where 334 would be right: two cuts, two tokens each.
    assert (found.tokens.low, found.tokens.middle, found.tokens.high) == (329, 333, 337)


def test_a_large_file_in_little_memory(tmp_path: Path) -> None:
    """A file of 20 MB is read in pieces: memory follows the pieces."""
    import tracemalloc

    path = tmp_path / "large.txt"
    line = ("The river leaves mud. " * 40 + "\n").encode()
    with path.open("wb") as file:
        for _ in range(20):
            file.write(line * 1200)
    tracemalloc.start()
    found = package.count_tokens(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.characters == path.stat().st_size > 20_000_000
    assert peak < 16_000_000


def test_tables_of_numbers() -> None:
    """Digits are counted apart and what stands between them is a table: all characters of one, however they fall."""
    text = "name,bytes\nriver,123456789\nmud,987654321\n" * 10
    kinds = characters(text)
    assert (kinds["digits"], kinds["data"], sum(kinds.values())) == (180, len(text) - 180, len(text))
    assert set(kinds) == set(KINDS)


def test_a_long_text_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the first part of a very long text one portion in sixteen is looked at, and all are counted for what it shows."""
    portions = [ENGLISH, RIVER] * 8000
    whole = count(portions, None)
    monkeypatch.setattr(counting, "LONG", 20_000)
    monkeypatch.setattr(counting, "EACH", 17)
    sampled = count(portions, None)
    assert sampled.characters == whole.characters == 8000 * len(ENGLISH + RIVER)
    assert abs(sampled.tokens.middle / whole.tokens.middle - 1) < 0.01
