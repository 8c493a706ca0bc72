"""Which cards have NVLink. One that has none is refused, one that no source knows of is not guessed."""

from __future__ import annotations

import re

from sizeup.errors import UserError
from sizeup.facts import Source, data_json


def check(name: str) -> None:
    """Raise UserError for a card that has no NVLink."""
    if any(re.search(row["pattern"], name) for row in data_json("nvlink.json")["none"]):
        raise UserError(f"{name} has no NVLink.", "the same without nvlink; the cards then talk over PCIe")


def rate(name: str) -> tuple[float, Source]:
    """Bytes per second of a card's NVLink, both directions together. Raises UserError when it has none or no source says."""
    check(name)
    facts = data_json("nvlink.json")
    row = next((row for row in facts["have"] if row["name"] == name), None)
    if row is None:
        raise UserError(f"No source here says that {name} has NVLink.", "the same without nvlink, or a TOML file with a [[link]]")
    return float(row["bytes_per_s"]), Source("published", row["source"], facts["date"])
