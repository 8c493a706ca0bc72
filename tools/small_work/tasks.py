"""The tasks, as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CONTEXT = 4096


class Task(NamedTuple):
    """One thing to be done."""

    id: str
    what: str
    tokens: int
    """The most that an answer may have."""
    ask: str


TASKS = [Task(**row) for row in json.loads((HERE / "tasks.json").read_bytes())["tasks"]]
