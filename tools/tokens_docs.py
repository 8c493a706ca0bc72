"""The worked examples of docs/tokens.md: `python -m tools.tokens_docs` makes real files, asks about them and writes the answers; a test compares."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

from tests.media_files import film, report

from sizeup.__main__ import main

FILE = Path(__file__).parent.parent / "docs" / "tokens.md"
START = "## Worked examples\n"

EXAMPLES = (
    (
        "A report of 100 pages (PDF, 45 lines on each), for a model that reads its text:",
        "sizeup tokens report.pdf --model qwen3:8b --on rtx-4090",
    ),
    (
        "The same for a model that is given a hundred thousand tokens of context and more:",
        "sizeup tokens report.pdf --model llama3.1:8b --on rtx-4090",
    ),
    (
        "Ten minutes of film with sound, 640 x 360 pixels, for a model that sees:",
        "sizeup tokens film.mp4 --model qwen2.5vl:7b --on rtx-4090",
    ),
    (
        "One frame in two seconds is enough for much that happens slowly:",
        "sizeup tokens film.mp4 --model qwen2.5vl:7b --on rtx-4090 --frames-per-s 0.5",
    ),
    (
        "Questions about the report, answered from chunks of it:",
        "sizeup tokens report.pdf --model qwen3:8b --on rtx-4090 --rag --links 16",
    ),
)


def answers(folder: Path) -> str:
    """The section: each question as it is typed, and what the program says to it."""
    report(folder / "report.pdf", 100)
    film(folder / "film.mp4", 600, frames_per_s=5, size=(640, 360), sound=True)
    lines = [START, "Drawn by the program from files that `python -m tools.tokens_docs` makes.", ""]
    for words, typed in EXAMPLES:
        lines += [words, "", "```", f"$ {typed}", *_said(typed, folder).strip("\n").splitlines(), "```", ""]
    return "\n".join(lines)


def _said(typed: str, folder: Path) -> str:
    """What the program prints, asked in that folder by somebody who has none of these models."""
    out, before, known = io.StringIO(), Path.cwd(), dict(os.environ)
    os.environ.update(HOME=str(folder), SIZEUP_HOME=str(folder), SIZEUP_OFFLINE="1", COLUMNS="80", SIZEUP_LANG="en", NO_COLOR="1")
    for name in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME"):
        os.environ.pop(name, None)
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main(typed.split()[1:])
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(known)
    return out.getvalue()


def document(section: str) -> str:
    """The page with this section at its end."""
    return FILE.read_text(encoding="utf-8").partition(START)[0] + section


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        FILE.write_text(document(answers(Path(work))), encoding="utf-8")
    sys.exit(0)
