"""What cannot be trained as asked: one sentence that names which number clashes with which."""

from __future__ import annotations

from sizeup.errors import UserError, close_names
from sizeup.model import ModelSpec

from .blocks import BlockWeights
from .linear import Linear
from .recipe import Recipe
from .weights import ALIASES, GROUPS, targets

METHODS = ("full", "lora", "rslora", "dora", "qlora", "lora8bit", "freeze", "prompt")
DTYPES = ("bf16", "fp16", "fp32", "amp", "bf16-master")
ATTENTIONS = ("flash", "sdpa", "efficient", "efficient-repeated", "math", "eager")
LOSSES = ("hf", "chunked", "trl")
DEVICES = ("cuda", "cpu")
TOWERS = ("none", "frozen", "trained")


def check(model: ModelSpec, recipe: Recipe) -> None:
    """Raises UserError for what no model could be, before anything is counted."""
    for name, value, known in (
        ("method", recipe.method, METHODS), ("dtype", recipe.dtype, DTYPES),
        ("attention", recipe.attention, ATTENTIONS), ("loss", recipe.loss, LOSSES), ("device", recipe.device, DEVICES),
        ("tower", recipe.tower or "none", TOWERS),
    ):  # fmt: skip
        if value not in known:
            near = close_names(value, known, 1, 0.4)
            raise UserError(f"“{value}” is no {name} that is known here.", near[0] if near else ", ".join(known))
    if recipe.micro_batch < 1:
        raise UserError(f"A batch of {recipe.micro_batch} sequences trains nothing.", "1 or more")
    if recipe.sequence_tokens < 1:
        raise UserError(f"A sequence of {recipe.sequence_tokens} tokens trains nothing.", "1 or more")
    limit = model.context_tokens
    if limit and recipe.sequence_tokens > limit:
        raise UserError(
            f"Sequences of {recipe.sequence_tokens} tokens are longer than the {limit} positions of {model.name}.", f"{limit} or fewer"
        )
    if not 0 <= recipe.dropout < 1:
        raise UserError(f"A dropout of {recipe.dropout:g} is not between 0 and 1.", "0.05")
    if recipe.method == "freeze" and not 0 < recipe.trained_layers <= model.layers:
        raise UserError(
            f"{model.name} has {model.layers} layers, so {recipe.trained_layers} of them cannot be trained.", f"1 to {model.layers}"
        )


def check_adapters(model: ModelSpec, recipe: Recipe, blocks: list[BlockWeights]) -> None:
    """Raises UserError when targets match no module, or the rank is larger than a target's matrix."""
    if not recipe.ranked:
        return
    if recipe.rank < 1:
        raise UserError(f"Rank {recipe.rank} adapts nothing.", "1 or more")
    adapted = [layer for block in blocks for layer in linears(block) if layer.adapter is not None]
    experts = any(getattr(block.feed, "gate_up_adapter", None) or getattr(block.feed, "down_adapter", None) for block in blocks)
    if not adapted and not experts:
        wanted = recipe.targets if isinstance(recipe.targets, str) else ", ".join(recipe.targets)
        raise UserError(f"The targets “{wanted}” match no module of {model.name}.", ", ".join((*GROUPS, *_named(blocks))))
    small = min((layer for layer in adapted if int(layer.outputs) > 1), key=_side, default=None)
    if small is not None and recipe.rank > _side(small):
        raise UserError(
            f"Rank {recipe.rank} is larger than a target's matrix of {small.inputs} by {small.outputs}.", f"{_side(small)} or less"
        )
    unknown = [name for name in targets(recipe) if name not in {*ALIASES.values(), "up"}]
    if unknown:
        raise UserError(f"The target “{unknown[0]}” matches no module of {model.name}.", ", ".join((*GROUPS, *_named(blocks))))


def _side(layer: Linear) -> int:
    """The smaller side of a matrix: the highest rank that it can have."""
    return min(int(layer.inputs), int(layer.outputs))


def _named(blocks: list[BlockWeights]) -> tuple[str, ...]:
    fused = any(len(getattr(block.attention, "matrices", ())) == 1 for block in blocks)
    return ("qkv_proj", "o_proj") if fused else ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def linears(thing: object) -> list[Linear]:
    """Every linear layer of a block."""
    if isinstance(thing, Linear):
        return [thing]
    if isinstance(thing, tuple):
        return [layer for item in thing for layer in linears(item)]
    names = getattr(thing, "__dataclass_fields__", {})
    return [layer for name in names for layer in linears(getattr(thing, name))]
