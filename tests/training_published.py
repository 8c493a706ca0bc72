"""Published training measurements with complete settings, and what sizeup says of each."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import sizeup
from sizeup.training.parallel import Split
from sizeup.training.result import Training

ROWS = list(csv.DictReader((Path(__file__).parent / "data" / "train_published.csv").read_text().splitlines()))

OUTLIER = 0.2

REASONS = {
    (
        "allocated",
        "FSDP",
    ): "litgpt loads the whole model on every device before it is sharded; the maximum is the loading's, not the step's",
    ("allocated", "qlora"): "litgpt's own 4-bit layers keep more for the backward pass than PEFT's and bitsandbytes 0.50's do",
    ("allocated", "phi"): "litgpt's own Phi keeps other tensors than the code of transformers does",
    ("process", "gptq"): "GPTQ kernels of 2023 (fp16, group scales, dequantised in the forward pass), counted here as NF4",
    ("process", "full"): "DeepSpeed's flat fp32 gradient partition and reduce buckets beside the 16 bytes a parameter that are counted",
}
"""Why a row is further off than OUTLIER: the tool's own ways that the row's settings do not say."""


class Compared(NamedTuple):
    """A row, what was answered, and the relative error of the figure that the row is of."""

    row: dict[str, str]
    training: Training
    error: float

    @property
    def group(self) -> str:
        tool = "Qwen README" if self.row["figure"] == "process" else "litgpt tables"
        return f"{tool}, {self.row['method']}, {'one device' if self.row['devices'] == '1' else 'several devices'}"

    @property
    def reason(self) -> str:
        about = f"{self.row['model']} {self.row['method']} {self.row['parallelism']}".lower()
        return next((why for (figure, word), why in REASONS.items() if figure == self.row["figure"] and word.lower() in about), "")


@functools.cache
def model(name: str) -> Any:
    return sizeup.read(name)


def settings(row: dict[str, str]) -> dict[str, Any]:
    """The recipe of a row, as its source states it or its tool does it."""
    method = "full" if row["method"].startswith("full") else "qlora" if row["method"].startswith("qlora") else "lora"
    common: dict[str, Any] = {
        "method": method,
        "micro_batch": int(row["batch"]),
        "sequence_tokens": int(row["sequence"]),
        "checkpointing": row["checkpointing"] == "on",
        "rank": int(row["rank"] or 16),
        "targets": row["targets"] or "all-linear",
    }
    devices = int(row["devices"])
    if row["figure"] == "allocated":
        dtype: dict[str, Any] = {"dtype": "bf16", "adapter_dtype": "base", "kbit_prep": False, "double_quant": "dq" in row["method"]}
        return {**common, **dtype, **({"split": Split(data=devices, zero=3)} if devices > 1 else {})}
    dtype = {"full": {"dtype": "bf16-master"}, "lora": {"dtype": "amp"}, "qlora": {"dtype": "fp16", "kbit_prep": False}}[method]
    stage = 3 if "ZeRO-3" in row["parallelism"] else 2
    return {**common, **dtype, "accumulate": True, **({"split": Split(data=devices, zero=stage)} if devices > 1 else {})}


def compared() -> Iterator[Compared]:
    """Every row with its answer."""
    for row in ROWS:
        training = sizeup.train(model(row["model"]), **settings(row))
        told = {"process": training.process_bytes, "allocated": training.allocated_bytes}[row["figure"]]
        yield Compared(row, training, told / int(row["measured_bytes"]) - 1)
