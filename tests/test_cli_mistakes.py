"""Mistakes on the command line: one sentence, a way out, an exit code, in three languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sizeup import __main__ as program
from sizeup.errors import EngineFailed
from sizeup.i18n import LANGUAGES, texts
from tests.broken import BROKEN
from tests.program import Run

MISTAKES: list[tuple[list[str], int, str]] = [
    (["fit"], 2, "MODEL is missing."),
    (["fit", "x.gguf", "--contxt", "5"], 2, "There is no option --contxt."),
    (["fit", "no-such-model-anywhere"], 4, "No model is called “no-such-model-anywhere”."),
    (["fit", "./no-such-file.gguf"], 4, "There is no file no-such-file.gguf."),
    (["models", "--on", "rtx-4090", "--ram", "24G"], 2, "“24G” has two readings that differ by 7 %."),
    (["machine", "no-such-machine-9000"], 4, "No machine or device is called “no-such-machine-9000”."),
    (["explain", "quantisatoin"], 4, "The glossary has no “quantisatoin”."),
    (["machine", "--lang", "fr"], 2, "“fr” is not a language of sizeup."),
    (["machine", "--units", "metric"], 2, "--units does not take this value."),
    (["models", "--limit", "0"], 2, "--limit = 0 is below 1."),
    (["fit", "gpt-4o"], 4, "GPT-4o is closed: "),
]


@pytest.mark.parametrize(("args", "code", "message"), MISTAKES)
def test_mistakes(sizeup: Run, args: list[str], code: int, message: str) -> None:
    """One sentence, one line that begins "Try", the exit code, nothing on standard output."""
    said = sizeup(*args)
    assert (said.code, said.out) == (code, "")
    first, second = said.err.splitlines()
    assert first.startswith(message)
    assert second.startswith("Try: ")


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize(("args", "code", "message"), [row for row in MISTAKES if "fr" not in row[0]])
def test_mistakes_in_chinese(sizeup: Run, args: list[str], code: int, message: str, language: str) -> None:
    """The same mistakes in Chinese: every sentence has a translation."""
    said = sizeup(*args, "--lang", language)
    assert said.code == code
    assert not said.err.startswith(message)
    assert said.err.splitlines()[1].startswith(texts(language)("error.try", hint=""))


def test_two_readings_are_offered(sizeup: Run) -> None:
    """An ambiguous size is refused with both readings."""
    assert sizeup("models", "--on", "rtx-4090", "--ram", "24G").err.splitlines()[1] == "Try: 24GiB (binary) or 24GB (decimal)"


@pytest.mark.parametrize("context", ["0", "-5", "1000000000000", "abc"])
def test_impossible_contexts(sizeup: Run, model: str, context: str) -> None:
    """A context that nobody can mean is a mistake, not a crash."""
    said = sizeup("fit", model, f"--context={context}")
    assert (said.code, len(said.err.splitlines())) == (2, 2)


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("verb", ["fit", "model", "run"])
def test_a_broken_file(sizeup: Run, verb: str, name: str, tmp_path: Path) -> None:
    """Every verb that reads a file says in one sentence what is wrong with it, with a way out and exit code 4."""
    path = tmp_path / "model.gguf"
    path.write_bytes(BROKEN[name][0])
    said = sizeup(verb, str(path))
    assert (said.code, said.out) == (4, "")
    first, second = said.err.splitlines()
    assert "model.gguf" in first
    assert second.startswith("Try: ")


def test_errors_as_json(sizeup: Run) -> None:
    """With --json a mistake is one document on standard output."""
    said = sizeup("fit", "no-such-model-anywhere", "--json")
    error = json.loads(said.out)["error"]
    assert (said.code, said.err) == (4, "")
    assert (error["kind"], error["message"], error["exit_code"]) == ("NotFound", "No model is called “no-such-model-anywhere”.", 4)


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*args: Any, **options: Any) -> Any:
        raise error

    return fail


def test_a_bug_is_one_line(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own mistake is said to be ours, in one line with the way to see more, exit 70; SIZEUP_DEBUG=1 lets it through."""
    monkeypatch.setattr("sizeup.search.fit", raising(ValueError("odd")))
    said = sizeup("fit", model)
    assert said == (70, "", "This is a bug in sizeup (ValueError: odd). SIZEUP_DEBUG=1 shows the traceback.\n")
    monkeypatch.setenv("SIZEUP_DEBUG", "1")
    with pytest.raises(ValueError, match="odd"):
        program.main(["fit", model])


def test_interrupt(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends quietly with 130."""
    monkeypatch.setattr("sizeup.search.fit", raising(KeyboardInterrupt()))
    assert sizeup("fit", model) == (130, "", "\n")


def test_an_engine_that_fails_shows_its_log(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 6, the sentence, the hint and the engine's own last lines."""
    monkeypatch.setattr("sizeup.search.fit", raising(EngineFailed("The engine failed: no.", "sizeup fit", "line 1\nline 2")))
    assert sizeup("fit", model) == (6, "", "The engine failed: no.\nTry: sizeup fit\nline 1\nline 2\n")
