"""Gemma 3n's towers: a MobileNet for pictures and a conformer for sound, both the same in every size of the model."""

from __future__ import annotations

from sizeup.layers import Tower

from . import Beside, Found

VISION, AUDIO = 298_587_456, 684_694_048
"""Elements of both towers with their projections, as transformers 5.23.0 builds them for google/gemma-3n-E4B-it; no rule gives the
MobileNet's shapes from the config, which only names it."""


def read(beside: Beside) -> Found:
    towers = []
    if beside.outer.section("vision_config") is not None:
        towers.append(Tower("vision", uncounted=VISION, tokens_per_image=beside.outer.integer("vision_soft_tokens_per_image", default=256)))
    if beside.outer.section("audio_config") is not None:
        towers.append(Tower("audio", uncounted=AUDIO))
    return Found(tuple(towers))
