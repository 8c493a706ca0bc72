"""The tensors of the GGUF file that a config implies: names, shapes, types and places as converter and quantiser write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sizeup.figure import round_up
from sizeup.layers import Attention, Block, LatentAttention, Moe
from sizeup.mixes import FLOATS, MixFacts, assign, mix, quantiser_order
from sizeup.model import ModelSpec, Tensor

from .converters import HEAD_TWICE, Named, added, embedding, tables, unjoined, written

ALIGNMENT = 32
"""Bytes that a GGUF aligns its tensors to unless it says otherwise; the converter never does."""

TABLE = "_tid2eid.weight"
"""Ending of tensors that hold whole numbers."""

ONE_KV_COUNT = {"qwen3next", "qwen35", "qwen35moe", "falcon-h1"}
"""Hybrids whose files state one count of key/value heads for all blocks, so that the quantiser sees it in the first one too."""


def gguf_tensors(spec: ModelSpec, mix_name: str, drafts: bool = False) -> tuple[Tensor, ...]:
    """Every tensor of `spec` in a file of this mix, in the order written; offsets count from the first tensor's byte.

    Not counted: the header, towers (a file of their own) and, unless `drafts`, multi-token-prediction blocks, which the
    engine skips by default. A converted file keeps its checkpoint's order, which a config does not tell: a guess there.
    """
    tensors = [Tensor(name, shape, "I32" if name.endswith(TABLE) else None) for name, shape in file_tensors(spec, drafts)]
    types = assign(tensors, mix_name, mix_facts(spec, drafts))
    typed = [Tensor(tensor.name, tensor.shape, kind) for tensor, kind in zip(tensors, types, strict=True)]
    if mix(mix_name).base not in FLOATS:
        typed.sort(key=lambda tensor: quantiser_order(tensor.name))
    return tuple(placed(typed))


def placed(tensors: Iterable[Tensor]) -> Iterator[Tensor]:
    """Tensors one after the other, each at the next multiple of the alignment."""
    offset = 0
    for tensor in tensors:
        yield Tensor(tensor.name, tensor.shape, tensor.type, offset, tensor.file)
        offset = round_up(offset + tensor.bytes, ALIGNMENT)


def file_tensors(spec: ModelSpec, drafts: bool = False) -> Iterator[Named]:
    """Names and shapes of the converted model; what the converter adds comes first, as it writes it."""
    yield from added(spec)
    yield from _written(spec, embedding(spec).stored(spec.hidden))
    made: dict[Block, tuple[Named, ...]] = {}
    for position, block in blocks(spec, drafts):
        if block not in made:
            stored = _written(spec, unjoined(spec.architecture, block).stored(spec.hidden))
            made[block] = (*stored, *tables(spec, block))
        for name, shape in made[block]:
            yield f"blk.{position}.{name}", shape
    head = replace(spec.head, tied=False) if spec.architecture in HEAD_TWICE else spec.head
    yield from _written(spec, head.stored(spec.hidden))


def _written(spec: ModelSpec, stored: Iterable[Named]) -> Iterator[Named]:
    for name, shape in stored:
        yield from written(spec.architecture, name, shape)


def blocks(spec: ModelSpec, drafts: bool = False) -> list[tuple[int, Block]]:
    """Every block with its position, in order."""
    groups = (*spec.groups, *spec.draft_blocks) if drafts else spec.groups
    at = {position: group.block for group in groups for position in group.positions}
    return [(position, at[position]) for position in sorted(at)]


def mix_facts(spec: ModelSpec, drafts: bool = False) -> MixFacts:
    """What the quantiser will read in the metadata of this model's file."""
    stack = blocks(spec, drafts)
    heads, kv_heads = first_heads(spec, stack)
    experts = max((part.experts for _, block in stack for part in block.parts if isinstance(part, Moe)), default=0)
    extra = sum(group.layers for group in spec.draft_blocks) if drafts else 0
    return MixFacts(spec.architecture, heads, kv_heads, len(stack), experts, extra)


def first_heads(spec: ModelSpec, stack: list[tuple[int, Block]]) -> tuple[int, int]:
    """Query heads, and key/value heads of the first block: 1 for absorbed latent attention, 0 where that block has none."""
    found = [(at, part) for at, block in stack for part in block.mixers if isinstance(part, (Attention, LatentAttention))]
    if not found:
        return 0, 0
    at, part = found[0]
    kv_heads = part.kv_heads if isinstance(part, Attention) else 1 if part.absorbed else part.heads
    return part.heads, kv_heads if at == 0 or spec.architecture in ONE_KV_COUNT else 0
