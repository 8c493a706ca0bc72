"""explain: a term of the field in three sentences, worked out on a machine with a model, and where to go next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sizeup.errors import NotFound
from sizeup.i18n.glossary import Entry, glossary

from .kinds import MODEL, TERM
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import MACHINE_OPTIONS

if TYPE_CHECKING:
    from sizeup.api.explained import TermJson, TermsJson
    from sizeup.examples import Example


class Term(NamedTuple):
    """One term with its example."""

    entry: Entry
    ask: Ask
    example: Example
    on: str | None
    """The machine as it was named."""
    met: bool = True

    @property
    def command(self) -> str:
        from sizeup.render.term import command

        return command(self.entry, self.example, self.on)

    def to_json(self) -> TermJson:
        from sizeup.api.explained import term_json

        return term_json(self.ask.page, self.entry, self.example, self.command)


class Terms(NamedTuple):
    """Every term under its theme."""

    themes: dict[str, list[Entry]]
    met: bool = True

    def to_json(self) -> TermsJson:
        from sizeup.api.explained import terms_json

        return terms_json(self.themes)


def explain(ask: Ask, values: Values) -> Term | Terms:
    """One term worked out on the machine that is named, or this one; or the list of them."""
    words = glossary(ask.texts.language)
    if not values["word"]:
        return Terms(words.by_theme())
    asked_for = " ".join(values["word"])
    entry = words.find(asked_for)
    if entry is None:
        raise NotFound(f"The glossary has no “{asked_for[:80]}”.", ", ".join(words.near(asked_for)) or "sizeup explain")
    from sizeup.examples import work_out

    example = work_out(entry.example, ask.world.on(values), values["model"], ask.world.model, words.language)
    return Term(entry, ask, example, values["on"])


EXPLAIN = Operation(
    "explain",
    (
        Parameter("word", TERM, key="explain_word", shown="[WORD]", argument=True, many=True),
        Parameter("model", MODEL, key="explain_model", shown="MODEL"),
        *MACHINE_OPTIONS,
    ),
    explain,
)
