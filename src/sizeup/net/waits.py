"""How long to wait before asking again: what the server says first, else twice as long each time, never for ever."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

RATE_LIMIT = re.compile(r'"(?P<name>\w+)"\s*;\s*r\s*=\s*(?P<left>\d+)\s*;\s*t\s*=\s*(?P<seconds>\d+)')
"""As Hugging Face Hub answers: `RateLimit: "api";r=0;t=55` (IETF draft-ietf-httpapi-ratelimit-headers-09)."""

AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that may be gone when asked again."""


class Stopped(Exception):
    """Somebody wants no more; what is kept stays kept."""


@dataclass(frozen=True)
class Patience:
    """How often to ask again without any progress, and how long to wait at most."""

    tries: int = 6
    first_s: float = 0.5
    longest_s: float = 30.0
    longest_asked_s: float = 20.0
    """What a server may ask for (a rate limit); longer than this is an answer for the person, not a wait."""
    connect_s: float = 10.0
    read_s: float = 30.0
    """Seconds without a byte after which a connection counts as dead."""
    whole_s: float = 120.0
    """Seconds that a header, a list or a config may take in all."""

    def backoff(self, failures: int) -> float:
        """Seconds before the next try: doubling, and never the same for everybody."""
        return min(self.first_s * 2.0**failures, self.longest_s) * random.uniform(0.5, 1.0)


def asked_s(headers: Mapping[str, str], status: int) -> float | None:
    """Seconds that the server asks to wait; None when it says nothing."""
    said = _retry_after(headers.get("retry-after", ""))
    found = RATE_LIMIT.search(headers.get("ratelimit", "")[:400])
    # The hub sends this header with every answer: it is the reason only when nothing is left.
    if status == 429 and found and int(found["left"]) == 0:
        limit = min(float(found["seconds"]), 1e6) + 1
        return limit if said is None else max(limit, said)
    return said


def _retry_after(text: str) -> float | None:
    text = text.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


class Waiter:
    """Waits that a stop ends at once, and that somebody may be told of."""

    def __init__(self, stop: threading.Event | None = None, told: Callable[[float, str], None] | None = None) -> None:
        self.stop = stop or threading.Event()
        self.told = told or (lambda seconds, why: None)

    def wait(self, seconds: float, why: str) -> None:
        """Pass `seconds`; raises Stopped."""
        self.told(seconds, why)
        if self.stop.wait(seconds):
            raise Stopped
