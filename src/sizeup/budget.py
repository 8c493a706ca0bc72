"""What somebody can spend on training: FLOPs, device hours or dollars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .cost import Fleet
from .errors import UserError

_SCALES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}
_EXAMPLE = "--budget 1e23FLOP, --budget 50000h or --budget $200k"


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount and what it counts."""

    amount: float
    unit: Literal["flop", "hour", "usd"]

    def flops(self, fleet: Fleet) -> float:
        """Model FLOPs that it buys on these devices at the middle of their MFU and price. Raises UserError where the price is unknown."""
        if self.unit == "flop":
            return self.amount
        hours = self.amount
        if self.unit == "usd":
            from .prices import price

            rate = price(fleet.device)
            if rate is None:
                raise UserError(f"No dated price of a {fleet.device} is known.", "--budget in hours or FLOP, or --gpu h100")
            hours = self.amount / rate.middle
        return hours * 3600 * fleet.flops_per_s * fleet.mfu.middle


def parse_budget(text: str) -> Budget:
    """A budget as a person writes it: `1e23FLOP`, `50000h`, `$200k`, `200000USD`. Raises UserError for anything else."""
    found = re.fullmatch(r"\s*(\$?)\s*([0-9][0-9_,]*(?:\.[0-9]+)?(?:[eE]\+?[0-9]{1,2})?)\s*([kKMB]?)\s*([A-Za-z-]*)\s*", text)
    if not found:
        raise UserError(f"“{text}” is not a budget.", _EXAMPLE)
    amount = float(found[2].replace(",", "").replace("_", "")) * _SCALES[found[3]]
    word = found[4].lower()
    unit: Literal["flop", "hour", "usd"]
    if (found[1] and not word) or word in ("usd", "dollar", "dollars"):
        unit = "usd"
    elif not found[1] and word in ("flop", "flops"):
        unit = "flop"
    elif not found[1] and word in ("h", "hour", "hours", "gpu-hours", "gpu-hour"):
        unit = "hour"
    else:
        raise UserError(f"“{text}” is not a budget.", _EXAMPLE)
    if amount <= 0:
        raise UserError(f"A budget of {text.strip()} buys nothing.", _EXAMPLE)
    return Budget(amount, unit)
