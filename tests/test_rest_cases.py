"""No question that the OpenAPI document allows, and no wrong one, is answered with a server's error."""

from __future__ import annotations

import warnings

import pytest

pytest.importorskip("starlette", reason="needs the extra `web`")
pytest.importorskip("schemathesis", reason="needs schemathesis")


def failures(cases: int) -> list[str]:
    with warnings.catch_warnings():
        # A test client's own deprecations are no answer of ours.
        warnings.simplefilter("ignore")
        from tools.rest_cases import ask

        return ask(cases).failures


def test_a_few_hundred_questions() -> None:
    """No 5xx, and no answer that its schema does not say."""
    assert failures(300) == []


@pytest.mark.full
def test_ten_thousand_questions() -> None:
    """The same, with as many questions as take a quarter of an hour."""
    assert failures(10_000) == []
