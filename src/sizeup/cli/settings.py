"""The command line's skin of the table of operations: parameters as options and arguments, an operation as a verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from sizeup.errors import DOES_NOT_FIT
from sizeup.operations import kinds, shared
from sizeup.operations.operation import Answer, Ask, Operation
from sizeup.operations.parameter import Parameter
from sizeup.operations.world import World

from .verb import Asked, Option, Verb


class Value(click.ParamType):  # type: ignore[type-arg]
    """A value of one of the table's kinds; the shell completes names of models, machines and terms, and files."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.name = parameter.kind.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self.parameter.bounded(self.parameter.kind.parse(value)) if isinstance(value, str) else value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        if self.name == "choice":
            return [CompletionItem(name) for name in self.parameter.kind.schema["enum"] if name.startswith(incomplete)]
        if self.name == "setting":
            return [CompletionItem(name) for name in _settings_like(str(ctx.params.get("engine") or ""), incomplete)]
        if self.name == "term":
            return [CompletionItem(name) for name in _terms(ctx, incomplete)]
        if self.name not in ("model", "machine", "file"):
            return []
        return [CompletionItem(name) for name in self._names(incomplete)[:50]] or [CompletionItem(incomplete, type="file")]

    def _names(self, incomplete: str) -> list[str]:
        if self.name == "model" and incomplete:
            from sizeup.readers.catalogue_data import index

            word = incomplete.lower()
            return [name for name in (*index().ollama, *index().ids) if name.lower().startswith(word)]
        if self.name == "machine" and incomplete:
            from sizeup.probe.described import typed

            return typed(incomplete)
        return []


def _settings_like(engine: str, incomplete: str) -> list[str]:
    """NAME=VALUE that begin so: names first, then the words that a value may be."""
    from sizeup.settable import HELP, settable

    known = settable(shared.accounted({"engine": engine}).Settings)
    name, sign, _ = incomplete.partition("=")
    if not sign:
        return [text for text in (*(f"{one}=" for one in known), HELP) if text.startswith(incomplete)]
    words = known[name].completions if name in known else ()
    return [text for text in (f"{name}={word}" for word in words) if text.startswith(incomplete)]


def list_settings(asked: Asked, engine: str | None) -> None:
    """Print what `--set` takes for an engine."""
    from sizeup.operations.settings import settings as known
    from sizeup.render.settings import settings as drawn

    answer = known(ask(asked), {"engine": engine})
    asked.say_json(answer.to_json()) if asked.json else asked.say(drawn(asked.page, answer.engine, answer.found))


def _terms(ctx: click.Context, incomplete: str) -> list[str]:
    """Terms of the glossary in the language of the command line, and in English."""
    from sizeup.i18n.glossary import glossary

    from .verb import texts_of

    languages = dict.fromkeys((texts_of(ctx).language, "en"))
    return list(dict.fromkeys(name for language in languages for name in glossary(language).beginning(incomplete)))[:50]


def of(kind: kinds.Kind) -> Value:
    """A kind of value for an option that no operation of the table has."""
    return Value(Parameter("", kind))


def option(parameter: Parameter) -> click.Parameter:
    """A parameter as click takes it."""
    dashed = parameter.name.replace("_", "-")
    key = parameter.key or parameter.name
    if parameter.argument:
        many = -1 if parameter.many else 1
        return click.Argument([parameter.name], metavar=parameter.shown, type=Value(parameter), nargs=many, required=parameter.required)
    if parameter.kind is kinds.FLAG:
        return Option([f"--{dashed}", parameter.name], key, is_flag=True)
    if parameter.kind is kinds.SWITCH:
        return Option([f"--{dashed}/--no-{dashed}", parameter.name], key, default=None)
    names = [f"--{dashed}", parameter.name]
    return Option(names, key, metavar=parameter.shown, type=Value(parameter), default=parameter.default, multiple=parameter.many)


def options(parameters: Sequence[Parameter]) -> list[click.Parameter]:
    """Parameters as click takes them."""
    return [option(parameter) for parameter in parameters if parameter.typed_too]


def ask(asked: Asked) -> Ask:
    """The question's manner, as operations take it."""
    return Ask(World(asked.offline, asked.online), asked.page.texts, asked.page.units, asked.why, asked.tell)


def verb(operation: Operation, tell: Callable[..., None], extra: Sequence[click.Parameter] = ()) -> Verb:
    """The verb of an operation: as JSON by itself, otherwise as `tell(asked, answer, **extra)` draws it; exit 3 when nothing was met."""
    own = {parameter.name: parameter.default for parameter in operation.parameters}

    def callback(asked: Asked, **values: Any) -> None:
        answer = operation.answer(ask(asked), {**own, **{name: value for name, value in values.items() if name in own}})
        say(asked, answer, tell, {name: value for name, value in values.items() if name not in own})

    return Verb(operation.verb, callback, [*options(operation.parameters), *extra])


def say(asked: Asked, answer: Answer, tell: Callable[..., None], extra: Mapping[str, Any] | None = None) -> None:
    """Print an answer: a derivation as its lines, JSON for programs, otherwise as `tell` draws it."""
    from sizeup.operations.operation import Derived

    if asked.json and not extra:
        asked.say_json(answer.to_json())
    elif isinstance(answer, Derived):
        asked.say_json(answer.to_json()) if asked.json else asked.say(answer.derivation.text(asked.page) + "\n")
    else:
        tell(asked, answer, **(extra or {}))
    if not answer.met:
        raise SystemExit(DOES_NOT_FIT)


def model_argument() -> click.Parameter:
    """The model that a verb is about."""
    return option(shared.MODEL_ARGUMENT)


def optional_model() -> click.Parameter:
    """A model that a verb may be about."""
    return option(replace(shared.MODEL_OPTIONAL, shown="MODEL"))


def plan_options() -> list[click.Parameter]:
    """Options that say what a plan for this machine must be like."""
    return options(shared.HERE)


def settings(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's settings that were given, by the names of `sizeup.account`."""
    return shared.settings(chosen)


def read_model(asked: Asked, name: str, assume: str | None) -> Any:
    """The model of this name or path; the command line looks up anything that a person names."""
    return World(asked.offline, asked.online).model(name, assume)
