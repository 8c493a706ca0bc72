"""How each family's code runs what its config does not say: one row of data/training_families.json a model type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """The defaults are Llama's, so a row states differences only."""

    norm: str = "rms"
    """"rms" weighs in the input's width, "rms32" in fp32, "gemma" in fp32 with one added, "layer" is LayerNorm,
    "centred" is one written out in fp32, "bare" LayerNorm in fp32 without weights, before every part."""
    rotary: bool = True
    attention: str = ""
    """"eager" for families that no fused kernel serves (soft-capped scores), "math" where none takes what its code asks of PyTorch."""
    softcap: bool = False
    wide_scores: bool = False
    """Written-out attention multiplies queries and keys in fp32 (GPT-J)."""
    head_softcap: bool = False
    scaled_embedding: bool = False
    residual_dropout: bool = False
    """Dropout behind every part and the embedding (GPT-2's configs have 0.1)."""
    activation: str = ""
    """When the config does not say."""
    fp32_router: bool = False
    fp32_scores: bool = False
    """The router's answer stays in fp32, though it multiplies in the model's width; so does what it weighs."""
    rotary_tables: int = 1
    """Sets of cosines and sines: 2 where window layers turn at another rate."""
    partial_rotary: bool = False
    """Only a part of each head turns; the rest is joined to it again."""
    expert_adapters: bool = True
    """PEFT turns targets of the feed-forward part into adapters of the experts' own tensors and of the router."""
    slices: bool = False
    """The joined projection is cut by three slices, each with a whole gradient, and rotation joins a rotated and a passed part."""
    plain_linear: bool = True
    """Matrices are PyTorch's own linear layers; a class of the family's own is left out of 4 and 8 bit loading."""
    source: str = ""
