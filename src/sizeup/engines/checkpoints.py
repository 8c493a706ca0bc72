"""What engines that load checkpoints layer by layer answer alike: the tensors they hold, and what layers keep for a sequence as claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ..figure import Number, is_column, plain, total
from ..layers import Shape
from ..model import ModelSpec, Tensor
from ..plan import Claim


class Kept(NamedTuple):
    """What one layer keeps for one sequence."""

    part: str
    label: str
    bytes: Number
    within: float = 0.0


def tensors(model: ModelSpec, outside: Iterable[Tensor], of: Callable[[str, Shape], str]) -> tuple[Tensor, ...]:
    """Every weight by llama.cpp's names, those `outside` of blocks first; a block's are numbered by its place, in the format `of` them."""
    found, hidden = list(outside), int(plain(model.hidden))
    for group in model.groups:
        for name, shape in group.block.stored(hidden):
            found += [Tensor(f"blk.{position}.{name}", shape, of(name, shape)) for position in group.positions]
    return tuple(found)


def kept_claims(each: Iterable[tuple[str, Number, Kept]], sequences: Number) -> Iterator[Claim]:
    """Claims of what layers keep for so many sequences: (pool, layers that are alike, what one of them keeps), added up by pool and kind."""
    found: dict[tuple[str, str, str, float], list[Number]] = {}
    for pool, layers, one in each:
        if is_column(one.bytes) or plain(one.bytes):
            found.setdefault((one.part, pool, one.label, one.within), []).append(layers * (sequences * one.bytes))
    for (part, pool, label, within), sizes in found.items():
        yield Claim(part, pool, total(sizes), within, label=label)
