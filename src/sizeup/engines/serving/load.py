"""A server under load: time between tokens, time to the first, and how many requests a second it keeps up with.

Every step writes a token of each running sequence and reads a piece of a waiting prompt (continuous batching, chunked prefill). How
many sequences run follows from how long they take, and how long they take from how many run: the one number where both agree is
solved for. Numbers may be columns: then many loads are answered at once.

Not counted: drafts, disaggregated prefill, preemption when the cache is full (`places` has to say what it holds), a cold start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...facts import data_json
from ...figure import Number, ceil_div, least, most, where
from .queues import unbounded, wait_mean, wait_s, wait_share
from .step_time import FACTS, CardRates, Pace, seconds
from .step_work import StageWork, Step

LINES = 9
"""Steps of the search for the batch. What is asked for is almost linear in it, so that the line through two ends is nearly right."""
HALVINGS = 20
"""Steps of the search for the largest rate: to a millionth of what the server can serve at all."""


class Replica(NamedTuple):
    """One server: a model on its cards."""

    stages: tuple[tuple[StageWork, CardRates], ...]
    """Pipeline stages, each with the card that the slowest of its ranks is on."""
    pace: Pace
    places: int = 256
    """Requests that run at the same time: `max_num_seqs`, or what the cache holds of this length if that is fewer."""
    chunk_tokens: int = 8192
    """Tokens of a step at most (`max_num_batched_tokens`, `chunked_prefill_size`)."""


class Request(NamedTuple):
    """What is asked for, on average."""

    prompt_tokens: Number
    answer_tokens: Number
    cached_tokens: Number = 0
    """Of the prompt that prefix caching finds."""

    @property
    def depth(self) -> Number:
        """Tokens that a running sequence holds, on average."""
        return self.prompt_tokens + self.answer_tokens / 2


class FirstToken(NamedTuple):
    """Seconds to the first token."""

    alone_s: Number
    """On a server that does nothing else."""
    least_s: Number
    """Below the median, by as much as runs were below what was said of them (of ten, one was further)."""
    p50_s: Number
    p90_s: Number
    most_s: Number
    """Above it in the same way, and no less than the 90th percentile. Runs under load were far above."""


class Load(NamedTuple):
    """What a server does under one load. Where more comes than it can serve, the first token takes for ever."""

    itl_s: Number
    """Between two tokens of one answer, on average."""
    first: FirstToken
    batch: Number
    """Sequences that write at the same time, on average."""
    busy: Number
    """Requests a second over the most that it can serve."""
    requests_per_s: Number
    """That are answered."""
    tokens_per_s: Number
    """Of all answers together."""


def token_s(replica: Replica, batch: Number, depth: Number) -> Number:
    """Seconds from one token of a sequence to its next, when nobody reads a prompt. With pipeline stages the batch goes through in as
    many parts, each stage working on another."""
    return seconds(replica.stages, replica.pace, Step(most(batch / len(replica.stages), least(batch, 1)), depth))


def prompt_s(replica: Replica, request: Request, batch: Number) -> tuple[Number, Number]:
    """Seconds of the steps that read one prompt beside a running batch, and how much longer these steps are for it."""
    new = most(request.prompt_tokens - request.cached_tokens, 1)
    steps = ceil_div(new, replica.chunk_tokens)
    chunk = new / steps
    # Time is linear in the depth, so that chunks at their mean depth take as long as all of them one by one.
    depth = request.prompt_tokens - new / 2 - chunk / 2
    alike = most(batch / len(replica.stages), least(batch, 1))
    mixed = steps * seconds(replica.stages, replica.pace, Step(alike, request.depth, chunk, depth))
    return mixed, mixed - steps * seconds(replica.stages, replica.pace, Step(alike, request.depth))


def at_rate(replica: Replica, request: Request, requests_per_s: Number) -> Load:
    """Requests that come at random, so many a second."""
    most_rate = _limit(replica, request)
    served = least(requests_per_s, most_rate)

    def asked(batch: Number) -> Number:
        """Sequences that would run if so many did."""
        longer = prompt_s(replica, request, batch)[1]
        return served * (request.answer_tokens * token_s(replica, most(batch, 1), request.depth) + batch * longer)

    batch = _agreed(asked, 0 * served, replica.places + 0 * served)
    reading, longer = prompt_s(replica, request, batch)
    step, busy = token_s(replica, most(batch, 1), request.depth), requests_per_s / most_rate
    itl = step / (1 - served * longer)
    ready = replica.pace.arrive_s + replica.pace.wait_steps * step * least(batch, 1) + reading
    answer = request.answer_tokens * itl

    def late(quantile: float) -> Number:
        behind = wait_s(least(served * longer, 1), wait_mean(longer, served * longer, 1), quantile)
        full = wait_s(wait_share(busy, replica.places), wait_mean(answer, busy, replica.places), quantile)
        return unbounded(busy, behind + full)

    facts = data_json(FACTS)["first_token"]
    calm = batch < facts["loaded_from"] * replica.places
    low, high = (where(calm, facts["unloaded"][end], facts["loaded"][end]) for end in ("low", "high"))
    first = _first(replica, request, ready + late(0.5), ready * facts["p90"] + late(0.9), low, high)
    return Load(itl, first, batch, busy, served, served * request.answer_tokens)


def at_concurrency(replica: Replica, request: Request, users: Number) -> Load:
    """So many users, each of whom asks again as soon as the answer is complete (a closed loop)."""
    running = least(users, replica.places)
    others = running - 1

    def times(batch: Number) -> tuple[Number, Number, Number]:
        """Between tokens, to the first one, and of reading a prompt, where so many run."""
        reading, longer = prompt_s(replica, request, batch - 1)
        step = token_s(replica, batch, request.depth)
        ready = replica.pace.arrive_s + replica.pace.wait_steps * step * least(batch - 1, 1) + reading
        ready = ready + replica.pace.together * others / 2 * reading
        # In the time of an answer each of the others reads a prompt once: answer·x² + (ready − answer·step − others·longer)·x = step·ready.
        half = (ready - request.answer_tokens * step - others * longer) / 2
        itl = ((half * half + request.answer_tokens * step * ready) ** 0.5 - half) / request.answer_tokens
        return itl, ready, reading

    def asked(batch: Number) -> Number:
        itl, ready, _ = times(batch)
        return 1 + others * request.answer_tokens * itl / (ready + request.answer_tokens * itl)

    batch = _agreed(asked, 1 + 0 * running, running)
    itl, ready, reading = times(batch)
    rate = running / (ready + request.answer_tokens * itl)
    waiting = (users - running) / rate
    spread = replica.pace.together * others * reading
    facts = data_json(FACTS)["first_token"]
    low, high = (where(users > 1, facts["closed"][end], facts["unloaded"][end]) for end in ("low", "high"))
    first = _first(replica, request, ready + waiting, ready * facts["p90"] + 0.4 * spread + waiting, low, high)
    return Load(itl, first, batch, rate / _limit(replica, request), rate, rate * request.answer_tokens)


def largest_rate(replica: Replica, request: Request, first_token_s: float, itl_s: float) -> float:
    """Requests a second at which the 90th percentile of the first token and the mean time between tokens are still as wished; 0 where
    not even one request is answered so fast."""
    low, high = 0.0, float(_limit(replica, request))
    for _ in range(HALVINGS):
        rate = (low + high) / 2
        load = at_rate(replica, request, rate)
        low, high = (rate, high) if load.first.p90_s <= first_token_s and load.itl_s <= itl_s else (low, rate)
    return low if low > 0 and high > 0 else 0.0


def _limit(replica: Replica, request: Request) -> Number:
    """Requests a second with every place taken."""
    longer = prompt_s(replica, request, replica.places)[1]
    return replica.places / (request.answer_tokens * token_s(replica, replica.places, request.depth) + replica.places * longer)


def _agreed(asked: Callable[[Number], Number], low: Number, high: Number) -> Number:
    """The batch at which as many run as are asked to, on the line between both ends; an end where it is beyond it."""
    missing, over = most(asked(low) - low, 0), most(high - asked(high), 0)
    batch = low
    for _ in range(LINES):
        batch = low + (high - low) * missing / most(missing + over, 1e-12)
        more = asked(batch) - batch
        up = more > 0
        low, missing = where(up, batch, low), where(up, more, missing)
        high, over = where(up, high, batch), where(up, over, -more)
    return batch


def _first(replica: Replica, request: Request, p50_s: Number, p90_s: Number, low: Number, high: Number) -> FirstToken:
    alone = replica.pace.arrive_s + prompt_s(replica, request, 0)[0]
    return FirstToken(alone, p50_s * low, p50_s, p90_s, most(p50_s * high, p90_s))
