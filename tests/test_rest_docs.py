"""docs/rest.md is what the table of operations says."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="needs the extra `web`")

from tools.rest_docs import FILE, document, speed


def test_the_page_is_generated() -> None:
    """`python -m tools.rest_docs` would change nothing."""
    assert FILE.read_text(encoding="utf-8") == document(speed())
