"""Sizes at the edges: what a person may type, and what is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizeup.errors import UserError
from sizeup.units import parse_bytes, parse_count, show_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [("24GiB", 24 * 2**30), ("24GB", 24 * 10**9), ("24 gib", 24 * 2**30), ("1.5 MiB", 1572864), ("1,000", 1000), ("512b", 512), ("0", 0)],
)
def test_sizes_with_a_unit_have_one_reading(text: str, expected: int) -> None:
    """GiB is 2^30 and GB is 10^9."""
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["24G", "8m", "1T"])
def test_a_bare_prefix_is_refused_with_both_readings(text: str) -> None:
    """24G could mean two sizes, so both are offered."""
    with pytest.raises(UserError) as caught:
        parse_bytes(text)
    assert f"{text[:-1]}{text[-1].upper()}iB" in caught.value.hint
    assert f"{text[:-1]}{text[-1].upper()}B" in caught.value.hint


@pytest.mark.parametrize("text", ["", "GiB", "-1GiB", "12 parsecs", "1e9", "nan", "१२"])
def test_nonsense_is_a_user_error(text: str) -> None:
    """Anything that is not a size says so."""
    with pytest.raises(UserError):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("8192", 8192), ("32K", 32768), ("32k", 32000), ("7B", 7 * 10**9), ("1.5B", 1_500_000_000), ("-1", -1)]
)
def test_counts(text: str, expected: int) -> None:
    """K is 1,024 as contexts are named; k, M, B and T are decimal."""
    assert parse_count(text) == expected


@pytest.mark.parametrize("text", ["18.5", "18.0", "1e3", "½"])
def test_no_counts(text: str) -> None:
    """Half of a layer or token is a mistake, not one rounded away; with a letter it is a way of writing a whole number."""
    with pytest.raises(UserError):
        parse_count(text)


@given(st.integers(min_value=0, max_value=2**60))
def test_parse_of_show_is_close(count: int) -> None:
    """What is shown reads back within the rounding of three digits."""
    for units in ("iec", "si"):
        shown = parse_bytes(show_bytes(count, units).replace(",", ""))
        assert abs(shown - count) <= max(1, count * 0.006)
