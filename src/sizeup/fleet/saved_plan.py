"""A plan for a cluster that `sizeup fleet plan --json` printed, read back for the program that starts it."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import NamedTuple

from ..errors import NotFound, Refused, Unreadable

UP = ["sizeup", "fleet", "up"]
MOST_BYTES = 512 * 2**20


class Part(NamedTuple):
    """Alike replicas of one model."""

    model: str
    engine: str
    words: tuple[str, ...]
    """What follows `sizeup fleet up`; empty for what that does not serve."""


def is_plan(path: str) -> bool:
    """Whether it is a file that can only be meant as a plan."""
    return path.endswith(".json") and os.path.isfile(path) and os.path.basename(path) not in ("config.json", "model.safetensors.index.json")


def load(path: str) -> list[Part]:
    """Its parts in the order of the plan. Raises Unreadable for another file, Refused for a plan without places, NotFound."""
    file = Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise foreign(path)
        content = json.loads(file.read_bytes())
        possible = bool(content["possible"])
        parts = [part(str(target["model"]), served) for target in content["targets"] for served in target["served_by"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise foreign(path) from None
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.", "sizeup fleet plan … --json > plan.json") from None
    if not possible or not parts:
        raise Refused(f"The plan in {file} has no place for what is asked of it.", "sizeup fleet plan for what would change that")
    return parts


def foreign(file: str) -> Unreadable:
    """For a file that holds something else."""
    return Unreadable(f"{file} is no plan for a cluster.", "sizeup fleet plan … --json > plan.json")


def part(model: str, served: dict[str, str]) -> Part:
    """One entry of `served_by`. Raises ValueError where its command is another one."""
    words = shlex.split(served["ray_command"])
    if words and (words[:3] != UP or len(words) < 4):
        raise ValueError(words)
    return Part(model, str(served["engine"]), tuple(words[3:]))
