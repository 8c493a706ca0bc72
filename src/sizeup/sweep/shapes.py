"""Models by shape: configs that differ only in what no formula reads are one row of work.

A fine-tune has its base's shape; what tells two apart is everything in the config but the keys of data/sweep.json.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..facts import data_json

Config = dict[str, Any]


@functools.cache
def _unread() -> frozenset[str]:
    return frozenset(data_json("sweep.json")["unread_keys"])


def bare(config: Any) -> Any:
    """The config without the keys that say nothing of a shape, at any depth. A null stays: it is not what a missing key is."""
    if isinstance(config, Mapping):
        return {key: bare(value) for key, value in config.items() if key not in _unread()}
    return [bare(value) for value in config] if isinstance(config, list) else config


def shape_key(config: Config) -> str:
    """Sixteen hexadecimal digits: equal for configs of one shape, in every version of Python and on every machine."""
    text = json.dumps(bare(config), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class Shapes:
    """The shapes met so far; a text that was met before costs one look-up."""

    def __init__(self) -> None:
        self.configs: dict[str, tuple[str, Config]] = {}
        """Key -> (name of the first model of this shape, its config)."""
        self._known: dict[bytes, str] = {}

    def key(self, name: str, text: str) -> str:
        """The shape of this config; "" when it is no JSON object."""
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        found = self._known.get(digest)
        if found is None:
            found = self._known[digest] = self._new(name, text)
        return found

    def _new(self, name: str, text: str) -> str:
        try:
            config = json.loads(text)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(config, dict):
            return ""
        key = shape_key(config)
        self.configs.setdefault(key, (name, config))
        return key

    def __iter__(self) -> Iterator[tuple[str, str, Config]]:
        """(key, name, config), by key: the order is the same however the input was ordered."""
        return ((key, *self.configs[key]) for key in sorted(self.configs))
