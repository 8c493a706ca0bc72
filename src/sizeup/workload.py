"""What a person wants to do with a model: the part of a plan that no engine decides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workload:
    """Tokens and sequences as asked; an engine may round them and says so."""

    context_tokens: int = 8192
    """Tokens that all sequences together may hold (llama.cpp's meaning of a context)."""
    sequences: int = 1
    prompt_tokens: int = 512
    """Length of a typical prompt, for time to first token."""
