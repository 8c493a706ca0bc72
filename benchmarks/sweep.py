"""48 million cells: 2 million models x 6 mixes x 4 contexts against one machine, with and without grouping them by shape.

python -m benchmarks.sweep [MODELS]

The models are repositories drawn over the catalogue's real shapes by how often each is downloaded: most of a hub is fine-tunes.
Their terms are exact (`catalogue_columns`); a cell is the room in the fuller of two pools, and whether there is any.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy
from numpy.typing import NDArray

from sizeup.catalogue_columns import CatalogueColumns, catalogue_columns
from sizeup.columns import terms
from sizeup.engines import engine as find_engine
from sizeup.probe import machine
from sizeup.probe.sweep import measured_bandwidth
from sizeup.readers import catalogue, catalogue_data
from sizeup.sweep.cells import Batch, room
from sizeup.sweep.shapes import shape_key

MIXES = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")
CONTEXTS = (4096, 8192, 32768, 131072)
BLOCK = 4096
"""Models at a time: what a core's own cache holds of their cells."""
THREADS = 2


def of_catalogue(kept: CatalogueColumns) -> Batch:
    """The catalogue's terms with everything on one card, for the mixes and contexts of this benchmark."""
    q, c = [kept.quants.index(mix) for mix in MIXES], [kept.contexts.index(context) for context in CONTEXTS]
    pools = {
        pool: (kept.rest[side][:, None, c], kept.weights[side][:, q, None])
        for side, pool in (("card_card", "vram:0"), ("card_host", "ram"))
    }
    refused = kept.refused[:, q, None]
    return Batch(pools, numpy.broadcast_to(refused, (len(kept.ids), len(q), len(c))))


def rows(whole: Batch, at: NDArray[numpy.int64] | slice) -> Batch:
    """Some models of a batch."""
    return Batch({pool: tuple(term[at] for term in terms) for pool, terms in whole.pools.items()}, whole.refused[at])


def fitting(models: Batch, free: dict[str, int]) -> int:
    """Cells that fit, block by block."""

    def block(start: int) -> int:
        part = rows(models, slice(start, start + BLOCK))
        return int(((room(part, free) >= 0) & ~part.refused).sum())

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(block, range(0, len(models.refused), BLOCK)))


def repositories(count: int) -> NDArray[numpy.int64]:
    """The catalogue's number of each repository: drawn by downloads, with a fixed seed."""
    downloads = numpy.array([row.get("hf_downloads") or 1 for row in catalogue_data.rows()], numpy.float64)
    return numpy.random.default_rng(1).choice(len(downloads), count, p=downloads / downloads.sum())


def accounting(sample: int = 12) -> Iterator[float]:
    """Seconds of working out one shape's terms, all mixes and contexts."""
    engine = find_engine("llama.cpp")
    for number in range(3, len(catalogue_data.index().ids), len(catalogue_data.index().ids) // sample):
        model = catalogue.spec(number)
        start = time.perf_counter()
        terms(model, engine, MIXES, CONTEXTS, engine.Settings(gpu_layers="all", cpu_features=()))
        yield time.perf_counter() - start


def best(call: object, repeats: int = 5) -> tuple[float, object]:
    """The least seconds of several calls, and what the last one said."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        said = call()  # type: ignore[operator]
        seconds.append(time.perf_counter() - start)
    return min(seconds), said


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    box = machine("rtx-4090")
    free = {pool.name: pool.free_bytes for pool in box.pools}
    shapes = of_catalogue(catalogue_columns())
    numbers = repositories(count)
    start = time.perf_counter()
    keys = [shape_key(catalogue_data.record(number)[1]) for number in range(len(catalogue_data.index().ids))]
    keying = time.perf_counter() - start
    _, first, shape_of = numpy.unique(keys, return_index=True, return_inverse=True)
    used = numpy.unique(shape_of[numbers])
    cells = count * len(MIXES) * len(CONTEXTS)
    print(f"{count:,} models x {len(MIXES)} mixes x {len(CONTEXTS)} contexts = {cells:,} cells, on {box.name}, {THREADS} threads")
    print(f"before: {peak_mib():,.0f} MiB; memory here: {measured_bandwidth(0.5, THREADS).bytes_per_s / 1e9:.1f} GB/s")

    each = rows(shapes, numbers)
    seconds, fits = best(lambda: fitting(each, free))
    print(f"every model by itself: {seconds:.3f} s, {cells / seconds / 1e6:,.0f} M cells/s, {fits:,} fit; peak {peak_mib():,.0f} MiB")
    moved = sum(term.nbytes for terms in each.pools.values() for term in terms) + each.refused[:, :, 0].nbytes
    print(f"  terms read: {moved / 2**20:,.0f} MiB, {moved / seconds / 1e9:.1f} GB/s")

    weight = numpy.bincount(shape_of[numbers], minlength=len(first))[used]
    few = rows(shapes, first[used])

    def grouped() -> int:
        found = ((room(few, free) >= 0) & ~few.refused).sum(axis=(1, 2))
        return int((found * weight).sum())

    seconds, again = best(grouped)
    assert again == fits
    print(f"the catalogue's {len(keys):,} models have {len(first):,} shapes; {len(used):,} of them were drawn")
    print(f"grouped into {len(used):,} shapes: {seconds * 1e3:.3f} ms for {few.refused.size:,} cells, which answer for the same {cells:,}")
    each_s = sorted(accounting())
    print(
        f"the terms themselves, worked out once: {each_s[len(each_s) // 2] * 1e3:.0f} ms a shape (median of {len(each_s)}); a shape's key: {keying / len(keys) * 1e6:.0f} µs"
    )


if __name__ == "__main__":
    main()
