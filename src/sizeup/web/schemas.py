"""Schemas of answers, read off the types that the functions of sizeup.api are checked against: they cannot say anything else."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import typing
from typing import Any

import msgspec

from sizeup import api, operations
from sizeup.operations.operation import Operation

REFERENCES = "#/components/schemas/{name}"


@functools.cache
def names() -> dict[str, Any]:
    """Every type that an answer's JSON may be typed with, by its name."""
    modules = [importlib.import_module(f"{api.__name__}.{module.name}") for module in pkgutil.iter_modules(api.__path__)]
    modules += [importlib.import_module(f"{operations.__name__}.{module.name}") for module in pkgutil.iter_modules(operations.__path__)]
    modules += [importlib.import_module(f"sizeup.{name}") for name in ("comparison.rows", "derivation_line", "hardware")]
    found: dict[str, Any] = {}
    for module in modules:
        found |= {name: thing for name, thing in vars(module).items() if isinstance(thing, type)}
    return found


def answers(operation: Operation) -> tuple[Any, ...]:
    """The types of the JSON that an operation answers with: those of `to_json` of everything that it returns."""
    returned = typing.get_type_hints(operation.answer, localns=_unlike(operation))["return"]
    found: dict[Any, None] = {}
    for kind in typing.get_args(returned) or (returned,):
        told = typing.get_type_hints(kind.to_json, localns=names())["return"]
        found.update(dict.fromkeys(_alternatives(told)))
    return tuple(found)


def _alternatives(told: Any) -> tuple[Any, ...]:
    # dict[str, str] has arguments too, and is no union.
    return tuple(typing.get_args(told)) if type(told).__name__ in ("UnionType", "_UnionGenericAlias") else (told,)


def _unlike(operation: Operation) -> dict[str, Any]:
    """A module's own names, which win over another's of the same name."""
    return vars(importlib.import_module(operation.answer.__module__))


@functools.cache
def schemas() -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """(operation -> schema of its answer, components that those refer to)."""
    types = {one.name: answers(one) for one in operations.operations()}
    flat = tuple(dict.fromkeys(kind for kinds in types.values() for kind in kinds))
    made, components = msgspec.json.schema_components(flat, ref_template=REFERENCES)
    by_type = dict(zip(flat, made, strict=True))
    return {name: _either([by_type[kind] for kind in kinds]) for name, kinds in types.items()}, components


def _either(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
