"""Several unequal devices: what llama.cpp allocated on each, beside what sizeup says.

The rows (2026-11-21) are starts of xllamacpp 2026.10.11549 with two or four accounting devices whose shares of the layers are
3:1 and 3:1:2:1; every allocation was real. "real" rows loaded the weights; "dry" rows only counted them, which changes the
graph's copies between devices, so that their compute buffers say nothing about a run.
"""

from __future__ import annotations

import csv
import functools
import io
import lzma
from pathlib import Path
from typing import Any

from sizeup.engines.llamacpp import ENGINE
from sizeup.engines.llamacpp.settings import Settings
from sizeup.plan import Breakdown
from tests import truth

TABLE = Path(__file__).parent / "data" / "multi_device.csv.xz"


@functools.cache
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(lzma.decompress(TABLE.read_bytes()).decode())))


def settings(row: dict[str, str]) -> Settings:
    layers, outputs = row["gpu_layers"], row["outputs"]
    return Settings(
        **{name: int(row[name]) for name in ("gpus", "cpu_moe_layers", "context_tokens", "sequences", "micro_batch_tokens")},
        k=row["k"],
        v=row["v"],
        flash_attention="auto" if row["flash_attention"] == "auto" else False,
        unified_cache=row["unified_cache"] == "1",
        op_offload=row["op_offload"] == "1",
        outputs=outputs if outputs == "library" else int(outputs),
        gpu_layers=layers if layers == "all" else int(layers),
        tensor_split=tuple(map(float, row["tensor_split"].split(":"))),
        cpu_features=("avx2",),
    )


def account(row: dict[str, str]) -> tuple[Breakdown, list[str]]:
    """What sizeup says, and the pools in the table's order: devices, then the host."""
    asked = settings(row)
    found = ENGINE.account(truth.spec(f"{row['model']}-{row['ftype']}"), None, asked)
    return found, [*(f"vram:{device}" for device in range(asked.gpus)), "ram"]


def measured(row: dict[str, str], column: str) -> list[int]:
    return list(map(int, row[column].split(":")))


def test_every_device_caches_what_the_engine_gave_it() -> None:
    """Law: cache and state of every device, and of the host, equal the engine's to the byte."""
    assert len(rows()) == 436
    wrong: list[Any] = []
    for row in rows():
        found, pools = account(row)
        said = [found.bytes("cache", pool) + found.bytes("state", pool) for pool in pools]
        if said != measured(row, "cache"):
            wrong.append((row["model"], said, measured(row, "cache")))
    assert wrong == []


def test_compute_buffers_of_every_device() -> None:
    """Of 108 runs at least 97 are equal on every device; the others (LFM2, one Qwen3.5) within 10 % on each, 10 of 11 within 1 %."""
    errors = []
    for row in rows():
        if row["stage"] == "real":
            found, pools = account(row)
            pairs = zip((found.bytes("compute", pool) for pool in pools), measured(row, "compute"), strict=True)
            errors.append(max(abs(said / real - 1) for said, real in pairs))
    print(f"\n{len(errors)} runs: {sum(not e for e in errors)} equal, {sum(e <= 0.01 for e in errors)} within 1 %, worst {max(errors):.1%}")
    assert len(errors) == 108
    assert sum(not error for error in errors) >= 97
    assert sum(error <= 0.01 for error in errors) >= 107
    assert max(errors) <= 0.10
