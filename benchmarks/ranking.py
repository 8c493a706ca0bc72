"""Ranking the whole catalogue in every recommended mix: warm in one process, machine after machine, and cold from the command line.

python -m benchmarks.ranking
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from sizeup.probe import machine
from sizeup.quality import tasks
from sizeup.recommend import ranking
from sizeup.shortlist import listed
from sizeup.wishes import Wishes

MACHINES = ("rtx-4090", "rtx-3060-12gb", "2x rtx-3090", "m4-max-128gb", "raspberry-pi-5-8gb", "8x h100")


def milliseconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return (time.perf_counter() - start) * 1000


def main() -> None:
    models = listed()
    print(f"{len(models)} models in {sum(len(model.mixes()) for model in models)} files")
    print(f"{'':22}{'first':>10}{'again':>10}{'each task':>12}{'all rows':>12}   ms, warm; of cold, with Python's start")
    for name in MACHINES:
        box = machine(name)
        first = milliseconds(lambda: ranking(box, Wishes("chat")))  # noqa: B023
        again = statistics.median(milliseconds(lambda: ranking(box, Wishes("chat"))) for _ in range(5))  # noqa: B023
        each = statistics.median(milliseconds(lambda t=task: ranking(box, Wishes(t))) for task in tasks())  # noqa: B023
        whole = milliseconds(lambda: ranking(box, Wishes("chat"), 1000))  # noqa: B023
        print(f"{name:22}{first:>10.0f}{again:>10.0f}{each:>12.0f}{whole:>12.0f}")
    for arguments in (["models", "--on", "rtx-4090"], ["models", "--on", "rtx-4090", "--for", "code", "--json"]):
        cold = [milliseconds(lambda: _run(arguments)) for _ in range(5)]  # noqa: B023
        empty = [milliseconds(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) for _ in range(5)]
        said = f"cold {statistics.median(cold):.0f} ms, of which Python's start {statistics.median(empty):.0f} ms"
        print(f"sizeup {' '.join(arguments)}: {said}")


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "sizeup", *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
