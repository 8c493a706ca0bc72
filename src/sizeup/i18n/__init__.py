"""Words in three languages: one JSON file a language, message keys -> text with named places. Terms of the field are in glossary/.

Sentences that code writes in English (errors, warnings, notes) are their own keys: the file of a language holds the
English sentence with places beside its translation, so whoever raises an error needs to know nothing of languages.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sizeup.errors import UserError

LANGUAGES = ("en", "zh-Hant", "zh-Hans")
"""Languages that exist, as BCP 47 writes them; each is a file here."""

FOLDER = Path(__file__).parent

_HANT = {"hant", "tw", "hk", "mo"}


def language(given: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """The language to speak: the one asked for, else SIZEUP_LANG, else the system's locale, else English.

    Raises UserError when the one asked for does not exist; an unknown locale is no mistake and means English.
    """
    if given:
        found = _recognised(given)
        if found is None:
            raise UserError(f"“{given}” is not a language of sizeup.", "--lang " + " | ".join(LANGUAGES))
        return found
    env = os.environ if environment is None else environment
    # The first that is set decides, as in POSIX; the rest is not asked even when the first is unknown to us.
    named = next((env[name] for name in ("SIZEUP_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if env.get(name)), "")
    return _recognised(named) or "en"


def _recognised(name: str) -> str | None:
    words = [word.lower() for word in re.split(r"[-_.@]", name) if word]
    if not words:
        return None
    if words[0] == "zh":
        if "hans" in words:
            return "zh-Hans"
        return "zh-Hant" if _HANT & set(words[1:]) else "zh-Hans"
    return "en" if words[0] == "en" else None


class Texts:
    """All words of one language. Call it with a key and the values of its places."""

    def __init__(self, language: str) -> None:
        content = _content(language)
        self.language = language
        self._messages: dict[str, str] = content["messages"]
        self._sentences: dict[str, str] = content.get("sentences", {})

    def __call__(self, key: str, **values: Any) -> str:
        """The text of this key with its places filled; English when this language lacks it. Raises KeyError for an unknown key."""
        text = self._messages.get(key)
        if text is None:
            text = _content("en")["messages"][key]
        return str(text).format(**values) if values else str(text)

    def has(self, key: str) -> bool:
        """Whether any text has this key."""
        return key in self._messages or key in _content("en")["messages"]

    def group(self, names: Collection[str]) -> dict[str, str]:
        """Every text whose key begins with one of these names and a dot, English where this language lacks it."""
        whole = {**_content("en")["messages"], **self._messages}
        return {key: text for key, text in whole.items() if key.partition(".")[0] in names}

    def named(self, group: str, name: str) -> str:
        """The text of `group.name`, or the bare name when nobody has worded it."""
        key = f"{group}.{name}"
        return self(key) if self.has(key) else name.replace("_", " ")

    def sentence(self, english: str) -> str:
        """A sentence that code wrote in English, in this language; unchanged when it has no translation."""
        if not self._sentences:
            return english
        exact = self._sentences.get(english)
        if exact is not None:
            return exact
        for pattern, places, translated in _patterns(self.language):
            found = pattern.fullmatch(english)
            if found:
                return translated.format(**{place: self.sentence(found[index]) for index, place in enumerate(places, 1)})
        return english


@functools.cache
def texts(language: str) -> Texts:
    """The words of one language of LANGUAGES, read once."""
    return Texts(language)


def places(text: str) -> list[str]:
    """Names of the places in a text, in order."""
    return [name for _, name in _pieces(text) if name is not None]


def _pieces(text: str) -> list[tuple[str, str | None]]:
    """The literal parts of a text, each with the name of the place behind it."""
    from string import Formatter

    return [(literal, name) for literal, name, _, _ in Formatter().parse(text)]


@functools.cache
def _content(language: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{language}.json").read_bytes())
    return content


@functools.cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], list[str], str]]:
    """The translatable sentences with places as patterns, the most literal ones first, so that a vague one never wins."""
    found = []
    for english, translated in _content(language).get("sentences", {}).items():
        if names := places(english):
            literal = [part for part, _ in _pieces(english)]
            pattern = "(.*?)".join(re.escape(part) for part in literal)
            # The last place has no literal after it when the sentence ends with it.
            pattern += "(.*?)" * (len(names) - len(literal) + 1)
            found.append((sum(map(len, literal)), re.compile(pattern, re.DOTALL), names, translated))
    found.sort(key=lambda row: -row[0])
    return [row[1:] for row in found]
