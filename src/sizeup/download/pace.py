"""How fast bytes come, over the last seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 5.0


class Pace:
    """Bytes received, by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, int]] = deque()
        self._start = clock()
        self.total_bytes = 0

    def add(self, count: int) -> None:
        now = self._clock()
        with self._lock:
            self.total_bytes += count
            self._seen.append((now, count))
            self._drop(now)

    @property
    def bytes_per_s(self) -> float:
        now = self._clock()
        with self._lock:
            self._drop(now)
            passed = min(WINDOW_S, now - self._start)
            return sum(count for _, count in self._seen) / passed if passed > 0 else 0.0

    def _drop(self, now: float) -> None:
        while self._seen and self._seen[0][0] < now - WINDOW_S:
            self._seen.popleft()
