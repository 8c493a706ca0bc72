"""Cases with what their steps move and compute, by the product's own counting; as rows, and side by side as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sizeup.engines import engine
from sizeup.errors import SizeupError
from sizeup.model import ModelSpec
from sizeup.rates import kinds
from sizeup.readers import read
from sizeup.roofline import Load, Reads, load

from .cases import Case, cases

Array = np.ndarray[Any, np.dtype[np.float64]]


class Row(NamedTuple):
    """A case with its counted work."""

    case: Case
    load: Load
    seconds: float
    """Measured time of one step."""


def row(case: Case) -> Row:
    """The case's work by the engine's rules: one decode step at its mean depth, or one micro-batch of its prompt."""
    model = read(case.model)
    prompt = case.metric == "prefill"
    step = max(1, min(case.tokens, case.micro_batch // case.sequences)) if prompt else 1
    depth = case.depth + (case.tokens - step) // 2
    llama = engine("llama.cpp")
    settings = llama.Settings(context_tokens=(case.depth + case.tokens + 256) * case.sequences, sequences=case.sequences, gpu_layers="all")

    def counted(mix: str) -> Load:
        parts = llama.work(model, mix, settings, tokens=step, depth_tokens=depth, sequences=case.sequences)
        return joined([load(part, kinds()) for part in parts])

    whole = counted(case.mix)
    routed, rest = _stored(model, case.mix)
    if case.dynamic and routed:
        whole = sized(case, whole, counted(KEPT), routed, _stored(model, KEPT)[1])
    elif case.file_bytes and 0.6 < (scale := case.file_bytes / (routed + rest)) < 1.6:
        whole = whole._replace(reads=tuple(read._replace(bytes=read.bytes * scale) for read in whole.reads))
    return Row(case, whole, step * case.sequences / case.tokens_per_s)


KEPT = "Q8_0"
"""What dynamic files keep all but the routed experts in: attention, states, shared experts and the head.

Seen in Qwen3.6-35B-A3B (github.com/gittensor-ai-lab/sparkinfer, pull requests 224, 355 and 360, 2026-07), and the sizes of the files of
Qwen3.5, Qwen3.6 and Gemma 4 come to that within 4 %.
"""


def sized(case: Case, mixed: Load, kept: Load, routed: float, rest: float) -> Load:
    """A dynamic file's step: the rest is read as `KEPT`, and experts share what that leaves of the file.

    In a file of 8 bits the rest is what is wider still, up to 16 bits, as far as the experts leave room for it.
    """
    thin = wide = 1.0
    if case.file_bytes:
        if case.mix == KEPT:
            wide = min(max((case.file_bytes - routed) / rest, 1.0), 16 / 8.5)
        thin = (case.file_bytes - wide * rest) / routed
    experts = (read._replace(bytes=read.bytes * thin) for read in mixed.reads if read.routed)
    others = (read._replace(bytes=read.bytes * wide) for read in kept.reads if not read.routed)
    return mixed._replace(reads=(*experts, *others))


def _stored(model: ModelSpec, mix: str) -> tuple[float, float]:
    """Bytes of routed experts, and of everything else."""
    tensors = engine("llama.cpp").tensors(model, mix)
    routed = sum(tensor.bytes for tensor in tensors if "_exps" in tensor.name)
    return routed, sum(tensor.bytes for tensor in tensors) - routed


def joined(loads: Sequence[Load]) -> Load:
    """Work on one device, whatever its pools."""
    reads = tuple(read for part in loads for read in part.reads)
    sums = (sum(part[i] for part in loads) for i in range(1, 5))
    cache, mixing, layers, experts = sums
    return Load(reads, cache, mixing, layers, experts, max(part.tokens for part in loads))


CLASSES = ("f16", "bf16", "q8", "q4", "mx", "k", "iq")
"""Classes of number formats that engines have kernels of one kind for (data/speed_rates.json, formats)."""


class Columns(NamedTuple):
    """Rows side by side, one number each."""

    load: Load
    seconds: Array
    bytes_per_s: Array
    flops_per_s: Array
    """Infinite where the vendor states none: the term vanishes."""


def columns(rows: Sequence[Row]) -> Columns:
    """The same work as arrays: two reads for each class, of all tokens' weights and of routed experts."""
    reads = []
    for kind in CLASSES:
        for routed in (False, True):
            parts = [[read for read in r.load.reads if (read.kind, read.routed) == (kind, routed)] for r in rows]
            sums = [np.array([sum(float(read[i]) for read in found) for found in parts]) for i in (1, 2)]
            least = np.array([min((float(read.rows) for read in found), default=1.0) for found in parts])
            reads.append(Reads(kind, sums[0], sums[1], least, routed))
    rest = [np.array([float(r.load[i]) for r in rows]) for i in range(1, 6)]
    return Columns(
        Load(tuple(reads), *rest),
        np.array([r.seconds for r in rows]),
        np.array([r.case.bytes_per_s for r in rows]),
        np.array([r.case.flops_per_s or np.inf for r in rows]),
    )


def usable(left_out: Counter[str], chosen: Iterable[Case] | None = None) -> list[Row]:
    """Rows that can be true: neither faster than the bandwidth and the arithmetic allow, nor slower than a thirtieth of it."""
    rows = []
    for case in cases(left_out) if chosen is None else chosen:
        if case.metric == "prefill" and case.flops_per_s is None:
            left_out["prefill, device without a published arithmetic rate"] += 1
            continue
        try:
            found = row(case)
        except SizeupError:
            left_out["engine refuses it"] += 1
            continue
        moved = sum(read.bytes for read in found.load.reads) + found.load.cache_bytes
        flops = sum(read.flops for read in found.load.reads)
        share = max(moved / case.bytes_per_s, flops / (case.flops_per_s or np.inf)) / found.seconds
        if not 0.03 < share < (1.3 if case.metric == "prefill" else 1.05) and not (
            case.metric == "prefill" and share > 0.005 and share < 1.3
        ):
            left_out["implausible: beyond the roofline, or spilled"] += 1
            continue
        rows.append(found)
    return rows
