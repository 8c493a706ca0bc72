"""Plans of small models, for tests that run them."""

from __future__ import annotations

from sizeup.plan import Plan
from sizeup.search import fit

SMALL = "HuggingFaceTB/SmolLM2-135M"


def plan_of(name: str = SMALL, quant: str = "Q4_K_M", **settings: object) -> Plan:
    return fit(name, quant=quant, context_tokens=512, **settings)[0]
