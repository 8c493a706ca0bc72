"""Words that every part of a plan for a cluster is told with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizeup.page import Page

if TYPE_CHECKING:
    from sizeup.fleet.layout import Split

MOST_SEATS = 8
"""Nodes that are named one by one; of more of them the rest is counted."""


def split(how: Split) -> str:
    """TP2, TP8×PP2, TP8+EP; "–" for a node by itself."""
    if how.slots:
        return "–"
    words = f"TP{how.tensor_parallel}" + (f"×PP{how.pipeline_parallel}" if how.pipeline_parallel > 1 else "")
    return words + ("+EP" if how.expert_parallel else "")


def seconds(count: float) -> str:
    """26 ms, 1.92 s, ∞."""
    if count == float("inf"):
        return "∞"
    return f"{count * 1000:.3g} ms" if count < 0.9995 else f"{count:.3g} s" if count < 999.5 else f"{count:,.0f} s"


def number(count: float) -> str:
    """With the digits that mean something."""
    return f"{count:,.0f}" if count >= 100 or count == int(count) else f"{count:.3g}"


def listed(page: Page, names: Sequence[str]) -> str:
    """Names of nodes, the rest counted."""
    more = f" +{len(names) - MOST_SEATS}" if len(names) > MOST_SEATS else ""
    return page.texts("list.comma").join(names[:MOST_SEATS]) + more
