"""A load with several models, written down: load.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import NotFound, Unreadable, UserError, close_names
from ..model import ModelSpec
from .target import Target

FIELDS = {
    "model": "model",
    "users": "users",
    "requests_per_s": "requests_per_s",
    "prompt_tokens": "prompt_tokens",
    "answer_tokens": "answer_tokens",
    "ttft": "first_token_s",
    "tpot": "token_s",
    "quant": "quant",
    "engine": "engine",
    "context": "context_tokens",
    "cache_type": "cache_type",
    "expert_parallel": "expert_parallel",
}
"""What a [[model]] may say -> the field of Target."""
TEXTS = ("quant", "engine", "cache_type")
AVAILABILITY = {"none": False, "1-node": True}
MOST_MODELS = 64


class Wishes(NamedTuple):
    """A whole load."""

    targets: tuple[Target, ...]
    spare: bool


def load(path: str, read: Callable[[str], ModelSpec]) -> Wishes:
    """The targets of a file. Raises NotFound without it, Unreadable for what is no TOML, UserError for a wish that makes no sense."""
    file = Path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.", "docs/fleet.md for the format") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"{file} is not TOML: {error}.", "docs/fleet.md for the format") from None
    return wishes(content, str(file), read)


def wishes(content: Mapping[str, Any], path: str, read: Callable[[str], ModelSpec], most: int = MOST_MODELS) -> Wishes:
    """The targets that such a file says; `path` is what mistakes call it. Raises Unreadable without any, UserError."""
    rows = content.get("model")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Unreadable(f"{path} names no model.", "docs/fleet.md for the format")
    if len(rows) > most:
        raise UserError(f"{path} names {len(rows)} models.", f"at most {most}")
    for key in content:
        known(str(key), ("model", "availability"))
    return Wishes(tuple(target(row, read) for row in rows), available(content.get("availability", "none")))


def target(row: Mapping[str, Any], read: Callable[[str], ModelSpec]) -> Target:
    """One [[model]]."""
    for key in row:
        known(str(key), FIELDS)
    if not isinstance(row.get("model"), str):
        raise UserError("A [[model]] of the load says no model.", 'model = "Qwen/Qwen3-32B"')
    given: dict[str, Any] = {FIELDS[key]: value for key, value in row.items()}
    for field in ("first_token_s", "token_s"):
        if field in given:
            given[field] = seconds(str(given[field]))
    for field, kind in (
        ("users", float),
        ("requests_per_s", float),
        ("prompt_tokens", int),
        ("answer_tokens", int),
        ("context_tokens", int),
    ):
        value = given.get(field)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int | float) or (kind is int and not isinstance(value, int)):
                raise UserError(f"{field} = {value!r} is not a number.", f"{field} = 100")
            given[field] = kind(value)
    for field in TEXTS:
        if not isinstance(given.get(field, ""), str):
            raise UserError(f"{field} = {given[field]!r} is no text.", f"{field} = “…”")
    if not isinstance(given.get("expert_parallel", False), bool):
        raise UserError(f"expert_parallel = {given['expert_parallel']!r} is neither true nor false.", "true, or false")
    return Target(**{**given, "model": read(given["model"])})


def known(key: str, names: Any) -> None:
    """Raises UserError for a key that means nothing here, with the nearest one."""
    if key not in names:
        raise UserError(f"A load knows no “{key}”.", ", ".join(close_names(key, names) or names))


def available(text: object) -> bool:
    """Whether a node may be lost. Raises UserError for other words."""
    if not isinstance(text, str) or text not in AVAILABILITY:
        raise UserError(f"“{text}” is no availability that a plan can keep.", "none, 1-node")
    return AVAILABILITY[str(text)]


def seconds(text: str) -> float:
    """ "2s", "50ms", "1.5" as seconds. Raises UserError for anything else."""
    found = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|)\s*", text)
    if not found or float(found[1]) <= 0:
        raise UserError(f"“{text}” is no time.", "2s, 50ms")
    return float(found[1]) / (1000 if found[2] == "ms" else 1)
