"""Objects in, text out: every answer for a terminal, in three languages. Pure functions; nothing here prints or asks the system.

Colours help and are never needed; 80 columns are always enough; a narrower page loses columns, not facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sizeup.page import WIDEST, WIDTH, Page

from .answer import fit
from .devices import devices
from .ghost import ghost, ghost_written
from .listing import machine, model
from .run import census, measurement, proof, proof_line, rehearsals

if TYPE_CHECKING:
    from .markets import machines, together, upgrades

__all__ = [
    "WIDEST",
    "WIDTH",
    "Page",
    "census",
    "devices",
    "fit",
    "ghost",
    "ghost_written",
    "machine",
    "machines",
    "measurement",
    "model",
    "proof",
    "proof_line",
    "rehearsals",
    "together",
    "upgrades",
]


def __getattr__(name: str) -> Any:
    # What is for sale and which models go together is told by few verbs, and costs all others a third of their start.
    if name not in ("machines", "together", "upgrades"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import markets

    return getattr(markets, name)
