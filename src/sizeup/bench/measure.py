"""Prefill and decode of a server that speaks OpenAI's API, at depths and side by side: warmed up, the median of several, with its spread.

Every prompt begins with words of its own, so that no server can answer from what it read before. A row's prompt is its depth and
`prompt_tokens` more; its prefill is the rate over all of that, its decode the rate behind it. Of several at once decode is counted while all of
them were answering.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sizeup.errors import SizeupError, Unavailable, UserError
from sizeup.points import Point
from sizeup.servers.client import Server
from sizeup.servers.openai import Answered, chat

WORDS = [
    "time",
    "year",
    "people",
    "way",
    "day",
    "man",
    "thing",
    "woman",
    "life",
    "child",
    "world",
    "school",
    "state",
    "family",
    "student",
    "group",
    "country",
    "problem",
    "hand",
    "part",
]
WARM_WORDS = 200
LONGEST = 1 << 20
MOST_AT_ONCE = 64


class Asked(NamedTuple):
    """What is to be measured."""

    depths: tuple[int, ...] = (0,)
    batches: tuple[int, ...] = (1,)
    prompt_tokens: int = 128
    decode_tokens: int = 32
    repeats: int = 3
    seconds: float = 300.0
    """No new repeat begins after that; every row that was begun is told with as many as it has."""


class Benched(NamedTuple):
    """What was measured."""

    points: tuple[Point, ...]
    prompts: tuple[int, ...]
    """Tokens of each row's prompt, as the server counts them; 0 where it did not say."""
    timed_by: str
    """"server" where it tells its own timings of one answer at a time; "clock"."""


class _One(NamedTuple):
    """One answer with the times of its pieces."""

    answered: Answered
    times: tuple[float, ...]


def check(asked: Asked) -> None:
    """Raises UserError for what cannot be measured."""
    if not asked.depths or min(asked.depths) < 0 or max(asked.depths) + asked.prompt_tokens > LONGEST:
        raise UserError(f"--depths takes 0 to {LONGEST:,} tokens.", "--depths 0,4K")
    if not asked.batches or not 1 <= min(asked.batches) <= max(asked.batches) <= MOST_AT_ONCE:
        raise UserError(f"--batches takes 1 to {MOST_AT_ONCE} answers at once.", "--batches 1,2,4")
    if asked.prompt_tokens < 16 or asked.decode_tokens < 2 or asked.repeats < 1 or not asked.seconds > 0:
        raise UserError("A bench needs 16 tokens of prompt, 2 to decode, one repeat and some time.", "sizeup bench --help")


def bench(server: Server, model: str, asked: Asked, tell: Callable[[int, int, Point], None] = lambda done, whole, point: None) -> Benched:
    """Measure each depth with each batch. `tell(done, of, point)` after each. Raises UserError, and Unavailable when not one row could be.

    A row that the server refuses (a context that is too small) has no rates; the next is tried.
    """
    check(asked)
    draw = random.Random()
    # The first answer warms up, and tells how many tokens the server makes of a word.
    warm = _ask(server, model, _text(draw, WARM_WORDS), asked.decode_tokens)
    ratio = (warm.answered.prompt_tokens or WARM_WORDS * 1.1) / WARM_WORDS
    end = time.perf_counter() + asked.seconds
    points: list[Point] = []
    prompts: list[int] = []
    timed: set[str] = set()
    refusal: Unavailable | None = None
    rows = [(depth, batch) for depth in asked.depths for batch in asked.batches]
    for number, (depth, batch) in enumerate(rows):
        words = max(8, round((depth + asked.prompt_tokens) / ratio))
        rounds: list[list[_One]] = []
        try:
            while len(rounds) < asked.repeats and (time.perf_counter() < end or not points):
                rounds.append(_at_once(server, model, [_text(draw, words) for _ in range(batch)], asked.decode_tokens))
        except Unavailable as error:
            refusal = error
        point, prompt = _point(depth, batch, rounds)
        timed |= {one.answered.timed_by for row in rounds for one in row if batch == 1}
        points.append(point)
        prompts.append(prompt)
        tell(number + 1, len(rows), point)
    if not any(point.reached for point in points) and refusal is not None:
        raise refusal
    return Benched(tuple(points), tuple(prompts), "server" if timed == {"server"} else "clock")


def _text(draw: random.Random, words: int) -> str:
    """So many words, the first of them a number that nobody asked before."""
    return f"{draw.randrange(10**9)} " + " ".join(draw.choice(WORDS) for _ in range(words))


def _ask(server: Server, model: str, text: str, tokens: int) -> _One:
    times: list[float] = []
    asked: dict[str, Any] = {"max_tokens": tokens, "temperature": 0.0, "ignore_eos": True, "cache_prompt": False}
    answered = chat(server, model, [{"role": "user", "content": text}], lambda piece: times.append(time.perf_counter()), **asked)
    return _One(answered, tuple(times))


def _at_once(server: Server, model: str, texts: Sequence[str], tokens: int) -> list[_One]:
    """Answers side by side. Raises the first error of any of them."""
    if len(texts) == 1:
        return [_ask(server, model, texts[0], tokens)]
    found: list[_One] = []
    failed: list[SizeupError] = []

    def ask(text: str) -> None:
        try:
            found.append(_ask(server, model, text, tokens))
        except SizeupError as error:
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(text,), daemon=True) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found


def _point(depth: int, batch: int, rounds: list[list[_One]]) -> tuple[Point, int]:
    """The median over the rounds, and the prompt's tokens."""
    decode = [rate for row in rounds if (rate := together(row))]
    prefill = [rate for row in rounds for one in row if batch == 1 and (rate := one.answered.prefill_tokens_per_s)]
    counts = [one.answered.prompt_tokens or 0 for row in rounds for one in row]
    point = Point(
        depth,
        batch,
        prefill_tokens_per_s=statistics.median(prefill) if prefill else None,
        prefill_spread=spread(prefill),
        prefill_repeats=len(prefill),
        decode_tokens_per_s=statistics.median(decode) if decode else None,
        decode_spread=spread(decode),
        decode_repeats=len(decode),
    )
    return point, round(statistics.median(counts)) if counts else 0


def together(row: Sequence[_One]) -> float | None:
    """Tokens a second of all answers of a round: the server's own rate of one; of several, while all of them came. None when they never did."""
    if len(row) == 1:
        return row[0].answered.decode_tokens_per_s
    if not row or not all(len(one.times) > 1 for one in row):
        return None
    begin, end = max(one.times[0] for one in row), min(one.times[-1] for one in row)
    if end <= begin:
        return None
    # A piece may hold several tokens: those of an answer are spread over its pieces.
    tokens = sum(
        sum(begin < moment <= end for moment in one.times) * max(one.answered.new_tokens, len(one.times)) / len(one.times) for one in row
    )
    return tokens / (end - begin)


def spread(rates: Sequence[float]) -> float:
    """Half the distance between the quartiles as a share of the median; 0 for fewer than three."""
    if len(rates) < 3:
        return 0.0
    low, middle, high = statistics.quantiles(rates, n=4, method="inclusive")
    return (high - low) / 2 / middle
