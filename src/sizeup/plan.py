"""Answers: what is claimed where, how fast, how it was found out, and the whole plan."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from .facts import data_json
from .figure import Number, plain, total, whole
from .points import Point

Level = Literal["predicted", "proved", "rehearsed", "measured"]

PARTS = (
    "weights",
    "repacked",
    "cache",
    "state",
    "compute",
    "output",
    "projector",
    "adapter",
    "draft",
    "process",
    "overhead",
    "gradients",
    "optimizer",
    "master",
    "activations",
    "logits",
    "buffers",
)
"""Every part a breakdown may have, in the order it is shown."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Bytes of one part in one pool."""

    part: str
    pool: str
    bytes: Number
    within: float = 0.0
    """Stated relative uncertainty: 0 is exact to the byte, 0.05 is ± 5 %."""
    reclaimable: bool = False
    """Pages of a mapped file that running does not need again (the originals of repacked rows): the system may drop them."""
    label: str = ""
    """A finer name inside the part ("mapped", "sliding-window cache"); a message key."""

    @property
    def needed_bytes(self) -> Number:
        """What must be free for it: the upper end of its stated band; nothing for pages that running never needs again."""
        if self.reclaimable:
            return 0
        return whole(plain(self.bytes) * (1 + self.within)) if self.within else plain(self.bytes)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A sum of claims; claims of the same part and pool may repeat with different labels."""

    claims: tuple[Claim, ...]
    notes: tuple[str, ...] = ()
    """What the engine made of the settings when that differs from what was asked."""

    def bytes(self, part: str | None = None, pool: str | None = None) -> Number:
        """Bytes of this part in this pool; None means all of them. 0 when there is no such claim."""
        return total(c.bytes for c in self.claims if part in (None, c.part) and pool in (None, c.pool))

    def kept_bytes(self, part: str | None = None, pool: str | None = None) -> Number:
        """As `bytes`, without pages that running never needs again."""
        return total(c.bytes for c in self.claims if part in (None, c.part) and pool in (None, c.pool) and not c.reclaimable)

    def by_part(self) -> dict[str, Number]:
        """Bytes per part over all pools, in the order of PARTS."""
        present = {c.part for c in self.claims}
        return {part: self.bytes(part=part) for part in PARTS if part in present}

    def by_pool(self) -> dict[str, Number]:
        """Bytes per pool over all parts."""
        return {pool: self.bytes(pool=pool) for pool in dict.fromkeys(c.pool for c in self.claims)}

    @property
    def total_bytes(self) -> Number:
        return self.bytes()

    def as_reported(self) -> dict[str, int]:
        """Bytes per part as an engine reports its buffers: the recurrent state is part of its cache."""
        parts = {part: int(plain(bytes)) for part, bytes in self.by_part().items()}
        if "state" in parts:
            parts["cache"] = parts.get("cache", 0) + parts.pop("state")
        return parts

    def needed_bytes(self, pool: str) -> int:
        """What must be free in this pool: every claim at the upper end of its stated band, reclaimable pages left out."""
        return sum(int(c.needed_bytes) for c in self.claims if c.pool == pool)

    def to_json(self) -> dict[str, Any]:
        return {
            "total_bytes": plain(self.total_bytes),
            "claims": [
                {
                    "part": c.part,
                    "pool": c.pool,
                    "bytes": int(plain(c.bytes)),
                    "within": c.within,
                    "reclaimable": c.reclaimable,
                    "label": c.label,
                }
                for c in self.claims
            ],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Speed:
    """A rate with its 80 % interval and what binds it; `source` says how it is known."""

    tokens_per_s: float
    lower: float
    upper: float
    bound_by: str
    basis: str = ""
    """In a few words: the figures it rests on ("12 GB/s, measured here")."""


@dataclass(frozen=True, slots=True)
class SpeedEstimate:
    """Prefill and decode are two tasks; None where nobody can know."""

    prefill: Speed | None
    """Reading a prompt into an empty context."""
    decode: Speed | None
    """Writing over an almost empty context, of all sequences together."""
    load_s: float | None = None
    """Seconds from a cold disk."""
    full: Speed | None = None
    """Decoding when the context is full."""
    watts: float | None = None
    """Power that the devices which compute are designed for; None when nobody says of one."""

    def first_token_s(self, prompt_tokens: int) -> tuple[float, float, float] | None:
        """Least, likely and most seconds until the first token of an answer to so long a prompt; None where nobody can know."""
        if self.prefill is None or self.decode is None:
            return None
        rates = [
            (self.prefill.upper, self.decode.upper),
            (self.prefill.tokens_per_s, self.decode.tokens_per_s),
            (self.prefill.lower, self.decode.lower),
        ]
        least, likely, most = (prompt_tokens / prefill + 1 / decode for prefill, decode in rates)
        return least, likely, most

    def turn_s(self, prompt_tokens: int, answer_tokens: int) -> tuple[float, float, float] | None:
        """Least, likely and most seconds of a whole turn: the prompt read and the answer written."""
        first = self.first_token_s(prompt_tokens)
        if first is None or self.decode is None:
            return None
        rates = (self.decode.upper, self.decode.tokens_per_s, self.decode.lower)
        least, likely, most = (start + max(answer_tokens - 1, 0) / rate for start, rate in zip(first, rates, strict=True))
        return least, likely, most

    def joules(self, tokens: int = 1000) -> tuple[float, float] | None:
        """Least and most energy to decode so many tokens; None when the power is not known.

        While decoding, which waits for memory, devices take an assumed share of the power they are designed for.
        """
        if self.watts is None or self.decode is None:
            return None
        share = data_json("host_rates.json")["power_while_decoding"]
        return tokens / self.decode.upper * self.watts * share["low"], tokens / self.decode.lower * self.watts * share["high"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stored proof, rehearsal or run that backs a plan."""

    level: Level
    engine: str
    date: str
    difference_bytes: dict[str, int] = field(default_factory=dict)
    decode_tokens_per_s: float | None = None


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
