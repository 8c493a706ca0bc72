"""Three languages say the same things."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any

import pytest

import sizeup
from sizeup import i18n
from sizeup.errors import UserError
from sizeup.figure import STEPS
from sizeup.plan import PARTS


def content(language: str) -> dict[str, Any]:
    return i18n._content(language)


@pytest.mark.parametrize("language", i18n.LANGUAGES[1:])
def test_same_messages(language: str) -> None:
    """Every message exists in every language, with the same places."""
    english, other = content("en")["messages"], content(language)["messages"]
    assert {key: sorted(i18n.places(text)) for key, text in english.items()} == {
        key: sorted(i18n.places(text)) for key, text in other.items()
    }


@pytest.mark.parametrize("language", i18n.LANGUAGES[1:])
def test_sentences_keep_their_places(language: str) -> None:
    """A translated sentence has the places of its English one, and both languages translate the same sentences."""
    sentences = content(language)["sentences"]
    assert {s: sorted(i18n.places(s)) for s in sentences} == {s: sorted(i18n.places(t)) for s, t in sentences.items()}
    assert list(content("zh-Hans")["sentences"]) == list(sentences)


@pytest.mark.parametrize("language", i18n.LANGUAGES[1:])
def test_sentences_can_be_filled(language: str) -> None:
    """Every place of a translated sentence has a name: one without could not be filled when the sentence is needed."""
    named = {s: [place for place in i18n.places(s) if not place.isidentifier()] for s in content(language)["sentences"]}
    assert {s: bad for s, bad in named.items() if bad} == {}


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_no_message_is_written_twice(language: str) -> None:
    """A second text under one key would silently take the first one's place."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert [key for key in keys if keys.count(key) > 1] == []
        return dict(pairs)

    json.loads((i18n.FOLDER / f"{language}.json").read_bytes(), object_pairs_hook=once)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_steps_and_parts_have_words(language: str) -> None:
    """Every named step of every formula and every part of a breakdown has a text of its own."""
    for module in pkgutil.walk_packages(sizeup.__path__, "sizeup."):
        if not any(part in module.name for part in ("engines.llamacpp.child", "trace.inside.", "sizeup.web.", "sizeup.mcp")):
            importlib.import_module(module.name)
    messages = content(language)["messages"]
    wanted = [f"part.{part}" for part in PARTS] + [f"step.{name}" for name in STEPS if not name.startswith("test_")]
    assert [key for key in wanted if key not in messages] == []


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_TW.UTF-8"}, "zh-Hant"),
        ({"LANG": "zh_HK"}, "zh-Hant"),
        ({"LANG": "zh_MO.UTF-8"}, "zh-Hant"),
        ({"LANG": "zh-Hant-CN"}, "zh-Hant"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-Hans"),
        ({"LANG": "zh_SG.UTF-8@pinyin"}, "zh-Hans"),
        ({"LANG": "zh"}, "zh-Hans"),
        ({"LC_ALL": "C", "LANG": "zh_TW.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "zh_TW.UTF-8"}, "zh-Hans"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_TW.UTF-8"}, "zh-Hant"),
        ({"SIZEUP_LANG": "zh-Hant", "LC_ALL": "en_GB.UTF-8"}, "zh-Hant"),
    ],
)
def test_language_from_the_environment(environment: dict[str, str], expected: str) -> None:
    """The first variable that is set decides, as in POSIX; what is not Chinese is English."""
    assert expected == i18n.language(None, environment)


def test_unknown_language_is_refused() -> None:
    """A language asked for by name that does not exist is a mistake with the three that do."""
    with pytest.raises(UserError) as caught:
        i18n.language("fr")
    assert caught.value.hint == "--lang en | zh-Hant | zh-Hans"


def test_missing_key_falls_back_to_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that a language lacks is said in English; a key that nobody has is our own mistake."""
    texts = i18n.Texts("zh-Hant")
    monkeypatch.setattr(texts, "_messages", {})
    assert texts("fit.fits") == "fits"
    with pytest.raises(KeyError):
        texts("no.such.key")


def test_sentences_are_found_by_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """The most literal pattern wins, places keep their values, and an unknown sentence stays as it is."""
    sentences = {"No {thing} here.": "這裡沒有{thing}。", "No engine here.": "這裡沒有引擎。", "{a} and {b}": "{b}與{a}", "file": "檔案"}
    monkeypatch.setitem(i18n._content("zh-Hant"), "sentences", sentences)
    i18n._patterns.cache_clear()
    texts = i18n.Texts("zh-Hant")
    said = [texts.sentence(s) for s in ("No engine here.", "No file here.", "1 and 2", "Nothing of the kind")]
    i18n._patterns.cache_clear()
    assert said == ["這裡沒有引擎。", "這裡沒有檔案。", "2與1", "Nothing of the kind"]
