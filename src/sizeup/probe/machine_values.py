"""Values of a machine file: counts, sizes, rates, words; one that is not what it should be is refused with its table and key."""

from __future__ import annotations

from typing import Any

from sizeup.errors import UserError, close_names
from sizeup.facts import Source
from sizeup.units import parse_bytes, show_bytes

FASTEST_BYTES_PER_S = 1e14
MOST_FLOPS = 1e18
"""The fastest chips of the table do 1e16 a second at their narrowest format."""
MOST_WATTS = 1e5
KEYS = {
    "": {
        "name", "aliases", "system", "board", "limits", "source", "date", "notes",
        "cpu", "ram", "unified", "modules", "swap", "gpu", "unused", "disk", "link",
    },
    "cpu": {"name", "cores", "fast_cores", "threads", "usable", "architecture", "features", "part", "family"},
    "ram": {"memory", "free", "bandwidth"},
    "unified": {"memory", "free", "bandwidth", "gpu_limit"},
    "modules": {"kind", "count", "transfers", "bandwidth"},
    "swap": {"size", "free", "compressed"},
    "gpu": {
        "device", "count", "name", "vendor", "kind", "memory", "free", "others", "bandwidth", "compute_capability", "shares", "limit",
        "family", "flops", "watts", "power_limit", "cores", "driver", "address", "pcie_generation", "pcie_lanes",
    },
    "unused": {"name", "vendor", "kind", "why"},
    "disk": {"path", "size", "free", "filesystem", "bandwidth", "kind"},
    "link": {"kind", "ends", "bandwidth"},
}  # fmt: skip
"""Every table of the format and its keys."""


def known(given: Any, name: str, where: str) -> None:
    if not isinstance(given, dict):
        raise UserError(f"{where}: “{name}” is not a table.", f"[{name}] on a line of its own, docs/machines.md")
    for key in given:
        if key not in KEYS[name]:
            near = close_names(key, KEYS[name], 1) or sorted(KEYS[name])[:6]
            raise UserError(f"{where}: {f'[{name}] has' if name else 'there is'} no “{key}”.", ", ".join(near))


class Values:
    """Reads the values of one file, naming the file in every error."""

    def __init__(self, where: str, source: Source) -> None:
        self.where = where
        self.source = source

    def tables(self, given: Any, name: str) -> list[dict[str, Any]]:
        if not isinstance(given, list):
            raise UserError(f"{self.where}: “{name}” is not a list of tables.", f"[[{name}]] with two brackets")
        for entry in given:
            if not isinstance(entry, dict):
                raise UserError(f"{self.where}: “{name}” is not a list of tables.", f"[[{name}]] with two brackets")
            known(entry, name, self.where)
        return given

    def count(self, given: dict[str, Any], key: str, name: str, otherwise: int | None = None) -> int:
        value = given.get(key, otherwise)
        if type(value) is not int or not 1 <= value <= 4096:
            raise UserError(f"{self.where}: [{name}] {key} = {value} is not a count.", f"{key} = 8")
        return value

    def maybe_count(self, given: dict[str, Any], key: str, name: str) -> int:
        """A count, or 0 where the file says nothing."""
        return self.count(given, key, name) if key in given else 0

    def words(self, given: dict[str, Any], key: str, name: str = "") -> tuple[str, ...]:
        """A list of texts; empty where the file says nothing."""
        value = given.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise UserError(f"{self.where}: {f'[{name}] ' * bool(name)}{key} = {value} is not a list of texts.", f"{key} = [“…”]")
        return tuple(value)

    def number(self, given: dict[str, Any], key: str, name: str, most: float = float("inf")) -> float | None:
        """A number above 0 and up to `most`; None where the file says nothing."""
        value = given.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise UserError(f"{self.where}: [{name}] {key} = {value} is not a number above 0.", f"{key} = 350")
        if value > most:
            raise UserError(f"{self.where}: [{name}] {key} = {value:g} is more than any machine has.", f"{key} up to {most:g}")
        return float(value)

    def maybe_size(self, given: dict[str, Any], key: str, name: str, whole: int | None = None) -> int | None:
        """A size of 0 or more, and no more than the memory it is a part of; None where the file says nothing."""
        if key not in given:
            return None
        size = self.size(given, key, name, least=0)
        if whole is not None and size > whole:
            raise UserError(
                f"{self.where}: [{name}] {key} = {show_bytes(size)} is more than the {show_bytes(whole)} it is a part of.",
                f"{key} up to {show_bytes(whole)}",
            )
        return size

    def size(self, given: dict[str, Any], key: str, name: str, otherwise: int | None = None, least: int = 1) -> int:
        value = given.get(key, otherwise)
        if isinstance(value, str):
            try:
                value = parse_bytes(value)
            except UserError as error:
                raise UserError(f"{self.where}: [{name}] {key}: {error.message}", error.hint) from None
        if type(value) is not int or value < least:
            said = "is missing" if value is None else f"= {value} is not a size"
            raise UserError(f"{self.where}: [{name}] {key} {said}.", f"{key} = “24GiB”")
        return value

    def rate(self, given: dict[str, Any], name: str, size: int, slowest_s: float) -> float | None:
        value = given.get("bandwidth")
        if value is None:
            return None
        if isinstance(value, str):
            text, slash, unit = value.partition("/")
            if not slash or unit.strip() != "s":
                raise UserError(f"{self.where}: [{name}] bandwidth “{value}” has no “/s”.", "bandwidth = “1008 GB/s”")
            value = self.size({"bandwidth": text}, "bandwidth", name, least=0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= FASTEST_BYTES_PER_S:
            raise UserError(f"{self.where}: [{name}] bandwidth = {value} is not a rate.", "bandwidth = “1008 GB/s”")
        if size / value > slowest_s:
            what = "card" if name == "gpu" else "memory"
            raise UserError(
                f"{self.where}: a {what} of {show_bytes(size)} at {show_bytes(value, 'si')}/s takes {size / value:.0f} s to be read once; none is that slow.",
                "bandwidth = “1008 GB/s” as in the data sheet",
            )
        return float(value)
