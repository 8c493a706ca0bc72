"""Which devices and machines are known by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.page import Page, indented
from sizeup.units import show_bandwidth

from .answer import EDGE
from .tables import Column, table

if TYPE_CHECKING:
    from sizeup.probe.table import Part

MOST_LINES = 60


def devices(page: Page, parts: Sequence[Part], machines: Sequence[str], word: str) -> str:
    """The parts that hold a word, with memory and bandwidth; too many to read, or no word: their families and how many are in each."""
    t = page.texts
    lines = [""]
    if word and 0 < len(parts) <= MOST_LINES:
        lines += table(
            page,
            [
                Column(t("devices.name"), [part.name for part in parts], least=24),
                Column(t("devices.memory"), [page.bytes(part.memory_bytes) if part.memory_bytes else "" for part in parts], right=True),
                Column(t("devices.rate"), [show_bandwidth(part.bytes_per_s) if part.bytes_per_s else "" for part in parts], right=True),
                Column(t("devices.family"), [part.family for part in parts], rank=1),
            ],
        )
    elif parts:
        families = sorted(Counter(part.family for part in parts).items())
        lines += table(
            page,
            [Column(t("devices.family"), [name for name, _ in families]), Column("", [str(count) for _, count in families], right=True)],
        )
    if machines:
        lines += ["", *indented(t("devices.machines", names=t("list.comma").join(machines)), page.width, EDGE)]
    count = t("devices.count", devices=f"{len(parts):,}", machines=f"{len(machines):,}")
    lines += ["", *(page.paint(line, "dim") for line in indented(count, page.width, EDGE))]
    return "\n".join(lines) + "\n"
