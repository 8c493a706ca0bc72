"""How fast an open context computes at several depths and batch sizes. Runs in the child.

At a depth the cache holds so many tokens before the clock starts: prefill is a prompt after them in one sequence, decode is
one token at a time after them in every sequence together. This is what llama-bench calls pp512 @ d and tg32 @ d.
"""

from __future__ import annotations

import array
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from ...probe.energy import Meter
from .pace import ENOUGH, STILL, spread
from .sequences import Sequences

Tell = Callable[..., None]
Prepare = Callable[[bool], Callable[[], int]]
"""Brings the context to a point and returns what is to be timed, which says how many tokens it computed; True is for a warm-up."""


class Points:
    """Measures every asked point within a time that all share; filling counts too, loading does not."""

    def __init__(self, sequences: Sequences, asked: dict[str, Any], meter: Meter, tell: Tell, look: Callable[[], Any]) -> None:
        self._in, self._asked, self._meter, self._tell, self._look = sequences, asked, meter, tell, look
        self._draw = random.Random(2)
        self._fill_rate = 0.0
        self._depths, self._batches = sorted(set(asked["depths"])), sorted(set(asked["batches"]))
        self._count = len(self._depths) * (1 + len(self._batches))
        self._begun = 0
        self._end = 0.0

    def run(self) -> list[dict[str, Any]]:
        """A row for each depth and batch; one that time did not reach has neither rate."""
        self._end = time.perf_counter() + self._asked["seconds"]
        rows = [{"depth_tokens": depth, "sequences": batch} for depth in self._depths for batch in self._batches]
        for depth in self._depths:
            here = [row for row in rows if row["depth_tokens"] == depth]
            if not self._fill(depth):
                break
            here[0].update(self._measure("prefill", depth, 1, self._prompts(depth)))
            for row in here:
                row.update(self._measure("decode", depth, row["sequences"], self._steps(depth, row["sequences"])))
        return rows

    def _left(self) -> float:
        return self._end - time.perf_counter()

    def _fill(self, depth: int) -> bool:
        """Bring the first sequence to the depth; False when time does not reach so far."""
        self._in.back(min(depth, self._reached()))
        missing, begin, start = depth - self._in.length(), time.perf_counter(), self._in.length()
        if self._fill_rate and missing / self._fill_rate > self._left():
            return False

        def go_on(have: int) -> bool:
            self._tell("filling", tokens=have, of_tokens=depth)
            return self._left() > 0

        if self._left() <= 0 or not self._in.fill(depth, go_on=go_on):
            return False
        if missing > 0:
            self._fill_rate = (depth - start) / (time.perf_counter() - begin)
        return True

    def _reached(self) -> int:
        """The depth that was filled last."""
        done = self._begun // (1 + len(self._batches))
        return self._depths[done - 1] if done else 0

    def _budget(self) -> float:
        """This measure's share of what is left, after what filling to the next depths will take, at most two thirds."""
        left = max(self._left(), 0.0)
        missing = self._depths[-1] - self._in.length()
        filling = min(max(missing, 0) / self._fill_rate, left * 2 / 3) if self._fill_rate else 0.0
        return (left - filling) / (self._count - self._begun)

    def _prompts(self, depth: int) -> Prepare:
        def prepare(warm: bool) -> Callable[[], int]:
            self._in.back(depth)
            tokens = self._tokens(min(32, self._asked["prompt_tokens"]) if warm else self._asked["prompt_tokens"])
            return lambda: self._in.prompt(tokens)

        return prepare

    def _steps(self, depth: int, batch: int) -> Prepare:
        def prepare(warm: bool) -> Callable[[], int]:
            self._in.back(depth, batch)
            rounds = [self._tokens(batch) for _ in range(min(2, self._asked["decode_tokens"]) if warm else self._asked["decode_tokens"])]
            return lambda: self._each(rounds)

        return prepare

    def _tokens(self, count: int) -> array.array[int]:
        return array.array("i", (self._draw.randrange(self._asked["vocabulary"]) for _ in range(count)))

    def _measure(self, task: str, depth: int, batch: int, prepare: Prepare) -> dict[str, Any]:
        """Median rate with its spread; the first, shorter go is thrown away. Nothing when no time is left."""
        if self._left() <= 0:
            self._begun += 1
            return {}
        budget, begin = self._budget(), time.perf_counter()
        prepare(True)()
        rates: list[float] = []
        joules: list[float] = []
        while True:
            go = prepare(False)
            before, start = self._meter.read(), time.perf_counter()
            tokens = go()
            rates.append(tokens / (time.perf_counter() - start))
            spent = self._meter.joules(before, self._meter.read())
            if spent is not None:
                joules.append(spent / tokens * 1000)
            if task == "prefill":
                # The best so far: what time may suffice for is tried.
                self._fill_rate = max(self._fill_rate, rates[-1])
            self._look()
            rate, apart = statistics.median(rates), spread(rates)
            self._tell(
                "point", task=task, depth_tokens=depth, sequences=batch, tokens_per_s=rate, repeats=len(rates),
                index=self._begun + 1, count=self._count,
            )  # fmt: skip
            used = time.perf_counter() - begin
            if (len(rates) >= ENOUGH and apart <= STILL) or used + used / len(rates) > budget:
                break
        self._begun += 1
        found = {f"{task}_tokens_per_s": rate, f"{task}_spread": apart, f"{task}_repeats": len(rates)}
        return found | ({f"{task}_joules_per_1000_tokens": statistics.median(joules)} if joules else {})

    def _each(self, rounds: list[array.array[int]]) -> int:
        """A step for each round; fewer, once the time is over: a token a second must not take a minute."""
        computed = 0
        for tokens in rounds:
            self._in.step(tokens)
            computed += len(tokens)
            if self._left() <= 0:
                break
        return computed
