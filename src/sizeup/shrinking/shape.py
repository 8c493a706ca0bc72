"""A model of another shape: blocks replaced, left out or narrowed, and everything that states the shape following them.

The layers are changed; the tensors of a file, its metadata and the config follow from what changed, so that the engine's own
accounting reads the result like any model's. Draft blocks go: they were trained for the whole model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sizeup.engines.llamacpp.metadata import derived
from sizeup.engines.llamacpp.tensors import blocks, placed
from sizeup.errors import UserError
from sizeup.layers import Block, Embedding, Head, Part
from sizeup.mixes import fitting, is_quantised
from sizeup.model import Group, ModelSpec, Tensor

Stack = Sequence[tuple[int, Block]]
"""The new blocks in order, each with the position it had."""


def reshaped(
    model: ModelSpec,
    stack: Stack | None = None,
    *,
    hidden: int | None = None,
    embedding: Embedding | None = None,
    head: Head | None = None,
    config: Mapping[str, int | bool] | None = None,
) -> ModelSpec:
    """The model with other blocks, another width or other ends; `config` are the changes by Hugging Face's usual names."""
    old = blocks(model)
    new = old if stack is None else stack
    groups: dict[Block, list[int]] = {}
    for position, (_, block) in enumerate(new):
        groups.setdefault(block, []).append(position)
    origins = tuple(origin for origin, _ in new)
    shrunk = replace(
        model,
        groups=tuple(Group(block, tuple(places)) for block, places in groups.items()),
        hidden=hidden or model.hidden,
        vocabulary=(embedding or model.embedding).vocabulary,
        embedding=embedding or model.embedding,
        head=head or model.head,
        draft_blocks=(),
        tensors=(),
        stored="config" if model.stored != "gguf" else "gguf",
        config=restated(model.config, config or {}, len(old), origins),
    )
    if model.stored != "gguf":
        return replace(shrunk, hyper=restated(model.hyper, config or {}, len(old), origins))
    return replace(shrunk, hyper=_restated_file(model, shrunk, origins), tensors=_followed(model, shrunk, dict(old), new))


def restated(table: Mapping[str, Any], changes: Mapping[str, int | bool], layers: int, origins: tuple[int, ...]) -> dict[str, Any]:
    """A config with these fields changed wherever it has them, lists of one value a layer cut to the layers that are left."""

    def value(key: str, old: Any) -> Any:
        meant = _MEANS.get(key, key)
        if meant in changes and not isinstance(old, (dict, list)):
            return changes[meant]
        if isinstance(old, dict) and key in SECTIONS:
            return restated(old, changes, layers, origins)
        if isinstance(old, list) and len(old) == layers and len(origins) < layers:
            return [old[origin] for origin in origins]
        return old

    found = {key: value(key, old) for key, old in table.items()}
    # A width of heads that followed from others stands on its own once those change.
    if "head_dim" in changes and any(key in table for key in ("hidden_size", "n_embd", "d_model")):
        found.setdefault("head_dim", changes["head_dim"])
    return found


SECTIONS = ("text_config", "llm_config", "language_config")
"""Sections of a config that describe the language model."""

_MEANS = {
    **dict.fromkeys(("n_layer", "num_layers", "n_layers"), "num_hidden_layers"),
    **dict.fromkeys(("n_embd", "d_model"), "hidden_size"),
    **dict.fromkeys(("n_head", "n_heads"), "num_attention_heads"),
    **dict.fromkeys(("num_kv_heads", "n_head_kv", "multi_query_group_num"), "num_key_value_heads"),
    **dict.fromkeys(("num_local_experts", "n_routed_experts", "moe_num_experts"), "num_experts"),
    **dict.fromkeys(("num_experts_per_token", "experts_per_token", "moe_topk"), "num_experts_per_tok"),
    **dict.fromkeys(("ffn_hidden_size", "n_inner"), "intermediate_size"),
    "padded_vocab_size": "vocab_size",
}
"""Names that families use -> the usual one."""


def each(model: ModelSpec, change: Callable[[Block], Block]) -> Stack:
    """Every block changed, in its place."""
    made: dict[Block, Block] = {}
    stack = blocks(model)
    for _, block in stack:
        if block not in made:
            made[block] = change(block)
    return [(position, made[block]) for position, block in stack]


def parts_of(model: ModelSpec, *kinds: type[Part]) -> list[Any]:
    """Every unlike mixer and feed-forward part of these kinds."""
    found: dict[Any, None] = {}
    for group in model.groups:
        found.update((part, None) for part in group.block.parts if isinstance(part, kinds))
    return list(found)


def as_file(model: ModelSpec, tensors: tuple[Tensor, ...], metadata: Mapping[str, Any]) -> ModelSpec:
    """The model as a file that holds these tensors, for accounting of what no config describes."""
    return replace(model, tensors=tuple(placed(tensors)), hyper=dict(metadata), stored="gguf", file_bytes=(), data_start=(), path=None)


def below(option: str, asked: int, have: int, what: str) -> None:
    """Raises UserError unless `asked` leaves less than there is, and something."""
    if not 0 < asked < have:
        hint = f"{option} {have // 2:,}" if have > 1 else "--quant Q4_K_M"
        raise UserError(f"{option} {asked:,} is not fewer than the {have:,} {what} that there are.", hint)


def _restated_file(model: ModelSpec, shrunk: ModelSpec, origins: tuple[int, ...]) -> dict[str, Any]:
    """A file's metadata: per-layer lists cut, and what the layers decide taken from them where it changed."""
    before, after = derived(model), derived(shrunk)
    found = restated(model.hyper, {}, model.layers, origins)
    found |= {key: value for key, value in after.items() if before.get(key) != value}
    found.pop("nextn_predict_layers", None)
    return found


def _followed(model: ModelSpec, shrunk: ModelSpec, before: Mapping[int, Block], stack: Stack) -> tuple[Tensor, ...]:
    """A file's tensors in their new shapes: matched by what the layers said before and say now, types kept where rows allow it."""
    ends = (model.embedding, model.head), (shrunk.embedding, shrunk.head)
    shapes = {name: shape for part in ends[0] for name, shape in part.stored(model.hidden)}
    now = {name: shape for part in ends[1] for name, shape in part.stored(shrunk.hidden)}
    there = {tensor.name: tensor for tensor in model.tensors}
    found = [
        _retyped(tensor, now.get(tensor.name, tensor.shape) if tensor.name in shapes else tensor.shape, shrunk)
        for tensor in model.tensors
        if not tensor.name.startswith("blk.") and (tensor.name not in shapes or tensor.name in now)
    ]
    for position, (origin, block) in enumerate(stack):
        was, is_now = dict(before[origin].stored(model.hidden)), dict(block.stored(shrunk.hidden))
        prefix = f"blk.{origin}."
        for name, tensor in there.items():
            short = name.removeprefix(prefix)
            if short != name and (short not in was or short in is_now):
                shape = _fit(tensor.shape, was.get(short), is_now.get(short))
                found.append(replace(_retyped(tensor, shape, shrunk), name=f"blk.{position}.{short}"))
    return tuple(placed(found))


def _fit(stored: tuple[int, ...], was: tuple[int, ...] | None, is_now: tuple[int, ...] | None) -> tuple[int, ...]:
    return is_now if is_now is not None and was != is_now else stored


def _retyped(tensor: Tensor, shape: tuple[int, ...], model: ModelSpec) -> Tensor:
    if shape == tensor.shape or tensor.type is None or not is_quantised(tensor, model.architecture):
        return replace(tensor, shape=shape)
    return replace(tensor, shape=shape, type=fitting(tensor.type, shape[0]))


def matrices(tensors: Sequence[Tensor], architecture: str) -> Iterator[Tensor]:
    """The blocks' matrices that multiply: what is pruned, factorised and adapted. Not embeddings, norms or routers."""
    for tensor in tensors:
        if tensor.name.startswith("blk.") and "ffn_gate_inp" not in tensor.name and is_quantised(tensor, architecture):
            yield tensor
