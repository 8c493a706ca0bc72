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

LINES = 10
"""Steps of the search for the batch. What is asked for is almost linear in it, so that the line through two ends is nearly right."""
HALVINGS = 20
"""Steps of the search for the largest rate: to a millionth of what the server can serve at all."""


class Between(NamedTuple):
    """The network between pipeline stages on different nodes: a step waits for every crossing."""

    crossings: int
    wait_s: float
    """Of one crossing, whatever its size."""
    token_s: float
    """Of what one token hands on, once across."""

    def seconds(self, tokens: Number) -> Number:
        """Of a step with so many tokens."""
        return self.crossings * (self.wait_s + tokens * self.token_s)


class Replica(NamedTuple):
    """One server: a model on its cards."""

    stages: tuple[tuple[StageWork, CardRates], ...]
    """Pipeline stages, each with the card that the slowest of its ranks is on."""
    pace: Pace
    places: int = 256
    """Requests that run at the same time: `max_num_seqs`, or what the cache holds of this length if that is fewer."""
    chunk_tokens: int = 8192
    """Tokens of a step at most (`max_num_batched_tokens`, `chunked_prefill_size`)."""
    between: Between | None = None
    """None on one node, and where the network is not known: then it is not counted."""


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
    """Seconds from one token of a sequence to its next, when nobody reads a prompt."""
    return _step_s(replica, Step(_share(replica, batch), depth))


class Shared(NamedTuple):
    """Seconds where so many sequences write while prompts of others are read."""

    step: Number
    """A step without a prompt."""
    itl: Number
    """Between two tokens, on average over steps with and without."""
    prompt: Number
    """The steps that read one prompt."""


def shared(replica: Replica, request: Request, batch: Number, others: Number) -> Shared:
    """Of a batch in which `others` are such that ask again: for each of their tokens a share of a prompt comes in.

    Where that is less than a piece of a prompt a step, some steps carry one; where it is more, every step carries several.
    """
    steps = _pieces(replica, request)[1]
    come = steps * others / request.answer_tokens
    mixed = _mixed_s(replica, request, others, most(come, 1))
    step = token_s(replica, batch, request.depth)
    return Shared(step, step + least(come, 1) * (mixed - token_s(replica, others, request.depth)), steps * mixed)


def running(replica: Replica, request: Request) -> Number:
    """Sequences that write at the same time at most: as many as there are places, or as keep the steps full of their prompts."""
    return least(replica.places, request.answer_tokens * replica.chunk_tokens / _pieces(replica, request)[0])


def limit(replica: Replica, request: Request) -> Number:
    """Requests a second at most: with as many running as can."""
    room = running(replica, request)
    return room / (request.answer_tokens * shared(replica, request, most(room, 1), room).itl)


def at_rate(replica: Replica, request: Request, requests_per_s: Number) -> Load:
    """Requests that come at random, so many a second."""
    room = running(replica, request)
    served = least(requests_per_s, limit(replica, request))

    def asked(batch: Number) -> Number:
        """Sequences that would run if so many did."""
        return served * request.answer_tokens * shared(replica, request, most(batch, 1), batch).itl

    batch = _agreed(asked, 0 * served, room + 0 * served)
    now, busy = shared(replica, request, most(batch, 1), batch), requests_per_s / limit(replica, request)
    ready = replica.pace.arrive_s + replica.pace.wait_steps * now.step * least(batch, 1) + now.prompt
    new, steps, piece = _pieces(replica, request)
    reading = least(batch * new / request.answer_tokens / replica.chunk_tokens, 1)
    crowded = steps * _mixed_s(replica, request, batch, replica.chunk_tokens / piece)

    def late(quantile: float) -> Number:
        behind = wait_s(reading, wait_mean(crowded, reading, 1), quantile)
        full = wait_s(wait_share(busy, room), wait_mean(request.answer_tokens * now.itl, busy, room), quantile)
        return unbounded(busy, behind + full)

    facts = data_json(FACTS)["first_token"]
    calm = batch < facts["loaded_from"] * replica.places
    low, high = (where(calm, facts["unloaded"][end], facts["loaded"][end]) for end in ("low", "high"))
    first = _first(replica, request, ready + late(0.5), ready * facts["p90"] + late(0.9), low, high)
    return Load(now.itl, first, batch, busy, served, served * request.answer_tokens)


def at_concurrency(replica: Replica, request: Request, users: Number) -> Load:
    """So many users, each of whom asks again as soon as the answer is complete (a closed loop)."""
    run = least(users, most(running(replica, request), 1))
    others = run - 1

    def times(batch: Number) -> tuple[Number, Number, Number]:
        """Between tokens, to the first one, and of reading a prompt, where so many run."""
        now = shared(replica, request, batch, batch - 1)
        ready = replica.pace.arrive_s + replica.pace.wait_steps * now.step * least(batch - 1, 1) + now.prompt
        return now.itl, ready + replica.pace.together * others / 2 * now.prompt, now.prompt

    def asked(batch: Number) -> Number:
        itl, ready, _ = times(batch)
        return 1 + others * request.answer_tokens * itl / (ready + request.answer_tokens * itl)

    batch = _agreed(asked, 1 + 0 * run, run)
    itl, ready, prompt = times(batch)
    rate = run / (ready + request.answer_tokens * itl)
    waiting = (users - run) / rate
    facts = data_json(FACTS)["first_token"]
    low, high = (where(users > 1, facts["closed"][end], facts["unloaded"][end]) for end in ("low", "high"))
    # Bunches are anything from none of the others to all of them.
    late = ready * facts["p90"] + 0.4 * replica.pace.together * others * prompt
    first = _first(replica, request, ready + waiting, late + waiting, low, high)
    return Load(itl, first, batch, rate / limit(replica, request), rate, rate * request.answer_tokens)


def largest_rate(replica: Replica, request: Request, first_token_s: float, itl_s: float) -> float:
    """Requests a second at which the 90th percentile of the first token and the mean time between tokens are still as wished; 0 where
    not even one request is answered so fast."""
    low, high = 0.0, float(limit(replica, request))
    for _ in range(HALVINGS):
        rate = (low + high) / 2
        load = at_rate(replica, request, rate)
        low, high = (rate, high) if load.first.p90_s <= first_token_s and load.itl_s <= itl_s else (low, rate)
    return low if low > 0 and high > 0 else 0.0


def _pieces(replica: Replica, request: Request) -> tuple[Number, Number, Number]:
    """Of a prompt: tokens to read, steps that they take, tokens in each."""
    new = most(request.prompt_tokens - request.cached_tokens, 1)
    steps = ceil_div(new, replica.chunk_tokens)
    return new, steps, new / steps


def _mixed_s(replica: Replica, request: Request, batch: Number, prompts: Number) -> Number:
    """Seconds of a step that reads a piece each of so many prompts beside a batch.

    Time is linear in the depth, so that pieces at their mean depth take as long as all of them one by one.
    """
    new, _, piece = _pieces(replica, request)
    depth = request.prompt_tokens - new / 2 - piece / 2
    return _step_s(replica, Step(_share(replica, batch), request.depth, piece, depth, prompts))


def _step_s(replica: Replica, tokens: Step) -> Number:
    """Seconds of a step through all stages and over what is between them."""
    within = seconds(replica.stages, replica.pace, tokens)
    return within if replica.between is None else within + replica.between.seconds(tokens.tokens)


def _share(replica: Replica, batch: Number) -> Number:
    """What a stage works on at a time: with pipeline stages the batch goes through in as many parts, each stage working on another."""
    return most(batch / len(replica.stages), least(batch, 1))


def _agreed(asked: Callable[[Number], Number], low: Number, high: Number) -> Number:
    """The batch at which as many run as are asked to, on the line between both ends; an end where it is beyond it.

    An end that stays twice counts half (the Illinois rule), so that a bent line does not hold it.
    """
    missing, over = most(asked(low) - low, 0), most(high - asked(high), 0)
    batch, rose, fell = low, low < low, low < low
    for _ in range(LINES):
        batch = low + (high - low) * missing / most(missing + over, 1e-12)
        more = asked(batch) - batch
        up = more > 0
        over, missing = where(up, where(rose, over / 2, over), -more), where(up, more, where(fell, missing / 2, missing))
        low, high = where(up, batch, low), where(up, high, batch)
        rose, fell = up, more <= 0
    return batch


def _first(replica: Replica, request: Request, p50_s: Number, p90_s: Number, low: Number, high: Number) -> FirstToken:
    alone = replica.pace.arrive_s + shared(replica, request, 0, 0).prompt
    return FirstToken(alone, p50_s * low, p50_s, p90_s, most(p50_s * high, p90_s))
