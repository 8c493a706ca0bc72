"""sizeup models: which models of the catalogue suit a machine and a task; --installed: which are already here."""

from __future__ import annotations

import sys
from typing import Any

from sizeup.errors import UserError
from sizeup.operations.installed import INSTALLED, OF_STORES, Here, installed
from sizeup.operations.models import MODELS, Placed, Ranked

from .settings import ask, options, say, verb
from .verb import Asked, Option, Verb


def tell(asked: Asked, answer: Ranked | Placed) -> None:
    """Print the best models for a machine, or why one of them has its place."""
    from sizeup.render import ranking as pages

    if isinstance(answer, Placed):
        asked.say(pages.why(asked.page, answer.choice, answer.task))
    else:
        asked.say(pages.models(asked.page, answer.ranking))


def shelf(asked: Asked, answer: Here) -> None:
    """Print what is on this machine."""
    from sizeup.render import installed as pages

    asked.say(pages.installed(asked.page, answer.found))


ranking = verb(MODELS, tell)
HERE = {parameter.name for parameter in INSTALLED.parameters}


def models(asked: Asked, **values: Any) -> None:
    """The ranking, or with --installed what is here."""
    wanted = values.pop("here") or values["in"] or values["store"]
    if not wanted:
        assert ranking.callback is not None
        ranking.callback(asked, **{name: value for name, value in values.items() if name not in {one.name for one in OF_STORES}})
        return
    own = {parameter.name: parameter.default for parameter in MODELS.parameters}
    for name, value in values.items():
        if name not in HERE and value not in (own[name], None, ()):
            raise UserError(f"--{name.replace('_', '-')} is about models of the catalogue.", "sizeup models --installed --context 32K")
    chosen = {name: values[name] for name in HERE}
    if chosen["context"] == own["context"]:
        chosen["context"] = None
    say(asked, installed(ask(asked), chosen, _live(asked)), shelf)


def _live(asked: Asked) -> Any:
    """Which model is looked at, on standard error while a person looks."""

    def told(done: int, whole: int, name: str) -> None:
        if sys.stderr.isatty() and not asked.json:
            sys.stderr.write(f"\r\x1b[K{asked.page.texts('installed.reading', done=done + 1, whole=whole, name=name)}")
            sys.stderr.write("\r\x1b[K" if done + 1 == whole else "")
            sys.stderr.flush()

    return told


command = Verb(
    "models",
    models,
    [Option(["--installed", "here"], "installed", is_flag=True), *options(OF_STORES), *options(MODELS.parameters)],
)
