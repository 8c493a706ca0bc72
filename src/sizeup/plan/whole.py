"""One way to run a model on a machine, with its verdict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from .breakdown import Breakdown
from .estimate import SpeedEstimate
from .measurement import Evidence


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to run a model on a machine, with its verdict."""

    model: Any
    machine: Any
    engine: str
    quant: str
    settings: Any
    breakdown: Breakdown
    speed: SpeedEstimate
    free_bytes: dict[str, int]
    """Room left per pool after the upper end of the band; negative when it does not fit."""
    command: str
    why: str = ""
    """A message key with the reason in one sentence."""
    evidence: tuple[Evidence, ...] = ()

    @property
    def asked_quant(self) -> str | None:
        """The mix to ask an engine for again: None for a file, whose own types decide."""
        return None if self.model.stored == "gguf" else self.quant

    def settings_json(self) -> dict[str, Any]:
        """The settings that are numbers, flags and names: what a stored measurement is found by."""
        found = {field.name: getattr(self.settings, field.name) for field in dataclasses.fields(self.settings)}
        return {name: value for name, value in found.items() if isinstance(value, (int, str, bool, float, type(None)))}

    @property
    def fits(self) -> bool:
        return all(free >= 0 for free in self.free_bytes.values())
