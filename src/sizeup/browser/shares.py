"""What share of an audience can download a model, load it, and run it at a pace: what is sure, and what is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .audience import Audience, Visitor
from .device import Device
from .load import Reason
from .model import Model
from .verdict import Verdict, judge

RANK = ("yes", "maybe", "unknown", "no")


@dataclass(frozen=True, slots=True)
class Share:
    """Shares from 0 to 1: of those where nobody doubts it, and of those where nothing rules it out."""

    sure: float
    possible: float


@dataclass(frozen=True, slots=True)
class Reach:
    """One engine, or all of them together, in an audience."""

    engine: str
    """"" for all of them together."""
    download: Share
    load: Share
    pace: Share
    reason: Reason | None
    """What keeps most of the others out; None when nothing does."""
    reason_share: float


def best(builds: Iterable[Model], device: Device) -> Verdict:
    """The best verdict among builds of one engine: a browser without 16-bit arithmetic takes the 32-bit build."""
    return min((judge(build, device) for build in builds), key=lambda verdict: (RANK.index(verdict.answer), verdict.download.bytes or 0))


def reach(builds: Sequence[Model], audience: Audience, tokens_per_s: float) -> tuple[Reach, ...]:
    """A row for each engine that has a build, and one for whichever engine does best for each visitor."""
    engines = list(dict.fromkeys(build.engine for build in builds))
    table = {
        engine: [best([build for build in builds if build.engine == engine], visitor.device) for visitor in audience.visitors]
        for engine in engines
    }
    rows = [_reach(engine, [[verdict] for verdict in table[engine]], audience.visitors, tokens_per_s) for engine in engines]
    together = [[table[engine][index] for engine in engines] for index in range(len(audience.visitors))]
    return (*rows, *([_reach("", together, audience.visitors, tokens_per_s)] if len(engines) > 1 else ()))


def _reach(engine: str, verdicts: Sequence[Sequence[Verdict]], visitors: Sequence[Visitor], tokens_per_s: float) -> Reach:
    def share(sure: Callable[[Verdict], bool], possible: Callable[[Verdict], bool]) -> Share:
        found = [
            sum(visitor.share for visitor, own in zip(visitors, verdicts, strict=True) if any(map(test, own))) for test in (sure, possible)
        ]
        # Floats add up to a little more or less than what they stand for.
        return Share(round(found[0], 9), round(found[1], 9))

    reason, part = _main_reason(verdicts, visitors)
    return Reach(
        engine,
        share(lambda one: one.download.answer == "yes", lambda one: one.download.answer != "no"),
        share(lambda one: one.load.answer == "yes", lambda one: one.load.answer != "no"),
        share(lambda one: one.answer == "yes" and _fast(one, tokens_per_s, False), lambda one: _fast(one, tokens_per_s, True)),
        reason,
        part,
    )


def _fast(verdict: Verdict, tokens_per_s: float, hoped: bool) -> bool:
    """Whether it runs at this pace: surely, or, when `hoped`, as far as anybody knows."""
    if verdict.answer == "no":
        return False
    end = verdict.speed.upper if hoped else verdict.speed.lower
    return hoped if end is None else end >= tokens_per_s


def _main_reason(verdicts: Sequence[Sequence[Verdict]], visitors: Sequence[Visitor]) -> tuple[Reason | None, float]:
    shares: dict[str, float] = {}
    first: dict[str, Reason] = {}
    for visitor, own in zip(visitors, verdicts, strict=True):
        if all(one.answer == "no" for one in own):
            # Of several engines the first named stands for what keeps this visitor out.
            shares[own[0].reason.key] = shares.get(own[0].reason.key, 0) + visitor.share
            first.setdefault(own[0].reason.key, own[0].reason)
    if not shares:
        return None, 0.0
    key = max(shares, key=lambda name: shares[name])
    return first[key], round(shares[key], 9)
