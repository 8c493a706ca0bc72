"""What an engine really did, and how well an answer is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..points import Point

Level = Literal["predicted", "proved", "rehearsed", "measured"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stored proof, rehearsal or run that backs a plan."""

    level: Level
    engine: str
    date: str
    difference_bytes: dict[str, int] = field(default_factory=dict)
    decode_tokens_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What an engine really did; kept in the store and used to correct the next prediction."""

    level: Level
    engine: str
    model: str
    settings: dict[str, Any]
    buffers: dict[str, int]
    """Bytes per part ("weights", "repacked", "cache", …) as the engine reports them."""
    difference_bytes: dict[str, int] = field(default_factory=dict)
    """Reported less predicted, by part."""
    quant: str = ""
    resident_bytes: int | None = None
    peak_resident_bytes: int | None = None
    expected_resident_bytes: int | None = None
    """What the plan says of the process with a prompt of this length: a short one fills only part of the compute buffer."""
    prompt_tokens: int = 0
    prefill_tokens_per_s: float | None = None
    decode_tokens_per_s: float | None = None
    prefill_spread: float = 0.0
    """Half the distance between the quartiles of its repeats, as a share of the median."""
    decode_spread: float = 0.0
    repeats: int = 1
    cores_used: float | None = None
    layers_run: int = 0
    """Blocks that really ran when the model was thinned; 0: all of them."""
    load_s: float | None = None
    """With the file in the system's cache, as it stands after writing or a load before."""
    load_cold_s: float | None = None
    load_cold_note: str = ""
    """"kept": the system did not forget the file, so that no cold load could be measured."""
    peaks: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per pool and kind ("anonymous", "file"), bytes: the most seen resident at the marks of a run and after each repeat."""
    prefill_joules_per_1000_tokens: float | None = None
    decode_joules_per_1000_tokens: float | None = None
    energy_note: str = ""
    """"read", "denied" or "none"; "" where nobody looked."""
    energy_counters: tuple[str, ...] = ()
    """The counters that were added up; they hold all that the package or card spent."""
    points: tuple[Point, ...] = ()
    """Depths and batch sizes that were asked for; the figures above are then the shallowest one's."""
    text: str = ""
    date: str = ""
    machine: str = ""
    version: str = ""
    """The engine's own, as its log writes it; "" where the engine's name says it."""
    source: str = ""
    """The log that it was read from: "log sha256:…", with the line that the start begins at; "" for what was run here."""
    compared: tuple[dict[str, Any], ...] = ()
    """Pool by pool: part, pool, measured_bytes, rounding_bytes, predicted_bytes, within."""
    hardware: dict[str, Any] = field(default_factory=dict)
    """What the log says of its machine: cpu, ram_bytes, and cards with name, bytes and driver."""
