"""Names and texts of others on a terminal: what would steer it is shown as a replacement character, and a name stays on its line."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from sizeup.__main__ import main
from sizeup.cli.verb import stream
from sizeup.page import harmless, one_line

RED = "\x1b[31m"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("記憶體 8 GiB", "記憶體 8 GiB"),
        ("a\nb\tc", "a\nb\tc"),
        ("\x1b]0;title\x07", "�]0;title�"),
        ("\x1b[2J", "�[2J"),
        ("a\rb\x08\x7f\x9b1m", "a�b���1m"),
        ("gpj.\u202egnp", "gpj.�gnp"),
    ],
)
def test_what_steers_a_terminal(text: str, expected: str) -> None:
    """The cursor, the title, the screen, the direction of writing are not for names to change; lines and letters stay."""
    assert harmless(text) == expected


def test_colours_of_a_page() -> None:
    """A page's own colours pass, a name's do not."""
    assert (harmless(RED, colours=True), harmless(RED), one_line(f"{RED}a\nb\tc")) == (RED, "�", "�a\\nb\\tc")


def test_files_with_such_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is one row of the answer, whatever it is called."""
    monkeypatch.chdir(tmp_path)
    for name in (f"{RED}red.txt", "two\nlines.txt", "\u202etxt.fdp"):
        (tmp_path / name).write_text("mud and sand\n")
    (tmp_path / "void\n.pdf").write_bytes(b"%PDF-")
    assert main(["tokens", ".", "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert [name in said for name in ("�red.txt", "two\\nlines.txt", "�txt.fdp", "void\\n.pdf", RED, "\u202e")] == [True] * 4 + [False] * 2


def test_an_error_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, one way out."""
    assert main(["tokens", f"{RED}no\nwhere", "--lang", "en"]) == 4
    assert capsys.readouterr().err == "There is no file �no\\nwhere.\nTry: check the path\n"


def test_what_a_model_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact into a pipe, harmless before a person."""
    said = []
    for looked_at in (False, True):
        out = io.TextIOWrapper(io.BytesIO(), "utf-8")
        monkeypatch.setattr(out, "isatty", lambda looked_at=looked_at: looked_at)
        monkeypatch.setattr(sys, "stdout", out)
        stream(f"{RED}a\n")
        out.seek(0)
        said.append(out.read())
    assert said == [f"{RED}a\n", "�a\n"]
