"""How fast an open context really computes: prefill and decode, repeated until the medians hold still. Runs in the child.

A measurement is one prompt from an empty cache and some tokens after it. The first is thrown away: it maps pages, starts
threads and fills caches. Tokens are drawn at random, so that experts and embedding rows are visited as any text would.
"""

from __future__ import annotations

import array
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from ...probe.energy import Meter

ENOUGH = 5
"""Repeats after which a small spread may end it."""
STILL = 0.02
"""Half the distance between the quartiles, as a share of the median, that counts as small."""


class Pace:
    """Measures one context; `decode` computes a batch of tokens, `clear` empties the cache."""

    def __init__(
        self,
        decode: Callable[[array.array[int]], None],
        clear: Callable[[], None],
        vocabulary: int,
        batch: int,
        meter: Meter | None = None,
    ) -> None:
        self._meter = meter
        self._joules: dict[str, list[float]] = {"prefill": [], "decode": []}
        self._decode, self._clear, self._batch = decode, clear, batch
        self._draw = random.Random(1)
        self._vocabulary = vocabulary

    def tokens(self, count: int) -> array.array[int]:
        """So many token ids at random."""
        return array.array("i", (self._draw.randrange(self._vocabulary) for _ in range(count)))

    def once(self, prompt: int, decoded: int) -> tuple[float, float]:
        """Seconds of one prompt, and of the tokens after it."""
        self._clear()
        tokens, more = self.tokens(prompt), self.tokens(decoded)
        first, start = self._energy(), time.perf_counter()
        for at in range(0, prompt, self._batch):
            self._decode(tokens[at : at + self._batch])
        middle, second = time.perf_counter(), self._energy()
        for token in more:
            self._decode(array.array("i", [token]))
        end = time.perf_counter()
        self._burnt("prefill", prompt, first, second)
        self._burnt("decode", decoded, second, self._energy())
        return middle - start, end - middle

    def _energy(self) -> tuple[int, ...] | None:
        return self._meter.read() if self._meter else None

    def _burnt(self, task: str, tokens: int, before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> None:
        spent = self._meter.joules(before, after) if self._meter else None
        if spent is not None:
            self._joules[task].append(spent / tokens * 1000)

    def run(self, prompt: int, decoded: int, seconds: float, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Medians of prefill and decode in tokens per second with their spread, within about `seconds` of measuring."""
        self.once(min(prompt, 32), 2)
        self._joules = {"prefill": [], "decode": []}
        prefill: list[float] = []
        decode: list[float] = []
        begin = time.perf_counter()
        while True:
            first, second = self.once(prompt, decoded)
            prefill.append(prompt / first)
            decode.append(decoded / second)
            found = {
                "prefill_tokens_per_s": statistics.median(prefill),
                "decode_tokens_per_s": statistics.median(decode),
                "prefill_spread": spread(prefill),
                "decode_spread": spread(decode),
                "repeats": len(decode),
                **{f"{task}_joules_per_1000_tokens": statistics.median(spent) for task, spent in self._joules.items() if spent},
            }
            tell(found)
            spent = time.perf_counter() - begin
            still = len(decode) >= ENOUGH and max(found["prefill_spread"], found["decode_spread"]) <= STILL
            # Another round must fit, unless nothing was measured twice yet.
            if still or (spent + spent / len(decode) > seconds and len(decode) > 1) or spent > seconds:
                return found


def spread(values: list[float]) -> float:
    """Half the distance between the quartiles as a share of the median; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / statistics.median(values)
