"""Kinds of values that an operation may be asked with: how a text becomes one, and its JSON Schema. Every skin reads the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sizeup.errors import UserError, close_names
from sizeup.settable import HELP
from sizeup.units import parse_bytes, parse_count, parse_rate


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. `parse` takes what a person typed and raises UserError for anything else."""

    name: str
    parse: Callable[[str], Any]
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    longest: int = 4096
    """Characters of a value; hardly anything that is asked is longer."""
    document: bool = False
    """Whether a value is what a file holds, as text: on the command line the file is named, a wire carries its content."""


def choice(*names: str) -> Kind:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in names:
            raise UserError(f"“{text}” is not one of {', '.join(names)}.", ", ".join(close_names(text, names, 2) or names))
        return text

    return Kind("choice", parse, {"type": "string", "enum": list(names)})


def _flag(text: str) -> bool:
    if text.lower() in ("", "1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise UserError(f"“{text}” is neither true nor false.", "true, or false")


def _layers(text: str) -> int | str:
    if text == "all":
        return text
    try:
        return _integer(text)
    except ValueError:
        raise UserError(f"“{text}” is not a number of layers.", "a number, or all") from None


def _outputs(text: str) -> int | str:
    if text in ("server", "library"):
        return text
    try:
        return _integer(text)
    except ValueError:
        raise UserError(f"“{text}” is not a way to keep outputs.", "server, library, or a number of rows") from None


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ValueError(text)
    return int(text)


def _whole(text: str) -> int:
    try:
        return _integer(text)
    except ValueError:
        raise UserError(f"“{text}” is not a number.", "a whole number such as 16") from None


def _number(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text.strip()):
        raise UserError(f"“{text}” is not a number.", "a number such as 12.5")
    return float(text)


def _amount(text: str) -> float:
    found = re.fullmatch(r"\$?([0-9][0-9,]{0,30}(?:\.[0-9]{1,18})?)\s*(k?)\s*(?:W|USD|tok/s)?", text.strip(), re.IGNORECASE)
    if not found:
        raise UserError(f"“{text}” is not an amount.", "a number such as 2000")
    return float(found[1].replace(",", "")) * (1000 if found[2] else 1)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(parse_count(piece) for piece in text.split(","))


def _words(text: str) -> tuple[str, ...]:
    return tuple(piece for piece in (piece.strip() for piece in text.split(",")) if piece)


def _setting(text: str) -> tuple[str, str]:
    """NAME=VALUE; the word help alone."""
    name, sign, value = text.partition("=")
    if text.strip() == HELP:
        return HELP, ""
    if not sign or not name.strip():
        raise UserError(f"“{text}” is not a setting and its value.", "--set NAME=VALUE, or --set help for the names")
    return name.strip(), value


TEXT = Kind("text", str)
MODEL = Kind("model", str)
"""What `sizeup.read` takes."""
MACHINE = Kind("machine", str)
"""What `sizeup.machine` takes."""
TERM = Kind("term", str)
"""A term of the glossary, or a word of one."""
FILE = Kind("file", str)
"""The path of a file of the machine that answers."""
CLUSTER = Kind("file", str, {"type": ["object", "string"]}, 4 << 20, document=True)
"""Nodes: described ones, or what a scan wrote down."""
LOAD = Kind("file", str, {"type": ["object", "string"]}, 64 << 10, document=True)
"""Several models and what is asked of each."""
FLAG = Kind("flag", _flag, {"type": "boolean"})
"""Off unless it is named."""
SWITCH = Kind("switch", _flag, {"type": "boolean"})
"""On, off, or not said."""
COUNT = Kind("count", parse_count, {"type": ["integer", "string"], "examples": [8192, "32K"]})
"""A whole number of tokens, people or parameters: 8192, 8,192, 32K, 7B."""
COUNTS = Kind("counts", _counts, {"type": "string", "examples": ["4096,32K"]})
WORDS = Kind("words", _words, {"type": "string", "examples": ["Q4_K_M,Q8_0"]})
WHOLE = Kind("whole", _whole, {"type": "integer"})
NUMBER = Kind("number", _number, {"type": "number"})
AMOUNT = Kind("amount", _amount, {"type": ["number", "string"], "examples": [2000, "$2,000", "450W"]})
"""A number that may carry its unit: 2000, $2,000, 1.5k, 450W."""


def _pooled(parse: Callable[[str], int]) -> Callable[[str], tuple[str, int]]:
    """POOL=VALUE, or the value alone."""

    def parsed(text: str) -> tuple[str, int]:
        pool, _, value = text.rpartition("=")
        return pool.strip(), parse(value)

    return parsed


SIZE = Kind("size", parse_bytes, {"type": ["integer", "string"], "examples": ["24GiB", "24GB"]})
"""Bytes: 24GiB or 24GB; 24G is refused with both readings."""
POOL_SIZE = Kind("pool_size", _pooled(parse_bytes), {"type": "string", "examples": ["2GiB", "ram=6GiB"]})
POOL_RATE = Kind("pool_rate", _pooled(parse_rate), {"type": "string", "examples": ["400GB/s", "ram=60GB/s"]})
SETTING = Kind("setting", _setting, {"type": "string", "examples": ["kv_cache_dtype=fp8", "max_num_seqs=64"]})
"""A setting of the engine by its own name; which there are depends on the engine."""
LAYERS = Kind("layers", _layers, {"type": ["integer", "string"], "examples": [20, "all"]})
OUTPUTS = Kind("outputs", _outputs, {"type": ["integer", "string"], "examples": ["server", 1]})
