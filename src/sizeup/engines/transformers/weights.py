"""Weights of a model as transformers holds them: the modules that accelerate places, in their order, and the buffers beside them."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import Refused
from ...facts import data_json
from ...figure import plain
from ...layers import Attention, LatentAttention, Shape, count
from ...model import ModelSpec
from .formats import Format


class Module(NamedTuple):
    """What is never cut: a block, the embedding, the last norm, the head."""

    name: str
    bytes: int
    layer: int = -1
    """Index of a block; -1 for everything else."""
    counted: int = 0
    """Bytes as accelerate counts them: quantised weights without their scales."""


def modules(model: ModelSpec, format: Format) -> tuple[Module, ...]:
    """The modules in the order they run; their sum is every weight and buffer. A tied head is none of its own."""
    kept: dict[Format, tuple[Module, ...]] = model.__dict__.setdefault("_transformers_modules", {})
    found = kept.get(format)
    if found is None:
        found = kept[format] = _made(model, format)
    return found


def _made(model: ModelSpec, format: Format) -> tuple[Module, ...]:
    if model.stored == "gguf":
        raise Refused(
            f"transformers would turn every weight of {model.name} back into a float, which is not accounted for.",
            "the model's name on Hugging Face",
        )
    hidden, each = int(plain(model.hidden)), format.float_bytes
    found = [_plain(f"tower.{tower.kind}", tower.parameters() * each) for tower in model.towers]
    found += [_plain(name, _size(shape) * each) for name, shape in model.embedding.stored(hidden)]
    blocks: dict[int, Module] = {}
    for group in model.groups:
        stored = [(name, shape) for part in group.block.parts for name, shape in part.stored(hidden)]
        # Weights that a checkpoint holds and no token uses are not in the model.
        unused = each * int(count(iter(stored)) - plain(group.block.parameters(hidden)))
        size, counted = (sum(one(name, shape) for name, shape in stored) - unused for one in (format.bytes, format.counted))
        blocks |= {position: Module(f"layers.{position}", size, position, counted) for position in group.positions}
    found += [blocks[position] for position in sorted(blocks)]
    head = [_plain(name, _size(shape) * each) for name, shape in model.head.stored(hidden)]
    found += [module for module in head if not module.name.startswith("output.")]
    found.append(_plain("rotary_emb", buffer_bytes(model)))
    found += [module for module in head if module.name.startswith("output.")]
    return tuple(found)


def _plain(name: str, size: int) -> Module:
    return Module(name, size, -1, size)


def _size(shape: Shape) -> int:
    size = 1
    for side in shape:
        size *= int(side)
    return size


def buffer_bytes(model: ModelSpec, element_bytes: int = 4) -> int:
    """Frequencies of rotary positions, in F32 unless the whole model was cast: `inv_freq` and `original_inv_freq` for each kind of layer.

    Not counted: masks and scalars of a few bytes that some families keep.
    """
    if model.embedding.positions or not model.causal:
        return 0
    facts, share = data_json("transformers.json")["rotary"], rotary_share(model)
    if model.model_type in facts["none"]:
        return 0
    attention = [part for group in model.groups for part in group.block.mixers if isinstance(part, Attention | LatentAttention)]
    kinds: set[tuple[bool, int]] = set()
    for part in attention:
        width = int(plain(part.rope_dim)) if isinstance(part, LatentAttention) else int(int(plain(part.key_dim)) * share)
        kinds.add((bool(getattr(part, "window", 0)) and model.model_type in facts["one_each_kind"], width))
    return sum(2 * (width // 2) * element_bytes for _, width in kinds)


def rotary_share(model: ModelSpec) -> float:
    """Of a head's width, what is turned by position."""
    config = model.config
    parameters = config.get("rope_parameters")
    inside = parameters if isinstance(parameters, dict) else {}
    for name in ("partial_rotary_factor", "rotary_pct"):
        for place in (inside, config):
            value = place.get(name)
            if isinstance(value, int | float) and 0 < value <= 1:
                return float(value)
    return float(data_json("transformers.json")["rotary"]["share"].get(model.model_type, 1.0))
