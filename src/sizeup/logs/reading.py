"""What one start of an engine says of itself in its log. What the log does not say is None."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory that the engine says it took, one line of its log."""

    part: str
    """As a breakdown has it: "weights", "repacked", "cache", "state", "compute", "output", …"""
    pool: str
    """"ram", "vram:0", …; "vram" when the log does not say which card."""
    bytes: int
    rounding_bytes: int
    """Half of the last digit that was printed: how far the true number may lie from this one."""
    name: str
    """As the engine calls the place: CUDA0, CPU_Mapped, Metal, TP1."""
    label: str = ""
    """What it is inside its part, where one part has several ("graphs", "non-torch")."""
    estimated: bool = False
    """What the engine expected before it took anything."""


@dataclass(frozen=True, slots=True)
class Card:
    """A device as the log names it."""

    name: str
    backend: str = ""
    """As the engine numbers it: CUDA0, Vulkan1."""
    total_bytes: int | None = None
    free_bytes: int | None = None
    """When the engine started."""
    driver: str = ""


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """The model as the log names it."""

    name: str | None = None
    file: str | None = None
    """The last part of its path, or its id on a hub; folders are dropped."""
    architecture: str | None = None
    parameters: int | None = None
    """To the digits that were printed."""
    quant: str | None = None
    file_bytes: int | None = None
    layers: int | None = None
    hidden: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One start of an engine."""

    engine: str
    """"llama.cpp", "ollama", "vllm" or "sglang"."""
    version: str | None
    """As the engine writes it: b11549, 0.19.0."""
    model: LoggedModel
    settings: dict[str, Any]
    """By the names that the engine's own settings have here where there are such (`context_tokens`, `k`, `gpu_layers`)."""
    cards: tuple[Card, ...]
    ram_bytes: int | None
    buffers: tuple[Buffer, ...]
    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    prompt_tokens: int | None
    """Of the prompt that the rate of prefill is of."""
    decoded_tokens: int | None
    """That the rate of decoding is of; None where it is of all requests together."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What else the engine counted: blocks, tokens that fit, concurrency."""
    failed: str | None = None
    """Why it did not start: "memory" or "model"; None when nothing says that it failed."""
    line: int = 1
    """Where it begins in the log."""

    def bytes(self, part: str, pool: str | None = None) -> int | None:
        """Measured bytes of a part; None when no line tells them."""
        found = [b.bytes for b in self.buffers if b.part == part and pool in (None, b.pool) and not b.estimated]
        return sum(found) if found else None
