"""A cluster and a load that come within a question, as what the files would hold: nothing is read from a disk, and nobody is asked."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..errors import Unreadable, UserError
from ..model import ModelSpec
from . import nodes_file, saved, targets_file
from .node import Inventory
from .targets_file import Wishes

UNNAMED = "described machines"
"""A described cluster that says no name."""
MOST_NODES = 1_000
MOST_MODELS = 8


def content(text: str, what: str) -> Mapping[str, Any]:
    """A document of a question: a JSON object, or TOML. Raises Unreadable, `what` being what it calls the document."""
    try:
        found = msgspec.json.decode(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(f"{what} is neither a JSON object nor TOML.", "docs/fleet.md for the format") from None
    if not isinstance(found, dict):
        raise Unreadable(f"{what} is neither a JSON object nor TOML.", "docs/fleet.md for the format")
    return found


def cluster_of(content: Mapping[str, Any], find: nodes_file.Find, most: int = nodes_file.MOST_NODES) -> Inventory:
    """The nodes that a document describes, or that a scan found. Raises what `nodes_file.inventory` and `saved.inventory` raise."""
    found = saved.inventory(content, "nodes") if "nodes" in content else nodes_file.inventory(content, "nodes", UNNAMED, find, most)
    if len(found.nodes) > most:
        raise UserError(f"nodes has {len(found.nodes):,} nodes.", f"at most {most:,}")
    return found


def wishes_of(content: Mapping[str, Any], read: Callable[[str], ModelSpec], most: int = targets_file.MOST_MODELS) -> Wishes:
    """The models that a document asks for. Raises what `targets_file.wishes` raises."""
    return targets_file.wishes(content, "load", read, most)
