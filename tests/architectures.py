"""Models of architectures that no catalogue model has: test configs of transformers, its class defaults, and shapes of published models."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sizeup.errors import SizeupError
from sizeup.facts import data_json
from sizeup.model import ModelSpec
from sizeup.readers.config import spec_from_config

DATA = Path(__file__).parent / "data"
DEFAULTS = ("granite_swa", "granitemoe")
"""Model types whose class defaults are a whole model."""


def configs() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, config): published shapes first, then class defaults, then small test models."""
    for row in json.loads((DATA / "other_architectures.json").read_text())["models"]:
        yield row["shapes_of"], row["config"]
    for kind in DEFAULTS:
        yield f"defaults of {kind}", {**data_json("config_defaults.json")["defaults"][kind], "model_type": kind}
    with lzma.open(DATA / "transformers_counts.jsonl.xz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            if "config" in row:
                yield f"a test model of {row['config'].get('model_type')}", row["config"]


def others(known: set[str]) -> Iterator[ModelSpec]:
    """One model for each architecture that the engine has and `known` lacks."""
    engine = set(data_json("llamacpp_architectures.json")["architectures"])
    seen = set(known)
    for name, config in configs():
        try:
            spec = spec_from_config(config, name)
        except SizeupError:
            continue
        if spec.architecture in engine and spec.architecture not in seen:
            seen.add(spec.architecture)
            yield spec
