"""Ranking the whole catalogue in every recommended mix: warm in one process, machine after machine, and cold from the command line.

Milliseconds of the processor, which other programs do not stretch, and of the clock beside them where it is the command line's.

python -m benchmarks.ranking
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from sizeup.probe import machine
from sizeup.quality import tasks
from sizeup.recommend import ranking
from sizeup.shortlist import listed
from sizeup.wishes import Wishes

MACHINES = ("rtx-4090", "rtx-3060-12gb", "2x rtx-3090", "m4-max-128gb", "raspberry-pi-5-8gb", "8x h100")


def milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def cold(arguments: list[str]) -> tuple[float, float]:
    """(processor, clock) of one start."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000, took * 1000


def main() -> None:
    models = listed()
    print(f"{len(models)} models in {sum(len(model.mixes()) for model in models)} files")
    print(f"{'':22}{'first':>10}{'again':>10}{'each task':>12}{'all rows':>12}   ms of the processor, warm")
    for name in MACHINES:
        box = machine(name)
        first = milliseconds(lambda: ranking(box, Wishes("chat")))  # noqa: B023
        again = statistics.median(milliseconds(lambda: ranking(box, Wishes("chat"))) for _ in range(5))  # noqa: B023
        each = statistics.median(milliseconds(lambda t=task: ranking(box, Wishes(t))) for task in tasks())  # noqa: B023
        whole = milliseconds(lambda: ranking(box, Wishes("chat"), 1000))  # noqa: B023
        print(f"{name:22}{first:>10.0f}{again:>10.0f}{each:>12.0f}{whole:>12.0f}")
    for arguments in (
        [],
        ["-m", "sizeup", "models", "--on", "rtx-4090"],
        ["-m", "sizeup", "models", "--on", "rtx-4090", "--for", "code", "--json"],
    ):
        each = [cold(arguments or ["-c", ""]) for _ in range(5)]
        processor, clock = (statistics.median(column) for column in zip(*each, strict=True))
        print(f"cold: {' '.join(arguments[1:]) or 'Python alone'}: {processor:.0f} ms, by the clock {clock:.0f}")


if __name__ == "__main__":
    main()
