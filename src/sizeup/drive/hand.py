"""Which tools can be driven, by whose accounting a plan for each is made, and what is handed over where a tool is not here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sizeup.errors import NotFound

ACCOUNTED_BY: Mapping[str, str] = {
    "ollama": "llama.cpp",
    "lmstudio": "llama.cpp",
    "llama-server": "llama.cpp",
    "vllm": "vllm",
    "transformers": "transformers",
    "mlx": "mlx",
}
"""Tool -> the engine whose accounting its plan rests on; Ollama and LM Studio run GGUF files by llama.cpp."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What a person types or saves to run the plan in a tool."""

    tool: str
    commands: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    """Name -> content."""
    notes: tuple[str, ...] = ()
    """Message keys of what the tool cannot be told this way."""
    here: bool = False
    """Whether the tool was found here; it was then not started because it cannot run this by itself."""


class Ran(NamedTuple):
    """What a driven tool did."""

    engine: str
    """With its version, where it tells one."""
    prompt_tokens: int
    new_tokens: int
    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    timed_by: str
    load_s: float | None
    bytes: int | None = None
    """That the tool says it took for the model."""


class Prompt(NamedTuple):
    """What is asked of it."""

    text: str
    max_tokens: int
    temperature: float
    seed: int
    on_text: Callable[[str], None]


def tool(name: str) -> str:
    """The name itself. Raises NotFound with those that can be driven."""
    if name in ACCOUNTED_BY:
        return name
    raise NotFound(f"No engine that can be driven is called “{name}”.", ", ".join(ACCOUNTED_BY))
