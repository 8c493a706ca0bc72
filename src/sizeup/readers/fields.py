"""Typed, bounded access to a config.json that anybody may have written.

Every value is checked where it is read: a string where a number belongs, a negative or absurd count or a list of the wrong
length is one `Unreadable` sentence that names the field, and costs no memory however large the number is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from sizeup.errors import Unreadable

MOST_LAYERS = 4096
MOST_WIDTH = 1 << 24
"""Most that a width, a number of heads or of experts may be."""
MOST_TOKENS = 1 << 40
MISSING: Any = object()


class Fields:
    """One section of a config. `names` are aliases: the first that is present and not null is taken."""

    __slots__ = ("data", "defaults", "model", "path")

    def __init__(self, data: Any, model: str, path: str = "", defaults: Mapping[str, Any] | None = None) -> None:
        if not isinstance(data, Mapping):
            raise Unreadable(
                f"The config of {model} is not a table of fields{f' at “{path}”' if path else ''}.",
                "a config.json as Hugging Face models ship it",
            )
        self.data = data
        self.model = model
        self.path = path
        self.defaults = defaults or {}
        """What the family's config class says when a nested section leaves a field out."""

    def raw(self, *names: str) -> Any:
        """The first value present under these names, unchecked; None when there is none. A stated null is no invitation to a default."""
        for table in (self.data, self.defaults):
            for name in names:
                value = table.get(name)
                if value is not None:
                    return value
            if any(name in table for name in names):
                return None
        return None

    def has(self, *names: str) -> bool:
        return self.raw(*names) is not None

    def broken(self, names: Iterable[str], why: str) -> Unreadable:
        """The error for a field that is there but cannot be used."""
        field = next((name for name in names if self.data.get(name) is not None), next(iter(names)))
        return Unreadable(f"The config of {self.model} has “{self.path}{field}” {why}.", "the model's own config.json, unchanged")

    def missing(self, names: Iterable[str]) -> Unreadable:
        return Unreadable(
            f"The config of {self.model} does not say “{self.path}{next(iter(names))}”.",
            "the model's whole config.json, or its GGUF or safetensors files",
        )

    def integer(self, *names: str, default: Any = MISSING, least: int = 1, most: int = MOST_WIDTH) -> int:
        """A whole number from `least` to `most`. A default is taken as it is."""
        value = self.raw(*names)
        if value is None:
            if default is MISSING:
                raise self.missing(names)
            return cast(int, default)
        return self.whole(value, names, least, most)

    def whole(self, value: Any, names: Iterable[str], least: int = 1, most: int = MOST_WIDTH) -> int:
        names = tuple(names)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.broken(names, f"as {_kind(value)} where a number belongs")
        if isinstance(value, float) and (not math.isfinite(value) or value != int(value)):
            raise self.broken(names, "as a number that is not whole")
        found = int(value)
        if not least <= found <= most:
            raise self.broken(names, f"outside {least} … {most}")
        return found

    def number(self, *names: str, default: float | None = None) -> float | None:
        """A finite number of any size, or the default."""
        value = self.raw(*names)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.broken(names, f"as {_kind(value)} where a number belongs")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.broken(names, "as a number that is not finite")
        if abs(value) > MOST_TOKENS:
            raise self.broken(names, "as a number too large")
        return float(value)

    def flag(self, *names: str, default: bool = False) -> bool:
        value = self.raw(*names)
        if value is None:
            return default
        if isinstance(value, bool) or value in (0, 1):
            return bool(value)
        raise self.broken(names, f"as {_kind(value)} where true or false belongs")

    def text(self, *names: str, default: str = "") -> str:
        value = self.raw(*names)
        if value is None:
            return default
        if not isinstance(value, str) or len(value) > 100_000:
            raise self.broken(names, f"as {_kind(value)} where a word belongs")
        return value

    def listed(self, *names: str, length: int | None = None, each: Callable[[Any], Any] | None = None) -> list[Any] | None:
        """A list, checked item by item; longer than `length` is cut, shorter is an error. None when absent."""
        value = self.raw(*names)
        if value is None:
            return None
        if not isinstance(value, (list, tuple)):
            raise self.broken(names, f"as {_kind(value)} where a list belongs")
        if length is not None and len(value) < length:
            raise self.broken(names, f"of length {len(value)} for {length} layers")
        items = value[: MOST_LAYERS if length is None else length]
        return [each(item) for item in items] if each else list(items)

    def integers(self, *names: str, length: int | None = None, least: int = 0, most: int = MOST_WIDTH) -> list[int] | None:
        return self.listed(*names, length=length, each=lambda item: self.whole(item, names, least, most))

    def texts(self, *names: str, length: int | None = None) -> list[str] | None:
        def word(item: Any) -> str:
            if not isinstance(item, str):
                raise self.broken(names, f"with {_kind(item)} where a word belongs")
            return item

        return self.listed(*names, length=length, each=word)

    def each_layer(self, *names: str, layers: int, default: Any = MISSING, least: int = 1, most: int = MOST_WIDTH) -> list[int]:
        """One number for all layers, or a list with one for each."""
        if isinstance(self.raw(*names), (list, tuple)):
            return self.integers(*names, length=layers, least=least, most=most) or []
        return [self.integer(*names, default=default, least=least, most=most)] * layers

    def for_layer(self, layer: int) -> Fields:
        """These fields with what `per_layer_config` (transformers 5) says of one layer; the same object when it says nothing."""
        table = self.data.get("per_layer_config")
        if not isinstance(table, Mapping):
            return self
        own = next((table[key] for key in (str(layer), f"{layer:02}", f"{layer:03}", layer) if isinstance(table.get(key), Mapping)), None)
        return self if own is None else Fields({**self.data, **own}, self.model, self.path, self.defaults)

    def section(self, *names: str, defaults: Mapping[str, Any] | None = None) -> Fields | None:
        """A nested table, or None."""
        for name in names:
            if isinstance(self.data.get(name), Mapping):
                return Fields(self.data[name], self.model, f"{self.path}{name}.", defaults)
        return None


def _kind(value: Any) -> str:
    return {str: "a text", bool: "true or false", list: "a list", dict: "a table"}.get(type(value), "something else")
