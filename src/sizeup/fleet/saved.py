"""A cluster written down: what `fleet scan --save` keeps and later verbs read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..errors import NotFound, Unavailable, Unreadable, UserError
from .node import Inventory

MOST_BYTES = 512 * 2**20


def load(path: str | os.PathLike[str]) -> Inventory:
    """The inventory of a file. Raises NotFound without the file, Unreadable when it holds something else."""
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Unreadable(f"{file} is no inventory of a cluster.", "sizeup fleet scan --save inventory.json")
        content = json.loads(file.read_bytes())
        nodes = [{**node, "evidence": list(node["evidence"].items())} for node in content["nodes"]]
        return msgspec.convert({**content, "nodes": nodes}, Inventory)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable(f"{file} is no inventory of a cluster.", "sizeup fleet scan --save inventory.json") from None
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.", "sizeup fleet scan --save inventory.json") from None


def save(content: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write an inventory, whole or not at all; an older one in its place goes. Raises UserError where another thing stands, Unavailable."""
    file = Path(path)
    if file.exists():
        try:
            load(file)
        except (NotFound, Unreadable):
            raise UserError(f"{file} is there and is no inventory.", "--save with another name") from None
    partial = file.with_name(f".{file.name}.part")
    try:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, file)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}.", "--save with a path you may write to") from None
