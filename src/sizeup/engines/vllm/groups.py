"""Layers in groups that share block tables, and what one block takes on a rank.

Source: vLLM 0.33.0, v1/core/kv_cache_planning.py (get_kv_cache_groups, _get_kv_cache_groups_uniform_page_size).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...figure import Number, ceil_div, least, most, plain, step, total
from ..serving.pages import Kept, widened

NEARLY_ALIKE = 1.5
"""Kinds whose counts differ by less are padded to the larger count instead of being cut by the smaller."""


@dataclass(frozen=True, slots=True)
class Group:
    """Layers that share a block table; `first` stands for all of them."""

    layers: tuple[Kept, ...]

    @property
    def first(self) -> Kept:
        return self.layers[0]

    def page_bytes(self, span: range | None = None) -> Number:
        """Bytes of one block in those layers that lie in `span`."""
        alike: dict[tuple[object, ...], list[Kept]] = {}
        for entry in self.layers:
            if span is None or entry.layer in span:
                alike.setdefault(entry.key, []).append(entry)
        return total(len(found) * found[0].page_bytes for found in alike.values())


def grouped(found: list[Kept]) -> tuple[Group, ...]:
    """The groups of a model's layers; none for a model that keeps nothing."""
    if not found:
        return ()
    if _one_type(found):
        return (Group(tuple(found)),)
    kinds: dict[tuple[object, ...], list[Kept]] = {}
    for entry in widened(found):
        kinds.setdefault(entry.key, []).append(entry)
    fewest, largest = min(map(len, kinds.values())), max(map(len, kinds.values()))
    size = largest if largest < fewest * NEARLY_ALIKE else fewest
    groups = []
    for alike in kinds.values():
        count = -(-len(alike) // size)
        # Every count-th layer, so that pipeline stages hold equal shares of each group.
        groups += [Group(tuple(alike[number::count])) for number in range(count)]
    return tuple(groups)


def _one_type(found: list[Kept]) -> bool:
    """Whether all layers need the same number of blocks, whatever their pages: all full, or all with one window."""
    first = found[0]
    same = all(
        (entry.kind, entry.window, int(plain(entry.block_tokens))) == (first.kind, first.window, int(plain(first.block_tokens)))
        for entry in found
    )
    return same and (first.kind != "state" or len({entry.key for entry in found}) == 1)


@step("bytes_a_block")
def block_bytes(groups: tuple[Group, ...], span: range | None = None) -> Number:
    """Bytes of one block of the pool on a rank with these layers: every group takes the same block ids, so the largest decides."""
    sizes = (group.page_bytes(span) for group in groups)
    return most(*{int(plain(size)): size for size in sizes}.values())


@step("request_slots")
def request_blocks(groups: tuple[Group, ...], length: Number, in_flight: Number, state_blocks: int) -> Number:
    """Blocks of one request as long as the server allows. `in_flight` tokens of a window are held until their step is done."""
    return total(_blocks(group.first, length, in_flight, state_blocks) for group in groups)


def _blocks(entry: Kept, length: Number, in_flight: Number, state_blocks: int) -> Number:
    if entry.kind == "state":
        return state_blocks
    if entry.kind == "sliding":
        # One more, since a window may begin inside of a block.
        return ceil_div(least(entry.window - 1 + in_flight, length), entry.block_tokens) + 1
    if entry.kind == "chunked":
        return ceil_div(least(entry.window + in_flight, length), entry.block_tokens)
    return ceil_div(length, entry.block_tokens)
