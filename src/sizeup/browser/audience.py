"""The browsers of one's visitors, from a CSV: a row a kind of browser, with how many there are of it.

Columns are those of the page's export (`device.NAMES`), in any case and order; blanks and missing columns are unknown.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ..errors import NotFound, Unreadable, UserError
from ..units import parse_bytes
from .device import NAMES, Device, Gpu

SHARES = ("share", "percent")
COUNTS = ("count", "visitors", "users", "sessions")
LARGEST_FILE = 64 * 2**20
HEADER = "a header such as count,platform,deviceMemory,webgpu,maxBufferSize,maxStorageBufferBindingSize,features"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One row: a browser, and the share of all visitors that have it."""

    device: Device
    share: float
    line: int


@dataclass(frozen=True, slots=True)
class Audience:
    """All rows; shares add up to 1."""

    visitors: tuple[Visitor, ...]
    ignored: tuple[str, ...]
    """Columns that say nothing here."""


def read_audience(path: str) -> Audience:
    """The audience of a CSV file (commas, semicolons or tabs). Raises NotFound, Unreadable or UserError that names the line."""
    lines = _text(path).splitlines()
    separator = max(",;\t", key=lines[0].count) if lines else ","
    reader = csv.reader(lines, delimiter=separator)
    header = [word.strip() for word in next(reader, [])]
    fields, weight, ignored = _columns(header, path)
    found: list[tuple[Device, float, int]] = []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if cell.strip()}
        where = (path, reader.line_num)
        values = {field: _value(field, cells[name], name, where) for name, field in fields.items() if name in cells}
        many = _number(cells[weight], weight, where) if weight and weight in cells else 0.0 if weight else 1.0
        found.append((Device(**values), many, reader.line_num))
    whole = sum(many for _, many, _ in found)
    if not found or not whole:
        raise Unreadable(f"{path} has no rows beneath its header.", "one row a kind of browser, with its count or share")
    return Audience(tuple(Visitor(device, many / whole, line) for device, many, line in found), ignored)


def _text(path: str) -> str:
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise Unreadable(f"{path} is not a CSV file in UTF-8.", HEADER)
        return file.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"There is no file {path}.", "the path of a CSV file") from None
    except (OSError, UnicodeDecodeError):
        raise Unreadable(f"{path} is not a CSV file in UTF-8.", HEADER) from None


def _columns(header: list[str], path: str) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """Column -> field, the column that counts, and the columns that say nothing."""
    known = {_plain(name): field for field, name in NAMES.items()}
    fields = {name: known[_plain(name)] for name in header if _plain(name) in known}
    weights = [name for name in header if _plain(name) in (*SHARES, *COUNTS)]
    if not fields:
        raise Unreadable(f"{path} holds no column that says anything of a browser.", HEADER)
    if len(weights) > 1:
        raise UserError(f"Shares and counts are mixed in {path}.", "one column: count, or share")
    ignored = tuple(name for name in header if name and name not in fields and name not in weights)
    return fields, weights[0] if weights else "", ignored


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name).lower()


Where = tuple[str, int]


def _wrong(value: str, column: str, kind: str, where: Where) -> UserError:
    return UserError(f"Line {where[1]} of {where[0]}: “{value[:80]}” in {column} is not {kind}.", "a value, or nothing where it is unknown")


def _number(value: str, column: str, where: Where) -> float:
    # Digits and an exponent are how a spreadsheet writes large numbers.
    found = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE]\+?[0-9]{1,2})?|[0-9]{1,3}(?:,[0-9]{3}){1,5})\s*%?", value)
    if not found:
        raise _wrong(value, column, "a number", where)
    return float(found[1].replace(",", ""))


def _size(value: str, column: str, where: Where) -> int:
    try:
        return int(_number(value, column, where)) if "e" in value.lower() else parse_bytes(value)
    except UserError:
        raise _wrong(value, column, "a size", where) from None


def _memory(value: str, column: str, where: Where) -> float:
    """GiB as the browser reports them, or a size with its unit."""
    return _number(value, column, where) if re.fullmatch(r"[0-9.]+", value) else _size(value, column, where) / 2**30


def _flag(value: str, column: str, where: Where) -> bool:
    if value.lower() in ("true", "yes", "1", "y", "on"):
        return True
    if value.lower() in ("false", "no", "0", "n", "off"):
        return False
    raise _wrong(value, column, "yes or no", where)


def _whole(value: str, column: str, where: Where) -> int:
    return int(_number(value, column, where))


def _word(value: str, column: str, where: Where) -> str:
    return value.lower()


def _gpu(value: str, column: str, where: Where) -> str:
    names = get_args(Gpu)
    if value.lower() not in names:
        raise _wrong(value, column, f"one of {', '.join(names)}", where)
    return value.lower()


def _features(value: str, column: str, where: Where) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s;|,]+", value) if word and word.lower() != "none")


READERS: Mapping[str, Callable[[str, str, Where], Any]] = {
    "platform": _word,
    "browser": _word,
    "builtin": _word,
    "gpu": _gpu,
    "features": _features,
    "memory_gib": _memory,
    **dict.fromkeys(("browser_major", "threads"), _whole),
    **dict.fromkeys(("isolated", "simd", "memory64", "jspi", "gpu_allocation_failed"), _flag),
    **dict.fromkeys(("buffer_bytes", "binding_bytes", "workgroup_bytes", "quota_bytes", "usage_bytes", "gpu_allocated_bytes"), _size),
    **dict.fromkeys(("wasm_read_bytes_per_s", "wasm_flops_per_s", "gpu_read_bytes_per_s", "network_bytes_per_s"), _number),
}
"""How a cell of each field is read. A word that is no platform or browser stays as it is and decides nothing."""


def _value(field: str, cell: str, column: str, where: Where) -> Any:
    return READERS[field](cell, column, where)
