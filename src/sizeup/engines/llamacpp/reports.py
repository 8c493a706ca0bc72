"""What a child tells its parent: events, one JSON document a line, and the memory it holds. It ends with its parent."""

from __future__ import annotations

import ctypes
import json
import signal
import sys
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False).encode


def die_with_parent() -> None:
    """Linux: be killed when the parent ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def emit(event: str, **values: Any) -> None:
    """One event to the parent."""
    sys.stdout.write(_encode({"event": event, **values}) + "\n")
    sys.stdout.flush()


def resident() -> dict[str, int]:
    """Resident bytes of this process: total, anonymous, file-backed and peak; only the peak where /proc does not exist."""
    names = {"VmRSS": "total", "RssAnon": "anonymous", "RssFile": "file", "VmHWM": "peak"}
    found: dict[str, int] = {}
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
            for line in lines:
                key, _, rest = line.partition(":")
                if key in names:
                    found[names[key]] = int(rest.split()[0]) * 1024
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found["peak"] = peak if sys.platform == "darwin" else peak * 1024
    return found


class Peaks:
    """The most that was resident of each kind whenever it was looked at; the system itself keeps only the total's peak."""

    def __init__(self) -> None:
        self.most: dict[str, int] = {}

    def look(self) -> dict[str, int]:
        """What is resident now."""
        now = resident()
        for kind in ("anonymous", "file"):
            if kind in now:
                self.most[kind] = max(self.most.get(kind, 0), now[kind])
        return now
