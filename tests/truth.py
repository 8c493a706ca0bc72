"""The table of what llama.cpp really allocated, as typed rows. Source: measured with xllamacpp 2026.10.11549 on 2026-11-21
(x86-64 with AVX2 and AVX-512, 2 cores, 24 GB; GPU rows by an accounting-only device that lays out as CUDA does)."""

from __future__ import annotations

import csv
import functools
import lzma
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ghosts import unpack

TABLE = Path(__file__).parent / "data" / "llamacpp_truth.csv.xz"


@dataclass(frozen=True)
class Row:
    """One measured allocation: the settings in the words of sizeup, the engine's answer in `bytes`."""

    number: int
    model: str
    ftype: str
    architecture: str
    ok: bool
    error: str
    stage: str
    backend: str
    load: str
    settings: dict[str, Any]
    flash_attention_on: bool
    raw: dict[str, str]

    @property
    def ghost(self) -> str:
        return f"{self.model}-{self.ftype}"

    def bytes(self, column: str) -> int:
        """A byte column of the table; 0 when it is blank."""
        return int(self.raw[column] or 0)


@functools.cache
def rows() -> tuple[Row, ...]:
    """All rows in the table's order, refusals included."""
    with lzma.open(TABLE, "rt", newline="") as file:
        return tuple(_row(number, raw) for number, raw in enumerate(csv.DictReader(file)))


def _row(number: int, raw: dict[str, str]) -> Row:
    layers = int(raw["block_count"] or 0)
    gpu_layers = int(raw["ngl"] or 0)
    settings: dict[str, Any] = {
        "context_tokens": int(raw["n_ctx"]),
        "sequences": int(raw["n_parallel"]),
        "batch_tokens": int(raw["n_batch"]),
        "micro_batch_tokens": int(raw["n_ubatch"]),
        "k": raw["ctk"],
        "v": raw["ctv"],
        "flash_attention": {"auto": "auto", "on": True, "off": False}[raw["fa"]],
        "unified_cache": raw["kv_unified"] == "1",
        "swa_full": raw["swa_full"] == "1",
        "outputs": int(raw["n_outputs_max"]) if raw["n_outputs_max"] else "library",
        "embeddings": raw["embeddings"] == "1",
        "repack": raw["repack"] == "1",
        "mmap": raw["load"] in ("mmap", "default"),
        "gpu_layers": "all" if gpu_layers == 999 else gpu_layers,
        "cpu_moe_layers": {"": 0, "cpu-moe": "all", "n-cpu-moe-half": layers // 2}[raw["override"]],
    }
    return Row(
        number,
        raw["model"],
        raw["ftype"],
        raw["arch"],
        raw["ok"] == "1",
        raw["error"],
        raw["stage"],
        raw["backend"],
        raw["load"],
        settings,
        raw["fa_on"] == "1",
        raw,
    )


@functools.cache
def spec(name: str) -> Any:
    """The model of this ghost, read from its header; the real file's rows have none."""
    from sizeup.readers.gguf import read_headers
    from sizeup.readers.gguf_model import spec_from_gguf

    with tempfile.TemporaryDirectory() as folder:
        return spec_from_gguf(read_headers(unpack(name, Path(folder))))
