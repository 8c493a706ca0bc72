"""A Hugging Face config.json becomes a model: a sum of unlike layers. No weights are read.

The family's row of facts (data/families.json) says what configs leave out; a family whose layers are unlike the common
decoder's has its own module in readers/arch, found by its name.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from sizeup.errors import Unreadable
from sizeup.facts import ASSUMED, Source, data_json
from sizeup.model import ModelSpec

from . import decoder, towers
from .body import Body
from .defaults import nested
from .dimensions import context_tokens
from .families import Family, family, nearest
from .fields import Fields
from .grouping import group_blocks
from .mixers import bidirectional

TEXT_SECTIONS = ("text_config", "llm_config", "language_config", "language_model_config", "text_model_config")
INHERITED = ("tie_word_embeddings", "torch_dtype", "dtype", "architectures", "quantization_config")
"""Fields that a nested section takes from the whole config when it does not say them itself."""


def spec_from_config(config: Any, name: str, source: Source = ASSUMED, assume: str | None = None) -> ModelSpec:
    """The model that a config describes. `assume` names the model type to read an unknown one as; the result says so.

    Raises Unreadable for a missing field, a value that cannot be, or a model type without a rule.
    """
    outer = Fields(config, name)
    text, model_type = text_half(outer)
    facts, assumed = facts_of(model_type, name, assume)
    text.model = name
    body = reader(facts)(text, facts)
    found = towers.read(outer, text, body)
    main = len(body.blocks)
    architecture = body.gguf or gguf_architecture(facts, text)
    return ModelSpec(
        name=name,
        architecture=architecture,
        model_type=model_type or facts.model_type,
        hidden=body.hidden,
        vocabulary=body.vocabulary,
        context_tokens=context_tokens(text) or context_tokens(outer),
        embedding=body.embedding,
        head=body.head,
        groups=group_blocks(body.blocks),
        towers=found.towers,
        draft_blocks=group_blocks(body.drafts, first=main),
        hyper=dict(text.data),
        causal=facts.causal and architecture not in data_json("gguf_architectures.json")["no_cache"] and not bidirectional(text),
        config=outer.data,
        source=source,
        warnings=(*body.warnings, *found.warnings),
        assumed=(*assumed, *body.assumed),
    )


def text_half(outer: Fields) -> tuple[Fields, str]:
    """The language model's section of a possibly multimodal config, and its model type."""
    whole = nested(outer, "thinker_config") or outer
    inner = nested(whole, *TEXT_SECTIONS)
    if inner is None:
        return whole, whole.text("model_type")
    model_type = inner.text("model_type") or whole.text("model_type")
    inherited = {key: outer.data[key] for key in INHERITED if outer.data.get(key) is not None and inner.data.get(key) is None}
    return Fields({**inner.data, **inherited}, outer.model, inner.path, inner.defaults), model_type


def facts_of(model_type: str, name: str, assume: str | None) -> tuple[Family, tuple[str, ...]]:
    """The family's facts, and what had to be assumed to have them."""
    found = family(model_type) if model_type else None
    if found is not None:
        return found, ()
    said = f"has the architecture “{model_type[:60]}”, which has no rule here" if model_type else "does not say its “model_type”"
    if assume is None:
        raise Unreadable(f"The config of {name} {said}.", f"--assume {nearest(model_type)}")
    stand_in = family(assume)
    if stand_in is None:
        raise Unreadable(f"“{assume[:60]}” is no architecture that a model can be read as.", f"--assume {nearest(assume)}")
    return stand_in, (f"{name} {said}: read as “{assume}”",)


def reader(facts: Family) -> Callable[[Fields, Family], Body]:
    """The family's own module where layers are unlike; the common decoder otherwise."""
    if not facts.reader:
        return decoder.read
    module = importlib.import_module(f".arch.{facts.reader}", __package__)
    read: Callable[[Fields, Family], Body] = module.read
    return read


def gguf_architecture(facts: Family, text: Fields) -> str:
    """llama.cpp's name for this model: single classes of a family may have their own."""
    listed = text.raw("architectures")
    first = listed[0] if isinstance(listed, list) and listed else ""
    return facts.gguf_by_class.get(first, facts.gguf) if isinstance(first, str) else facts.gguf
