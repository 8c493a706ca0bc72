"""What a nested section of a config means by leaving a field out.

transformers writes a whole config.json for the outer model but of nested sections only what differs from their class, so Gemma 3's
text section may lack even its vocabulary. The class defaults are facts (data/config_defaults.json). The outer config gets none:
a size missing there is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizeup.facts import data_json

from .fields import Fields


def class_defaults(*keys: str) -> Mapping[str, Any]:
    """Defaults under the first of these keys that is known: a model type, or "outer type.section"."""
    table: Mapping[str, Mapping[str, Any]] = data_json("config_defaults.json")["defaults"]
    return next((table[key] for key in keys if key in table), {})


def nested(outer: Fields, *names: str) -> Fields | None:
    """A section with what its class says where it is silent; None when the config has no such section."""
    found = outer.section(*names)
    if found is None:
        return None
    model_type, name = found.text("model_type"), found.path.rsplit(".", 2)[-2]
    return Fields(found.data, found.model, found.path, class_defaults(model_type, f"{outer.text('model_type')}.{name}"))
