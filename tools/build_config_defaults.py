"""Build data/config_defaults.json: what a nested section of a config means by leaving a field out.

`python tools/build_config_defaults.py` in an environment with transformers 5.23.0. Only model types that this program reads are
kept, and of their class defaults only the fields that its readers name. Values that a class computes from others are left out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

SOURCE = Path(__file__).resolve().parent.parent / "src" / "sizeup"
LISTS = ("deepstack_visual_indexes", "merge_kernel_size", "supported_aspect_ratios", "subsampling_conv_channels")
"""Lists whose length does not hang on another field."""
NOT_SHAPES = ("model_type", "architectures", "dtype", "torch_dtype", "vision_use_head")
"""No shapes; and SigLIP's pooling head, which no published vision language model stores unless its config says so."""


def named() -> set[str]:
    """Every field name that the readers ask for."""
    words = set()
    for path in [*(SOURCE / "readers").rglob("*.py"), SOURCE / "data" / "families.json"]:
        words |= set(re.findall(r'"([a-z][a-z0-9_]*)"', path.read_text(encoding="utf-8")))
    return words


def own(config: Any, words: set[str]) -> dict[str, Any]:
    """Plain class defaults of one config class."""
    fields = getattr(type(config), "__dataclass_fields__", {})
    found = {}
    for name, field in fields.items():
        value = field.default
        if (
            name in words
            and name not in NOT_SHAPES
            and (isinstance(value, (bool, int, float, str)) or (name in LISTS and isinstance(value, list | tuple)))
        ):
            found[name] = list(value) if isinstance(value, tuple) else value
    return found


def build() -> None:
    words = named()
    families = json.loads((SOURCE / "data" / "families.json").read_text(encoding="utf-8"))["families"]
    towers = set(re.findall(r'^    "([a-z0-9_-]+)": "[a-z0-9_]+",$', (SOURCE / "readers" / "towers" / "__init__.py").read_text(), re.M))
    types = {row["model_type"] for row in families} | {name for row in families for name in row.get("also", ())} | towers
    defaults: dict[str, dict[str, Any]] = {}
    for model_type in sorted(types):
        if model_type not in CONFIG_MAPPING:
            continue
        config = CONFIG_MAPPING[model_type]()
        defaults[model_type] = own(config, words)
        for section, kind in (getattr(type(config), "sub_configs", None) or {}).items():
            nested = getattr(config, section, None)
            if nested is None:
                nested = kind() if kind is not None and kind.__name__ != "AutoConfig" else None
            if nested is not None and not isinstance(nested, dict):
                defaults[f"{model_type}.{section}"] = {"model_type": nested.model_type, **own(nested, words)}
                defaults.setdefault(nested.model_type, own(nested, words))
    table = {
        "note": "Class defaults by model type, and by outer type and section; made by tools/build_config_defaults.py.",
        "source": f"transformers {transformers.__version__}, configuration classes",
        "date": "2026-11-21",
        "defaults": defaults,
    }
    text = json.dumps(table, separators=(",", ":")).replace('},"', '},\n"')  # one class a line
    (SOURCE / "data" / "config_defaults.json").write_text(text + "\n", encoding="utf-8")
    print(len(defaults), "classes,", len(text), "bytes")


if __name__ == "__main__":
    build()
