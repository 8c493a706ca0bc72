"""Cold start of `sizeup fit FILE.gguf` against a bare interpreter, as a ratio in one run.

python -m benchmarks.start [FILE.gguf]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.ghosts import unpack

RUNS = 15


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[1] if len(sys.argv) > 1 else str(unpack("Llama-3.1-8B-Q4_K_M", Path(folder)))
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "sizeup fit": [sys.executable, "-m", "sizeup", "fit", path],
            "sizeup fit --json": [sys.executable, "-m", "sizeup", "fit", path, "--json"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            for name, command in commands.items():
                times[name].append(seconds(command))
    base = statistics.median(times["python -c pass"])
    for name, values in times.items():
        print(
            f"{name:20} median {statistics.median(values) * 1000:6.1f} ms   best {min(values) * 1000:6.1f} ms   {statistics.median(values) / base:5.2f} x bare"
        )


if __name__ == "__main__":
    main()
