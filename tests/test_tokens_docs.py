"""The worked examples of docs/tokens.md are what the program says to real files."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("av", reason="needs the extra `tokens`")
pytest.importorskip("pypdfium2", reason="needs the extra `tokens`")

from tools.tokens_docs import FILE, answers, document


def test_the_examples_are_generated(tmp_path: Path) -> None:
    """`python -m tools.tokens_docs` would change nothing."""
    assert FILE.read_text(encoding="utf-8") == document(answers(tmp_path))
