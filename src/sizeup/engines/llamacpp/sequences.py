"""The sequences of an open context: filled to a depth, copied, cut back to it, and decoded together. Used in the child."""

from __future__ import annotations

import array
import ctypes as c
from collections.abc import Callable
from typing import Any

from .library import Batch, Library


class Sequences:
    """Sequences 0, 1, … of one context; `draw` makes tokens to fill them with."""

    def __init__(self, lib: Library, context: int, settings: dict[str, Any], draw: Callable[[int], array.array[int]]) -> None:
        self._lib, self._context, self._draw = lib, context, draw
        self._memory = lib.llama_get_memory(context)
        self._batch, self._micro = settings["batch_tokens"], min(settings["batch_tokens"], settings["micro_batch_tokens"])
        self._shared, self._most = settings["unified_cache"], settings["sequences"]
        self._lanes: dict[tuple[int, int], tuple[Any, ...]] = {}

    def prompt(self, tokens: array.array[int], sequence: int = 0) -> int:
        """Tokens at the end of one sequence, in logical batches; logits of the last one only. How many there were."""
        for at in range(0, len(tokens), self._batch):
            self._decode(tokens[at : at + self._batch], [sequence] * len(tokens[at : at + self._batch]), last=True)
        return len(tokens)

    def step(self, tokens: array.array[int]) -> None:
        """One token at the end of each of the first sequences, with logits for every one."""
        self._decode(tokens, list(range(len(tokens))))

    def fill(self, depth: int, sequence: int = 0, go_on: Callable[[int], bool] | None = None) -> bool:
        """Tokens up to a depth; `go_on` hears how many there are and may end it, which is told by False."""
        while (have := self.length(sequence)) < depth:
            if go_on is not None and not go_on(have):
                return False
            self.prompt(self._draw(min(self._batch, depth - have)), sequence)
        return True

    def length(self, sequence: int = 0) -> int:
        """Tokens in this sequence."""
        return int(self._lib.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def back(self, depth: int, count: int = 1) -> None:
        """The first `count` sequences at this depth and no others; filled anew where the cache cannot be cut.

        A recurrent state cannot; a sliding window can while no more tokens came after it than one micro-batch, which it
        has room for beside the window.
        """
        present = next((sequence for sequence in range(1, self._most) if not self.length(sequence)), self._most)
        if not self._cut(0, depth):
            self._clear()
            self.fill(depth)
            present = 1
        for sequence in range(count, present):
            self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        copied = False
        for sequence in range(1, count):
            if sequence >= present or not self._cut(sequence, depth):
                self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
                copied = True
                if self._shared:
                    # Copies in one cache would be the same cells, which no two conversations are.
                    self.fill(depth, sequence)
                else:
                    self._lib.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        if copied and depth:
            # The engine copies when it next computes: one step that nobody times.
            self.step(self._draw(count))
            for sequence in range(count):
                self._lib.llama_memory_seq_rm(self._memory, sequence, depth, -1)

    def _clear(self) -> None:
        self._lib.llama_memory_clear(self._memory, False)

    def _cut(self, sequence: int, depth: int) -> bool:
        length = self.length(sequence)
        if length == depth:
            return True
        if not depth:
            return bool(self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1))
        whole = self._lib.llama_memory_seq_pos_min(self._memory, sequence) == 0
        if length < depth or not (whole or length - depth <= self._micro):
            return False
        return bool(self._lib.llama_memory_seq_rm(self._memory, sequence, depth, -1)) and self.length(sequence) == depth

    def _decode(self, tokens: array.array[int], sequences: list[int], last: bool = False) -> None:
        count = len(tokens)
        ones, lanes, logits = self._ids(tuple(sequences), last)
        batch = Batch(count, tokens.buffer_info()[0], None, None, c.addressof(ones), c.addressof(lanes), c.addressof(logits))
        code = self._lib.llama_decode(self._context, batch)
        if code:
            raise RuntimeError("the context is full" if code == 1 else f"the engine could not decode (code {code})")
        self._lib.llama_synchronize(self._context)

    def _ids(self, sequences: tuple[int, ...], last: bool) -> tuple[Any, ...]:
        """Arrays of a batch: how many sequences each token belongs to, which, and whether its logits are wanted."""
        key = (len(sequences), sequences[0] if last else -1)
        if key not in self._lanes:
            count = len(sequences)
            ids = [c.c_int32(sequence) for sequence in sequences]
            wanted = [int(not last or index == count - 1) for index in range(count)]
            ones = (c.c_int32 * count)(*[1] * count)
            lanes = (c.c_void_p * count)(*[c.addressof(number) for number in ids])
            logits = (c.c_int8 * count)(*wanted)
            # The numbers must live as long as their addresses.
            self._lanes[key] = (ones, lanes, logits, ids)
        return self._lanes[key][:3]
