"""How fast one replica answers under load, and the most that it may be asked for: every engine by its own step model."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..engines.serving import load as serving
from ..engines.serving.load import Replica, Request
from ..engines.serving.queues import unbounded, wait_mean, wait_s, wait_share
from ..facts import data_json
from ..throughput import Run
from .network import Crossing
from .target import FACTS, Target

HALVINGS = 14
"""Steps of a search: to less than a hundredth of a percent."""


class Under(NamedTuple):
    """A replica under some load."""

    token_s: float
    """Mean time between two tokens of an answer."""
    first_alone_s: float
    first_p50_s: float
    first_p90_s: float
    first_least_s: float
    """Below the median, by as much as runs were."""
    first_most_s: float
    """Above the 90th percentile, by as much as runs were; far above, since queues are hard to foresee."""
    batch: float
    """Sequences that write at the same time, on average."""
    busy: float
    """What it answers over the most that it could."""
    requests_per_s: float

    def meets(self, target: Target) -> bool:
        """Whether both goals are met, by the likely times."""
        return self.token_s <= target.token_s and self.first_p90_s <= target.first_token_s


class Paced(Protocol):
    """One replica and its times."""

    @property
    def places(self) -> int:
        """Requests that run at the same time."""
        ...

    @property
    def over(self) -> Crossing | None:
        """What the network between its nodes adds to a step; None on one node, and where it is not known."""
        ...

    def band(self) -> tuple[float, float]:
        """Factors that token times may be shorter and longer by."""
        ...

    def at_rate(self, target: Target, requests_per_s: float) -> Under:
        """Requests that come at random."""
        ...

    def at_users(self, target: Target, users: float) -> Under:
        """So many people who each ask again as soon as they are answered."""
        ...


def under(paced: Paced, target: Target, load: float) -> Under:
    """The replica when it gets so much of what the target asks for."""
    return paced.at_rate(target, load) if target.users is None else paced.at_users(target, load)


def utilisation() -> float:
    """The share of a replica's most that plans use."""
    return float(data_json(FACTS)["utilisation"]["share"])


def capacity(paced: Paced, target: Target) -> float:
    """The largest load at which both goals are met and the replica is no busier than planned; 0 where not even one request is."""
    if target.users is not None:
        return float(_users(paced, target))
    probe = 1e-6
    alone = paced.at_rate(target, probe)
    if not alone.meets(target):
        return 0.0
    high = utilisation() * probe / alone.busy
    if paced.at_rate(target, high).meets(target):
        return high
    low = probe
    for _ in range(HALVINGS):
        rate = (low + high) / 2
        low, high = (rate, high) if paced.at_rate(target, rate).meets(target) else (low, rate)
    return low


def _users(paced: Paced, target: Target) -> int:
    low, high = 0, max(1, int(utilisation() * paced.places))
    while low < high:
        users = (low + high + 1) // 2
        low, high = (users, high) if paced.at_users(target, users).meets(target) else (low, users - 1)
    return low


class Serving:
    """vLLM or SGLang on cards. What was asked once is remembered: other goals ask for much the same loads."""

    def __init__(self, replica: Replica, slower: tuple[float, float], over: Crossing | None = None) -> None:
        self.replica = replica if over is None else replica._replace(between=over.likely)
        self.slower = slower
        """Factors of token times: what the step model was off by where it was held against runs; of what the network may add as well."""
        self.over = over
        if over is not None:
            within = float(serving.token_s(replica, 1, 0))
            least, likely, most = (within + float(one.seconds(1)) for one in over)
            self.slower = slower[0] * least / likely, slower[1] * most / likely
        self._told: dict[tuple[int, int, str, float], Under] = {}

    @property
    def places(self) -> int:
        return int(self.replica.places)

    def band(self) -> tuple[float, float]:
        return self.slower

    def at_rate(self, target: Target, requests_per_s: float) -> Under:
        return self._once(target, "rate", requests_per_s)

    def at_users(self, target: Target, users: float) -> Under:
        return self._once(target, "users", max(users, 1.0))

    def _once(self, target: Target, kind: str, load: float) -> Under:
        key = (target.prompt_tokens, target.answer_tokens, kind, load)
        if key not in self._told:
            ask = serving.at_rate if kind == "rate" else serving.at_concurrency
            self._told[key] = _told(ask(self.replica, Request(target.prompt_tokens, target.answer_tokens), load))
        return self._told[key]


def _told(load: serving.Load) -> Under:
    first = load.first
    return Under(
        float(load.itl_s),
        float(first.alone_s),
        float(first.p50_s),
        float(first.p90_s),
        float(first.least_s),
        float(first.most_s),
        float(load.batch),
        float(load.busy),
        float(load.requests_per_s),
    )


class Host:
    """llama.cpp with so many slots: prompts are read one after another, and writing waits meanwhile."""

    over: Crossing | None = None

    def __init__(self, run: Run, slots: int, target: Target) -> None:
        self.slots = slots
        depth = target.prompt_tokens + target.answer_tokens // 2
        prefill = run.prefill(target.prompt_tokens)
        self.known = prefill is not None
        self.prompt_s = target.prompt_tokens / prefill.tokens_per_s if prefill else 0.0
        self.prompt_band = (prefill.tokens_per_s / prefill.upper, prefill.tokens_per_s / prefill.lower) if prefill else (1.0, 1.0)
        self.steps: list[tuple[int, float]] = []
        self.slower = (1.0, 1.0)
        for batch in sorted({1, slots}):
            speed = run.decode(depth, batch)
            if speed is None:
                self.known = False
                return
            self.steps.append((batch, batch / speed.tokens_per_s))
            self.slower = (speed.tokens_per_s / speed.upper, speed.tokens_per_s / speed.lower)

    @property
    def places(self) -> int:
        return self.slots

    def band(self) -> tuple[float, float]:
        return self.slower

    def token_s(self, batch: float) -> float:
        """Seconds of a step in which so many write; on the line between one and all slots."""
        (one, alone), (most, full) = self.steps[0], self.steps[-1]
        return alone if most == one else alone + (full - alone) * (min(max(batch, one), most) - one) / (most - one)

    def at_rate(self, target: Target, requests_per_s: float) -> Under:
        answer, reading = target.answer_tokens, self.prompt_s
        limit = self.slots / (answer * self.token_s(self.slots) + self.slots * reading)
        served, busy = min(requests_per_s, limit), requests_per_s / limit
        low, high = 0.0, float(self.slots)
        for _ in range(HALVINGS):
            batch = (low + high) / 2
            asked = served * (answer * self.token_s(batch) + batch * reading)
            low, high = (batch, high) if asked > batch else (low, batch)
        step = self.token_s(low)
        between = step / max(1 - served * reading, 1e-9)

        def late(quantile: float) -> float:
            behind = wait_s(min(served * reading, 1.0), wait_mean(reading, min(served * reading, 1.0), 1), quantile)
            full = wait_s(wait_share(busy, self.slots), wait_mean(answer * between, busy, self.slots), quantile)
            return float(unbounded(busy, behind + full))

        ready = reading + step
        return self._under(between, ready + late(0.5), ready + late(0.9), low, busy, served)

    def at_users(self, target: Target, users: float) -> Under:
        running = min(max(users, 1.0), float(self.slots))
        # In the time of an answer each of the others has its prompt read once.
        writing = target.answer_tokens * self.token_s(running) + (running - 1) * self.prompt_s
        between, ready = writing / target.answer_tokens, self.prompt_s + self.token_s(running)
        rate = running / (self.prompt_s + writing)
        waiting = (max(users, 1.0) - running) / rate
        behind = (running - 1) / 2 * self.prompt_s
        limit = self.slots / (target.answer_tokens * self.token_s(self.slots) + self.slots * self.prompt_s)
        return self._under(between, ready + waiting, ready + waiting + behind, running, min(rate / limit, 1.0), rate)

    def _under(self, token_s: float, p50_s: float, p90_s: float, batch: float, busy: float, rate: float) -> Under:
        low, high = self.prompt_band
        return Under(token_s, self.prompt_s + self.token_s(1), p50_s, p90_s, p50_s * low, p90_s * high, batch, busy, rate)
