"""Vision and audio towers beside a language model, as shapes. One module a kind; the table says which model type has which."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from sizeup.layers import Tower
from sizeup.readers.body import Body
from sizeup.readers.defaults import nested
from sizeup.readers.fields import Fields

KINDS = {
    "qwen2_vl": "qwen",
    "qwen2_5_vl": "qwen",
    "qwen2_5_omni": "qwen",
    "qwen3_vl": "qwen",
    "qwen3_vl_moe": "qwen",
    "qwen3_5": "qwen",
    "qwen3_5_moe": "qwen",
    "glm4v": "glm",
    "glm4v_moe": "glm",
    "glm46v": "glm",
    "gemma3": "siglip",
    "shieldgemma2": "siglip",
    "paligemma": "siglip",
    "llava_onevision": "siglip",
    "smolvlm": "siglip",
    "idefics3": "siglip",
    "lfm2_vl": "siglip",
    "cohere2_vision": "siglip",
    "llava": "clip",
    "llava_next": "clip",
    "llava_next_video": "clip",
    "vipllava": "clip",
    "internvl": "internvl",
    "internvl_chat": "internvl",
    "step3p7": "step3p7",
    "qwen2_audio": "whisper",
    "voxtral": "whisper",
    "minimax_m3_vl": "clip",
    "mistral3": "pixtral",
    "pixtral": "pixtral",
    "gemma3n": "gemma3n",
    "gemma4": "gemma4",
    "llama4": "llama4",
    "mllama": "mllama",
    "kimi_k25": "kimi",
    "kimi_k3": "kimi",
    "kimi_vl": "kimi",
}
"""Module of this package by the outer model type."""
SECTIONS = ("vision_config", "audio_config", "visual", "vit_config", "vision_tower_config")


@dataclass(frozen=True)
class Found:
    """Towers of one model, and in words what could not be counted."""

    towers: tuple[Tower, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beside:
    """What a tower hangs on: the whole config and the language model that it feeds."""

    outer: Fields
    text: Fields
    body: Body

    def section(self, name: str) -> Fields:
        """A tower's section, completed by its config class; empty when the config has none."""
        return nested(self.outer, name) or Fields({}, self.outer.model, f"{name}.")


def read(outer: Fields, text: Fields, body: Body) -> Found:
    """The towers that the config describes. A tower without a rule is named in a warning and counts nothing."""
    thinker = outer.section("thinker_config")
    whole = thinker or outer
    if whole.section(*SECTIONS) is None:
        return Found()
    kind = KINDS.get(outer.text("model_type"))
    if kind is None:
        return Found(warnings=("The vision or audio tower is not counted: there is no rule for it yet.",))
    module = importlib.import_module(f".{kind}", __package__)
    towers: Callable[[Beside], Found] = module.read
    return towers(Beside(whole, text, body))
