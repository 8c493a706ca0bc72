"""Objects in, text out: every answer for a terminal, in three languages. Pure functions; nothing here prints or asks the system.

Colours help and are never needed; 80 columns are always enough; a narrower page loses columns, not facts.
"""

from __future__ import annotations

from sizeup.page import WIDEST, WIDTH, Page

from .answer import fit
from .devices import devices
from .ghost import ghost, ghost_written
from .listing import machine, model, term, terms
from .markets import machines, together, upgrades
from .run import census, measurement, proof, proof_line, rehearsals

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
    "term",
    "terms",
    "together",
    "upgrades",
]
