"""A hub of repositories against a table of machines, through `sizeup sweep`: seconds, memory, and cells that the answer stands for.

python -m benchmarks.sweep_hub [MODELS] [MACHINES]

The models are repositories drawn over the catalogue's real configs by how often each is downloaded, as a Parquet file of configs; the
machines are every described one and, up to the number, two and four of each card.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import numpy
import psutil

from sizeup.errors import SizeupError
from sizeup.probe import machine
from sizeup.probe.table import parts
from sizeup.readers import catalogue_data
from sizeup.sweep.classes import named
from sizeup.sweep.run import sweep

from .sweep import repositories

QUANT, CONTEXT = "Q4_K_M", 8192


def machine_names(count: int) -> list[str]:
    """So many names of machines."""
    found = [name for name, _ in named(["all"])]
    for cards in (2, 4):
        for part in parts():
            if part.kind == "gpu" and len(found) < count:
                name = f"{cards}x {part.name}"
                try:
                    machine(name)
                except SizeupError:
                    continue
                found.append(name)
    return found[:count]


def table(path: Path, count: int) -> None:
    """The repositories with their configs."""
    numbers = numpy.arange(len(catalogue_data.index().ids))
    configs = [catalogue_data.record(int(number))[1] for number in numbers]
    texts = [json.dumps(config) for config in configs]
    drawn = repositories(count)
    with duckdb.connect() as connection:
        connection.register("known", {"number": numbers, "config": numpy.array(texts, object)})
        connection.register("hub", {"number": drawn, "id": numpy.arange(count)})
        connection.execute(
            f"COPY (SELECT 'repo/' || id AS id, config FROM hub JOIN known USING (number)) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )


class Watch(threading.Thread):
    """The most memory that this process and its children held together, looked at ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.over = 0, threading.Event()

    def run(self) -> None:
        me = psutil.Process()
        while not self.over.wait(0.1):
            held = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    held += process.memory_info().rss
                except psutil.Error:
                    continue
            self.most = max(self.most, held)


def main() -> None:
    models, machines = (int(text) for text in (sys.argv[1:] + ["2000000", "2000"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "hub.parquet"
        table(source, models)
        names = machine_names(machines)
        print(f"{models:,} repositories ({source.stat().st_size / 1e6:.0f} MB), {len(names):,} machines, {QUANT}, context {CONTEXT:,}")
        watch = Watch()
        watch.start()
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime + time.process_time()
        found = sweep(str(source), Path(folder) / "out", quants=[QUANT], contexts=[CONTEXT], machines=names)
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime + time.process_time() - before
        watch.over.set()
        size = sum(path.stat().st_size for path in (Path(folder) / "out").rglob("*.parquet"))
    print(f"{found.shapes:,} shapes, {found.classes:,} classes: {found.cells:,} cells written, which answer for {found.cells_ungrouped:,}")
    print(f"{seconds:.0f} s, {used:.0f} s of processors; at most {watch.most / 2**20:,.0f} MiB; {size / 1e6:.1f} MB of Parquet")


if __name__ == "__main__":
    main()
