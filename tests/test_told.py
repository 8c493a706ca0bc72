"""The words for a screen that lays out by itself are those of the terminal's answer."""

import pytest

import sizeup
from sizeup import remedies, render
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import Page
from sizeup.render.told import told

MODEL = sizeup.read("llama3.3:70b")


def plain(text: str) -> str:
    return "".join(text.split())


def unpaced(text: str, paces: list[str]) -> str:
    """The text without the paces that the terminal sets at the right of a sentence's first line."""
    for pace in paces:
        text = text.replace(pace, "")
    return plain(text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("quant", [None, "Q8_0"])
def test_every_word_is_one_of_the_terminals(language: str, quant: str | None) -> None:
    """What the page says beside its numbers stands in the terminal's answer too, letter by letter."""
    page = Page(texts(language), 100)
    plans = sizeup.fit(MODEL, sizeup.machine("rtx-4090"), quant=quant, context_tokens=8192)
    nearest = [] if plans[0].fits else remedies.nearest(MODEL, plans[0])
    found = told(page, plans[0], plans[1:], nearest)
    terminal = unpaced(render.fit(page, plans[0], plans[1:], nearest), [option["pace"] for option in found["nearest"]])
    words = [
        *found["shortfall"],
        *found["evidence"],
        *(sentence for _, sentence in found["doubts"]),
        *found["origins"].values(),
        found["machine"],
    ]
    words += (
        [found["pace"], found["feeling"], found["basis"], found["reason"]]
        if plans[0].fits
        else [option["words"] for option in found["nearest"]]
    )
    assert [word for word in words if word and plain(word) not in terminal] == []
    assert len([word for word in words if word]) > 8
