"""The engines sizeup knows, by the names people use. Each is one module or package here; outsiders add theirs through
the entry point group `sizeup.engines`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from ..errors import NotFound

if TYPE_CHECKING:
    from ..engine import Engine

HOME = {"llama.cpp": "llamacpp", "transformers": "transformers", "mlx": "mlx", "vllm": "vllm", "sglang": "sglang"}
"""Engine name -> its module in this package."""

ALIASES = {
    "llamacpp": "llama.cpp",
    "llama-server": "llama.cpp",
    "llama-cpp": "llama.cpp",
    "hf": "transformers",
    "huggingface": "transformers",
}


def engine(name: str) -> Engine:
    """The engine of this name; raises NotFound with the names that exist."""
    known = ALIASES.get(name.lower(), name.lower())
    if known in HOME:
        return cast("Engine", importlib.import_module(f".{HOME[known]}", __name__).ENGINE)
    # Costs more than everything above, so only an unknown name pays for it.
    from importlib import metadata

    for point in metadata.entry_points(group="sizeup.engines"):
        if point.name == known:
            return cast("Engine", point.load())
    raise NotFound(f"No engine is called “{name}”.", ", ".join(sorted(HOME)))
