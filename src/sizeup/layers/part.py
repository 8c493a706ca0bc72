"""What every layer kind answers, and the shapes that it answers with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from sizeup.figure import Number

Shape: TypeAlias = tuple[Any, ...]
Stored: TypeAlias = Iterator[tuple[str, Shape]]
"""(short tensor name, shape) pairs that a part stores."""


def matrix(name: str, row: Number, rows: Number, bias: bool = False) -> Stored:
    """A linear map from `row` inputs to `rows` outputs, with its bias when it has one."""
    yield f"{name}.weight", (row, rows)
    if bias:
        yield f"{name}.bias", (rows,)


def count(stored: Stored) -> Number:
    """Elements in a list of stored shapes."""
    result: Number = 0
    for _, shape in stored:
        size: Number = 1
        for side in shape:
            size = side if isinstance(size, int) and size == 1 else size * side
        result = size if isinstance(result, int) and result == 0 else result + size
    return result


class Part:
    """One part of a block. Subclasses are frozen dataclasses of shapes; the defaults say "nothing"."""

    __slots__ = ()

    def stored(self, hidden: Number) -> Stored:
        """Names and shapes of what a checkpoint holds for this part."""
        raise NotImplementedError

    def parameters(self, hidden: Number) -> Number:
        """Elements stored."""
        return count(self.stored(hidden))

    def idle_parameters(self, hidden: Number) -> Number:
        """Stored elements that one token does not use (routed experts it skips)."""
        return 0

    def cache_bytes(self, cells: Number, k: Any, v: Any) -> Number:
        """Bytes kept for `cells` token slots with keys stored as `k` and values as `v`. Slots that the engine adds are its business."""
        return 0

    def state_values(self) -> Number:
        """Numbers kept per sequence, whatever the context: convolution windows and recurrent states."""
        return 0

    @property
    def channels(self) -> Number:
        """Values a token adds to a short convolution's window; `state_values` holds all but one token of it. 0 without a convolution."""
        return 0

    def mixing_flops(self, cells: Number) -> Number:
        """FLOPs per token of what mixes tokens beside the weights, when `cells` token slots are seen.

        Here a recurrence: two to write each number of the state and two to read it out.
        """
        return 4 * self.state_values()
