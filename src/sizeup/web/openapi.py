"""OpenAPI 3.1, generated: parameters from the table of operations, answers from the types that they are checked against."""

from __future__ import annotations

import functools
from typing import Any

from sizeup import __version__
from sizeup.i18n import texts
from sizeup.operations import operations
from sizeup.operations.operation import Operation
from sizeup.operations.parameter import Parameter
from sizeup.operations.skins import LANG, input_schema, parameters, schema

from .schemas import schemas

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["kind", "message", "try"],
            "properties": {
                "kind": {"type": "string"},
                "message": {"type": "string", "description": "One sentence, in the language asked for."},
                "try": {"type": "string", "description": "A way out."},
            },
        }
    },
}
FAILURES = {
    "400": "A mistake in the question.",
    "403": "This server was not started for that: a path, an engine, a page of another origin.",
    "404": "No model, machine or term is called so.",
    "413": "The question is too long.",
    "421": "The Host header is not this server's name.",
    "500": "A bug.",
    "503": "Too many questions at once, or something is missing here.",
    "504": "The answer takes too long.",
}


@functools.cache
def document() -> dict[str, Any]:
    """The whole description of REST."""
    answers, components = schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sizeup",
            "version": __version__,
            "description": texts("en")("help.sizeup"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            **{
                f"/api/{one.name}": {"post": _post(one, answers[one.name])} if one.posted else {"get": _get(one, answers[one.name])}
                for one in operations()
            },
            "/api/header": {"post": _header()},
        },
        "components": {"schemas": {**components, "Error": ERROR}},
    }


def _get(operation: Operation, answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation.name,
        "summary": texts("en")(f"verb.{operation.verb}"),
        "parameters": [_parameter(one) for one in parameters(operation)],
        "responses": {"200": _content("The answer. “Does not fit” is one.", answer), **_failures(FAILURES)},
    }


def _post(operation: Operation, answer: dict[str, Any]) -> dict[str, Any]:
    from .examples import EXAMPLES

    body = {"schema": input_schema(operation), "examples": {name: {"value": one} for name, one in EXAMPLES[operation.name].items()}}
    return {
        **_get(operation, answer),
        "parameters": [_parameter(LANG)],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": _content("The answer. “Does not fit” is one.", answer),
            **_failures(FAILURES | {"408": "The body took too long to arrive."}),
        },
    }


def _header() -> dict[str, Any]:
    from .uploads import PARAMETERS

    needs = {"type": "object", "required": ["needs_bytes"], "properties": {"needs_bytes": {"type": "integer"}}}
    kept = {"type": "object", "required": ["model"], "properties": {"model": {"type": "string", "pattern": "^header:[0-9a-f]{64}$"}}}
    model = {"allOf": [{"$ref": "#/components/schemas/ModelJson"}, kept]}
    return {
        "operationId": "header",
        "summary": texts("en")("verb.header"),
        "parameters": [_parameter(one) for one in PARAMETERS],
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        "responses": {
            "200": _content("What was read, by a name for later questions; or how much of the file is needed.", {"anyOf": [model, needs]}),
            **_failures(FAILURES | {"408": "The body took too long to arrive."}),
        },
    }


def _content(what: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _failures(known: dict[str, str]) -> dict[str, Any]:
    return {status: _content(what, {"$ref": "#/components/schemas/Error"}) for status, what in sorted(known.items())}


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": "query",
        "required": one.required,
        "description": texts("en")(one.text_key),
        "schema": schema(one),
        **({"explode": True, "style": "form"} if one.many else {}),
    }
