"""What changed from release to release, as facts (data/vllm.json)."""

from __future__ import annotations

import functools
from typing import Any

from ...errors import UserError
from ...facts import data_json


@functools.lru_cache(maxsize=64)
def release(version: str) -> dict[str, Any]:
    """The facts of a release: every row up to it, the later ones winning. Raises UserError for something that is no version."""
    wanted = parts(version)
    found: dict[str, Any] = {}
    for row in data_json("vllm.json")["releases"]:
        if parts(row["from"]) <= wanted:
            found |= {name: value for name, value in row.items() if name != "from"}
    if not found:
        oldest = data_json("vllm.json")["releases"][0]["from"]
        raise UserError(f"vLLM {version} is older than the releases that sizeup knows.", f"{oldest} or later")
    return found


def newest() -> str:
    """The release that was read."""
    return str(data_json("vllm.json")["read"])


def parts(version: str) -> tuple[int, ...]:
    """A version as numbers: "0.19.0" -> (0, 19, 0)."""
    numbers = version.lstrip("v").split(".")
    if not numbers or not all(number.isdigit() for number in numbers[:2]):
        raise UserError(f"“{version}” is no version.", newest())
    return tuple(int(number) for number in numbers if number.isdigit())
