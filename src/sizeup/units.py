"""Units at the edges: 24GiB and 24GB are different, and 24G is refused with both readings offered.

Inside the program every size is an integer of bytes; only this file knows prefixes.
"""

from __future__ import annotations

import re

from .errors import UserError

BINARY = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}
DECIMAL = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}
COUNTS = {"k": 10**3, "K": 2**10, "M": 10**6, "B": 10**9, "T": 10**12}


def parse_bytes(text: str) -> int:
    """Bytes in a size that a person typed: `24GiB`, `24 GB`, `512 MiB`, `1000`.

    Raises UserError for an ambiguous `24G`, a negative size or anything else.
    """
    match = re.fullmatch(r"\s*([0-9][0-9_,]{0,60}(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
    if not match:
        raise UserError(f"“{text}” is not a size.", "24GiB or 24GB")
    number, unit = match[1].replace(",", "").replace("_", ""), match[2]
    scales = {u.lower(): s for u, s in (BINARY | DECIMAL).items()} | {"": 1, "b": 1}
    if unit.lower() in scales:
        scale = scales[unit.lower()]
        return int(number) * scale if "." not in number else round(float(number) * scale)
    if unit.upper() in {"K", "M", "G", "T", "P"}:
        prefix = unit.upper()
        raise UserError(
            f"“{text}” has two readings that differ by {_gap(prefix)} %.", f"{number}{prefix}iB (binary) or {number}{prefix}B (decimal)"
        )
    raise UserError(f"“{unit}” is not a unit of size.", "KiB, MiB, GiB, TiB or kB, MB, GB, TB")


def parse_rate(text: str) -> int:
    """Bytes per second in a rate that a person typed: `400GB/s`. Raises UserError for a size without “/s” or anything else."""
    size, slash, unit = text.partition("/")
    if not slash or unit.strip() != "s":
        raise UserError(f"“{text}” is not a rate.", "400GB/s")
    return parse_bytes(size)


def _gap(prefix: str) -> str:
    power = "KMGTP".index(prefix) + 1
    return f"{(1.024**power - 1) * 100:.0f}"


def parse_count(text: str) -> int:
    """A count of tokens or parameters: `8192`, `8,192`, `32k` (32,768 for contexts is written 32768 or 32K), `7B`."""
    match = re.fullmatch(r"\s*(-?[0-9][0-9_]{0,60}(?:,[0-9]{3}){0,20}(?:\.[0-9]+)?)\s*([kKMBT]?)\s*", text)
    if not match:
        raise UserError(f"“{text}” is not a number.", "8192 or 32K")
    number = match[1].replace(",", "").replace("_", "")
    if "." in number and not match[2]:
        raise UserError(f"“{text}” is not a whole number.", "8192 or 32K")
    scale = COUNTS[match[2]] if match[2] else 1
    return int(number) * scale if "." not in number else round(float(number) * scale)


def show_bytes(count: int | float, units: str = "iec", digits: int = 2) -> str:
    """A size for people: `4.68 GiB` (`units="iec"`) or `5.03 GB` (`units="si"`); bytes below one KiB are exact."""
    step, names = (1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB")) if units == "iec" else (1000, ("B", "kB", "MB", "GB", "TB", "PB"))
    value, index = float(count), 0
    while abs(value) >= step * 0.9995 and index < len(names) - 1:
        value, index = value / step, index + 1
    if index == 0:
        return f"{int(count):,} B"
    # Below 10 two decimals matter; above 100 none does.
    places = min(digits, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)
    return f"{value:,.{places}f} {names[index]}"


def show_rate(number: float) -> str:
    """A rate with the digits that mean something: 0.42, 3.1, 27, 1,240."""
    return f"{number:.2f}" if number < 1 else f"{number:.1f}" if number < 10 else f"{number:,.0f}"


def show_bandwidth(bytes_per_s: float) -> str:
    """A bandwidth in GB/s (decimal, as makers give it), without a unit: 12, 51.2, 1,008."""
    number = bytes_per_s / 1e9
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
