"""Published speed measurements (tests/data/speed_published.csv.xz) as cases: device, model, quantisation, what was run, tokens/s.

Each row keeps its source. Rows of a collection without a licence are not in the file. What a case leaves out, and why, is counted.
"""

from __future__ import annotations

import csv
import functools
import io
import lzma
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sizeup.errors import SizeupError
from sizeup.facts import data_json
from sizeup.probe import table
from sizeup.readers import read

TABLE = Path(__file__).parents[2] / "tests" / "data" / "speed_published.csv.xz"

LLAMA_CPP = {"llama.cpp": "", "llamacpp": "", "ollama / llama.cpp": "ollama", "ollama": "ollama"}
"""Engines in the table that are llama.cpp, and what stands around it."""

NAMES = {
    "llama 8B": "meta-llama/Meta-Llama-3-8B",
    "Llama 8B": "meta-llama/Meta-Llama-3-8B",
    "llama 70B": "meta-llama/Meta-Llama-3-70B",
    "gpt-oss 20B MXFP4 MoE": "openai/gpt-oss-20b",
    "gpt-oss 120B MXFP4 MoE": "openai/gpt-oss-120b",
    "qwen3moe 30B.A3B Q8_0": "Qwen/Qwen3-Coder-30B-A3B-Instruct",
    "qwen2 7B Q8_0": "Qwen/Qwen2.5-Coder-7B-Instruct",
    "gemma3 4B Q4_0": "google/gemma-3-4b-it",
    "deepseek2 30B.A3B Q8_0": "zai-org/GLM-4.7-Flash",
}
"""How llama-bench calls a model by its shape -> a catalogue model of that shape."""

MIXES = {"Q4_K_XL": "Q4_K_M", "Q8_K_XL": "Q8_0", "Q5_K_XL": "Q5_K_M", "Q4_K": "Q4_K_M", "MXFP4": "MXFP4_MOE", "MXFP4 MoE": "MXFP4_MOE"}
"""Mixes whose rule is not published -> the nearest known one, scaled to the bytes of the file where the row states them."""


DYNAMIC = "UD-"
"""Marks files whose maker gives each tensor a type of its own, so that the mix in the name is that of most experts only."""

MICRO_BATCH = 512
"""llama.cpp's, where a row does not say."""


class Case(NamedTuple):
    """One measured rate of one device."""

    device: str
    """The device table's name of it."""
    family: str
    backend: str
    bytes_per_s: float
    """Published bandwidth of its memory."""
    flops_per_s: float | None
    """Published dense half-precision rate; None when the vendor states none."""
    metric: str
    """"decode" or "prefill"."""
    model: str
    """The catalogue's id."""
    mix: str
    dynamic: bool
    """Whether the file is one of those marked `DYNAMIC`."""
    file_bytes: float | None
    tokens: int
    """Tokens decoded, or tokens of the prompt."""
    depth: int
    sequences: int
    micro_batch: int
    flash_attention: bool | None
    tokens_per_s: float
    quality: str
    clean: bool
    """A run of llama-bench; False for people's own runs through other programs."""
    source: str
    date: str


def cases(left_out: Counter[str] | None = None) -> Iterator[Case]:
    """Every row that is one device, llama.cpp, no speculation, a known model and a known mix."""
    out: Counter[str] = Counter() if left_out is None else left_out
    for row in csv.DictReader(io.StringIO(lzma.decompress(TABLE.read_bytes()).decode())):
        reason = _unfit(row)
        case = None if reason else _case(row)
        if case is None:
            out[reason or "model or mix not known"] += 1
        else:
            yield case


def _unfit(row: dict[str, str]) -> str:
    if row["engine"] not in LLAMA_CPP:
        return "another engine"
    if row["device_count"] != "1":
        return "several devices"
    if row["metric"] not in ("decode", "prefill", "decode_aggregate", "prefill_aggregate"):
        return "another metric"
    if re.search(r"pp\d+\+tg\d+", row["test"]):
        return "prompt and decoding as one rate"
    part = device_part(row["device"])
    if part is None or not part.bytes_per_s:
        return "device that the table does not know, or without a published bandwidth"
    if row["offload"] == "ngl=0" and row["device"].startswith(("NVIDIA", "AMD", "Intel Arc")):
        return "on the host of a card"
    return ""


def _case(row: dict[str, str]) -> Case | None:
    model, mix = model_of(row["model"]), MIXES.get(_mix(row), _mix(row))
    sequences = re.search(r"B=(\d+)", row["test"])
    depth = re.search(r"@d(\d+)", row["test"])
    size = re.search(r"(?:pp|tg|prompt ) ?(\d+)", row["test"])
    if model is None or not mix:
        return None
    part = device_part(row["device"])
    assert part is not None
    prompt = "prefill" in row["metric"]
    tokens = int(size[1]) if size else (512 if prompt else 128)
    flash = {"1": True, "0": False}.get(row["flash_attn"])
    return Case(
        part.name,
        part.family,
        _backend(row),
        part.bytes_per_s or 0.0,
        part.fp16_flops,
        "prefill" if prompt else "decode",
        model,
        mix,
        DYNAMIC in row["model"] or DYNAMIC in row["quant"],
        float(row["file_size_GiB"]) * 2**30 if row["file_size_GiB"] else None,
        tokens,
        int(depth[1]) if depth else 0,
        int(sequences[1]) if sequences else 1,
        int(micro[1]) if (micro := re.search(r"ub(\d+)", row["n_batch"])) else MICRO_BATCH,
        flash,
        float(row["tokens_per_s"]),
        row["quality"],
        row["engine"] == "llama.cpp",
        row["source"],
        row["date"],
    )


def _backend(row: dict[str, str]) -> str:
    """The kind of backend as the row states it, else the usual one of the vendor."""
    said = row["backend"].lower()
    if row["offload"] == "cpu" or row["device_family"].startswith("CPU"):
        return "cpu"
    if found := next((kind for word, kind in data_json("speed_rates.json")["backends"].items() if word in said), ""):
        return str(found)
    usual = {"NVIDIA": "cuda", "Apple": "metal", "AMD": "rocm", "Intel": "vulkan"}
    return usual.get(row["device_family"].split()[0], "cpu")


def _mix(row: dict[str, str]) -> str:
    """The mix as the row or the file's name says it."""
    name = re.search(r"(?i)(UD-)?((?:I?Q\d\w*)|BF16|F16|MXFP4)$", row["model"])
    return row["quant"].removeprefix("UD-").upper().replace("MOE", "MoE") or (name[2].upper() if name else "")


@functools.cache
def device_part(device: str) -> table.Part | None:
    """The row of the device table, by the name that `sizeup.machine` takes."""
    try:
        return table.part(device)[0]
    except SizeupError:
        return None


_known: dict[str, str | None] = {}


def model_of(name: str) -> str | None:
    if name not in _known:
        _known[name] = NAMES.get(name) or _found(name)
    return _known[name]


def _found(name: str) -> str | None:
    """The catalogue's id of a file's or a tag's name; None when it has none, or the model is another maker's variant."""
    bare = re.sub(r"(?i)[-.](UD-)?(i1-)?(I?Q\d\w*|BF16|F16|MXFP4)(-fp16)?$", "", name.rsplit("/", 1)[-1])
    for spelling in (bare, bare.replace("_", "/", 1), bare.replace(" ", "-")):
        try:
            found = read(spelling)
        except SizeupError:
            continue
        return found.name
    return None
