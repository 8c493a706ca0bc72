"""Text on a page of cells: East Asian characters take two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizeup.i18n import texts
from sizeup.page import Page, cells, cut, indented, pad, right, wrap

TEXT = st.text(st.sampled_from("ab c,.記憶體快取，。（）（「」✓–×é"), max_size=60)


@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("abc", 3), ("記憶體", 6), ("\x1b[1m記\x1b[0m", 2), ("e\u0301", 1), ("█×±│", 4), ("ｆ", 2)]
)
def test_cells(text: str, expected: int) -> None:
    """Wide characters count two, combining marks and escapes nothing."""
    assert expected == cells(text)


@given(TEXT, st.integers(8, 40))
def test_wrap_keeps_the_text_and_the_width(text: str, width: int) -> None:
    """No line is wider than asked, and nothing but spaces is lost."""
    lines = wrap(text, width)
    assert max(map(cells, lines)) <= width
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXT, st.integers(1, 30))
def test_cut_and_pad_reach_the_width(text: str, width: int) -> None:
    """A cut text fits; a padded one is exactly as wide as asked, on either side."""
    assert cells(cut(text, width)) <= width
    assert cells(pad(cut(text, width), width)) == width
    assert cells(right(cut(text, width), width)) == width


def test_no_line_begins_with_closing_punctuation() -> None:
    """A full stop or comma stays with the word before it."""
    assert wrap("記憶體快取，權重。", 10) == ["記憶體快", "取，權重。"]


def test_no_line_is_one_lonely_character() -> None:
    """A last line of one East Asian character takes the one before it along."""
    assert wrap("系統可隨時回收", 12) == ["系統可隨時", "回收"]


def test_indented_hangs_under_its_prefix() -> None:
    """Lines after the first stand under the first one's text, however wide the prefix is."""
    assert indented("one two three", 14, "權重  ") == ["權重  one two", "      three"]


def test_colour_is_optional() -> None:
    """Without colour the page paints nothing; with it the text's width stays."""
    plain, painted = Page(texts("en")), Page(texts("en"), colour=True)
    assert plain.paint("fits", "good") == "fits"
    assert painted.paint("fits", "good") == "\x1b[1;32mfits\x1b[0m"
    assert cells(painted.paint("記憶", "good")) == 4
