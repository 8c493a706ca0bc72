"""A real model file and its ghost in turn, one process a run: prefill, decode and resident memory, medians and their ratio.

The real file is copied before each of its runs, as the ghost is written before each of its own: how the system holds a file
in its cache (in how large pages, how scattered) is worth several per cent of decoding, and is neither's merit.

python -m benchmarks.rehearsal [FILE.gguf] [ROUNDS]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile

from tests.small_model import small_model

from sizeup.ghost import disk
from sizeup.ghost.rehearse import rehearse
from sizeup.search import fit


def main() -> None:
    path = sys.argv[1] if len(sys.argv) > 1 else str(small_model())
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    plan = fit(path, context_tokens=2048)[0]
    found: dict[str, list[tuple[float, float, float]]] = {"real": [], "ghost": []}
    for number in range(2 * rounds):
        name = ("real", "ghost")[number % 2]
        with tempfile.TemporaryDirectory(dir=disk.folder()) as folder:
            where = shutil.copy(path, folder) if name == "real" else None
            run = rehearse(plan, path=where, prompt_tokens=256, decode_tokens=32, seconds=6)
        row = (run.prefill_tokens_per_s or 0.0, run.decode_tokens_per_s or 0.0, (run.peak_resident_bytes or 0) / 2**20)
        found[name].append(row)
        print(f"{name:6} prefill {row[0]:8.1f} tok/s   decode {row[1]:7.2f} tok/s   resident {row[2]:7.1f} MiB", flush=True)
    real, ghost = ([statistics.median(column) for column in zip(*found[name], strict=True)] for name in ("real", "ghost"))
    for name, a, b in zip(("prefill", "decode", "resident"), real, ghost, strict=True):
        print(f"{name:9} real {a:8.2f}   ghost {b:8.2f}   ghost/real {b / a:6.3f}")


if __name__ == "__main__":
    main()
