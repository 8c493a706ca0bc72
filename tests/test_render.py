"""What a terminal shows, in three languages and several widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sizeup import render
from sizeup.examples import work_out
from sizeup.i18n import LANGUAGES, texts
from sizeup.i18n.glossary import glossary
from sizeup.page import Page, cells
from sizeup.plan import PARTS, Breakdown, Claim
from sizeup.probe import machine
from sizeup.readers import read
from sizeup.render import ranking, term
from sizeup.render.bar import GLYPHS, memory_bar, segments, spread
from tests import answers

Golden = Callable[[str, str], None]


def explained(page: Page, key: str) -> str:
    """A term as it is explained on a small board."""
    entry = glossary(page.texts.language).entry(key)
    example = work_out(entry.example, machine("raspberry-pi-5-8gb"), None, read, page.texts.language)
    return term.term(page, entry, example, term.command(entry, example, "raspberry-pi-5-8gb"))


SCREENS: dict[str, Callable[[Page], str]] = {
    "fits": lambda page: render.fit(page, answers.FITS, [answers.BETTER], (), 61_440),
    "proved": lambda page: render.fit(page, answers.PROVED),
    "does-not-fit": lambda page: render.fit(page, answers.DOES_NOT_FIT, (), answers.NEAREST),
    "four-cards": lambda page: render.fit(page, answers.FOUR_CARDS),
    "models": lambda page: ranking.models(page, answers.RANKING),
    "models-unmet": lambda page: ranking.models(page, answers.UNMET),
    "models-why": lambda page: ranking.why(page, answers.RANKING.choices[0], "code"),
    "model": lambda page: render.model(page, answers.MIXTURE),
    "machine": lambda page: render.machine(page, answers.LAPTOP),
    "card": lambda page: render.machine(page, answers.DESKTOP),
    "run": lambda page: render.measurement(page, answers.FITS, answers.MEASUREMENT),
    "term": lambda page: explained(page, "kv cache"),
    "terms": lambda page: term.terms(page),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", SCREENS)
def test_screens(screen: str, language: str, golden: Golden) -> None:
    """The whole answer, to the letter."""
    golden(f"{screen}.{language}", SCREENS[screen](Page(texts(language))))


@pytest.mark.parametrize("width", [40, 60, 80, 100])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", SCREENS)
def test_no_line_is_wider_than_the_page(screen: str, language: str, width: int) -> None:
    """Every line fits its page, except a command, whose words are never broken."""
    lines = SCREENS[screen](Page(texts(language), width)).splitlines()
    wide = [line for line in lines if cells(line) > width and "llama-server" not in line and ".gguf" not in line]
    assert wide == []


@pytest.mark.parametrize("screen", SCREENS)
def test_colour_adds_only_colour(screen: str) -> None:
    """With colours the text is the same, cell by cell."""
    bare = SCREENS[screen](Page(texts("zh-Hant"))).splitlines()
    painted = SCREENS[screen](Page(texts("zh-Hant"), colour=True)).splitlines()
    assert [cells(line) for line in bare] == [cells(line) for line in painted]
    assert "\x1b" not in "".join(bare)


def test_si_units() -> None:
    """With si every size is in powers of ten."""
    text = render.fit(Page(texts("en"), units="si"), answers.FITS)
    assert "23.7 GB" in text
    assert "iB" not in text.replace("GiB_", "")


def test_every_part_has_a_glyph_of_its_own() -> None:
    """No two parts that an inference answer can show share a glyph."""
    assert len(set(GLYPHS.values())) == len(GLYPHS)
    assert [part for part in PARTS[:11] if part not in GLYPHS] == []


def test_bar_cells_are_true() -> None:
    """A part takes its share of the line, the line stands at the free bytes, and the label names them."""
    page = Page(texts("en"))
    bar, under = memory_bar(page, Breakdown((Claim("weights", "ram", 50), Claim("cache", "ram", 25))), "ram", 100, 48)
    room = 48 - len("100 B") - 2
    assert (bar.count("█"), bar.count("▒")) == (round(room / 2), round(room * 0.75) - round(room / 2))
    assert bar.index("│") == room
    assert bar.endswith(" 100 B")
    assert "25 B free" in under


def test_bar_past_the_line() -> None:
    """What does not fit runs past the line."""
    bar, under = memory_bar(Page(texts("en")), Breakdown((Claim("weights", "ram", 200),)), "ram", 100, 48)
    line = bar.index("│")
    assert abs(bar[:line].count("█") - bar[line:].count("█")) <= 1
    assert under.index("↑") == line


def test_reclaimable_pages_come_last_and_do_not_count() -> None:
    """Pages that the system may drop are dotted behind the doubt, outside of what is needed."""
    stack = segments(Breakdown(answers.LAPTOP_CLAIMS), "ram")
    assert [s.part for s in stack][-2:] == ["doubt", "spare"]
    assert stack[-1].bytes == 4_402_341_478


@pytest.mark.parametrize(
    ("sizes", "most", "expected"),
    [([1, 1], 10, [5, 5]), ([1000, 1], 10, [9, 1]), ([1000, 1, 1, 1], 10, [7, 1, 1, 1]), ([0, 5], 10, [0, 10]), ([1] * 4, 2, [1, 1, 1, 1])],
)
def test_spread(sizes: list[int], most: int, expected: list[int]) -> None:
    """Whole cells: at least one for anything that is there, taken from the widest."""
    assert expected == spread(sizes, 10 / sum(sizes), most)
