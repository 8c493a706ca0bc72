"""The terms of the field in three languages: a JSON file a language here, what they share in data/glossary.json."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from sizeup.errors import close_names
from sizeup.facts import data_json

FOLDER = Path(__file__).parent
SENTENCES = ("what", "effect", "advice")
"""What it is; what it does to memory or speed, with the rule; what to do or to watch."""


class Entry(NamedTuple):
    """One term in one language."""

    key: str
    name: str
    also: tuple[str, ...]
    """Other names that it is found by."""
    what: str
    effect: str
    advice: str
    theme: str
    see: tuple[str, ...]
    """Keys of related terms."""
    shows: str
    """The command that shows it for real; {model} stands for a model."""
    example: dict[str, Any]
    """Its worked example, for sizeup.examples."""


class Glossary:
    """All terms in one language."""

    def __init__(self, language: str) -> None:
        content = _content(language)
        self.language = language
        self.themes: dict[str, str] = content["themes"]
        self.lacks: dict[str, str] = content["lacks"]
        """Why a named machine or model stands in."""
        self.examples: dict[str, str] = content["examples"]
        self._terms: dict[str, dict[str, Any]] = content["terms"]

    def find(self, word: str) -> Entry | None:
        """The term of this key, name or other name, in any case, in this language or English; None when there is none."""
        key = _spellings(self.language).get(plain(word))
        return None if key is None else self.entry(key)

    def entry(self, key: str) -> Entry:
        """The term of this key. Raises KeyError."""
        words, facts = self._terms[key], data_json("glossary.json")["terms"][key]
        return Entry(
            key, words["name"], tuple(words["also"]), words["what"], words["effect"], words["advice"], facts["theme"],
            tuple(facts["see"]), facts["shows"], facts["example"],
        )  # fmt: skip

    def by_theme(self) -> dict[str, list[Entry]]:
        """Every term under its theme, in order."""
        found: dict[str, list[Entry]] = {theme: [] for theme in self.themes}
        for key in data_json("glossary.json")["terms"]:
            entry = self.entry(key)
            found[entry.theme].append(entry)
        return found

    def near(self, word: str) -> list[str]:
        """Names of terms that look like this one."""
        known = _spellings(self.language)
        wanted = plain(word)
        inside = [key for name, key in known.items() if len(wanted) > 1 and wanted in name]
        close = [known[name] for name in close_names(wanted, known, 4, 0.5)]
        return [self._terms[key]["name"] for key in dict.fromkeys([*close, *inside])][:4]

    def beginning(self, start: str) -> list[str]:
        """Names as one types them that begin so, for a shell to complete: keys, then other names."""
        names = [*self._terms, *(name for words in self._terms.values() for name in (words["name"], *words["also"]))]
        return sorted({name for name in names if name.lower().startswith(start.lower())}, key=lambda name: (len(name), name))


@functools.cache
def glossary(language: str) -> Glossary:
    """The terms in one language of LANGUAGES, read once."""
    return Glossary(language)


def plain(word: str) -> str:
    """A name without what people write differently: spaces, hyphens, case."""
    return re.sub(r"[\s_\-–.()（）]+", "", word).lower()


@functools.cache
def _content(language: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{language}.json").read_bytes())
    return content


@functools.cache
def _spellings(language: str) -> dict[str, str]:
    """Every way to write a term, plainly -> its key: the language's own first, then every other's, so that no reader is lost."""
    found: dict[str, str] = {}
    for source in dict.fromkeys((language, "en", "zh-Hant", "zh-Hans")):
        for key, words in _content(source)["terms"].items():
            for name in (key, words["name"], *words["also"]):
                found.setdefault(plain(name), key)
    return found
