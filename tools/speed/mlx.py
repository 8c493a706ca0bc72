"""What MLX makes of Apple's chips beside llama.cpp's Metal: two factors on the same rates, fitted to published runs of mlx-lm.

    python -m tools.speed.mlx        fits the factors, writes them into data/speed_rates.json and the section of docs/speed.md

All runs are of one device, so no device can be left out; each model is. How far other chips are off nobody published.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sizeup.engines import engine
from sizeup.facts import DATA
from sizeup.rates import generation, kinds, known, spread
from sizeup.readers import read
from sizeup.roofline import load, terms

from .cases import TABLE, device_part, model_of

PAGE = Path(__file__).parents[2] / "docs" / "speed.md"
FACTS = DATA / "speed_rates.json"
ON = "metal"
"""The backend whose rates MLX's are told beside."""
DEPTH_TOKENS = 150
"""Half an answer of the 300 tokens that such a run makes."""
BELIEF = (0.1, 0.2)
"""How far the factors of bandwidth and of layers may lie from 1 before a run is seen: standard deviations of the logarithm."""
NOISE = 0.06
TITLE = "## MLX, decode"


class Run(NamedTuple):
    """One published run with what llama.cpp's Metal rates make of what mlx-lm reads in a step."""

    model: str
    device: str
    family: str
    moe: bool
    memory_s: float
    fixed_s: float
    rest_s: float
    measured_s: float

    def seconds(self, factors: Sequence[float]) -> float:
        """With these factors of the bandwidth reached and of a layer's fixed time."""
        return self.memory_s / factors[0] + self.fixed_s * factors[1] + self.rest_s


def runs(left_out: Counter[str]) -> list[Run]:
    """Every run of mlx-lm whose model the catalogue has."""
    found, mlx = [], engine("mlx")
    for row in csv.DictReader(io.StringIO(lzma.decompress(TABLE.read_bytes()).decode())):
        if row["engine"] != "mlx":
            continue
        part, model = device_part(row["device"]), model_of(re.sub(r"(-MXFP4)?-(Q?4|4bit)$", "", row["model"]))
        if part is None or model is None or not part.bytes_per_s:
            left_out[row["model"]] += 1
            continue
        quant = "mlx-mxfp4" if "MXFP4" in row["model"] else "mlx-4bit-g64"
        (work,) = mlx.work(read(model), quant, mlx.Settings(), 1, DEPTH_TOKENS, 1)
        pace = known(part.name, part.family, ON, part.bytes_per_s, part.fp16_flops).pace
        spent = terms(load(work, kinds()), pace)
        memory, rest, fixed = float(spent.memory), float(spent.compute), float(spent.fixed)
        found.append(Run(model, part.name, part.family, work.expert_layers > 0, memory, fixed, rest, 1 / float(row["tokens_per_s"])))
    return found


def fitted(rows: Sequence[Run]) -> tuple[float, float]:
    """The two factors: least squares of the logarithm of seconds, drawn towards 1."""
    logs = np.zeros(2)
    memory, fixed, rest, measured = (np.array([getattr(row, name) for row in rows]) for name in Run._fields[4:])
    for _ in range(20):
        parts = memory / np.exp(logs[0]), fixed * np.exp(logs[1])
        whole = parts[0] + parts[1] + rest
        slopes = np.stack([-parts[0] / whole, parts[1] / whole], axis=1) / NOISE
        a = np.vstack([slopes, np.diag(1 / np.array(BELIEF))])
        b = np.concatenate([np.log(measured / whole) / NOISE, -logs / np.array(BELIEF)])
        logs = logs + np.linalg.lstsq(a, b, rcond=None)[0]
    return float(np.exp(logs[0])), float(np.exp(logs[1]))


def errors(rows: Sequence[Run], fit: bool) -> list[float]:
    """Predicted over measured rate, less one: by Metal's rates as they are, or fitted without the run's own model."""
    return [
        row.measured_s / row.seconds(fitted([other for other in rows if other.model != row.model]) if fit else (1.0, 1.0)) - 1
        for row in rows
    ]


def facts(rows: Sequence[Run]) -> dict[str, Any]:
    """The entry of data/speed_rates.json."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update((row.device, generation(row.family)))
    left = np.abs(errors(rows, True))
    return {
        "what": "Factors on the rates of another backend of the same device: bandwidth reached, fixed time of a layer. Decoding only.",
        "on": ON,
        "read": float(f"{fitted(rows)[0]:.4g}"),
        "layer": float(f"{fitted(rows)[1]:.4g}"),
        "runs": dict(counts),
        "left_out_error": {"median": float(f"{np.median(left):.3g}"), "largest": float(f"{left.max():.3g}"), "by": "model; one device"},
        "source": "fitted by tools/speed/mlx.py to runs of mlx-lm that users of llmfit published (tests/data/speed_published.csv.xz)",
    }


def section(rows: Sequence[Run], left_out: Counter[str]) -> str:
    """The page's section."""
    device = ", ".join(sorted({row.device for row in rows}))
    lines = [
        TITLE,
        "",
        f"{len(rows)} answers of about 300 tokens by mlx-lm, 4 bits, all on one device ({device}; rates that users of llmfit published, prompt",
        "included), against the bytes that mlx-lm reads. Before: llama.cpp's Metal rates of that device as they are. After: with the two factors",
        "that were fitted (bandwidth, fixed time of a layer), each model predicted without its own run. No device could be left out, as there is",
        "one: chips of its generation get the interval of a family, all others the widest. Nobody published prompts under MLX, so their speed",
        f"stays unknown. Not in the catalogue: {', '.join(sorted(left_out))}. Rates of Ollama's MLX runner (16 rows) name no number format, and some",
        "are beyond the bandwidth, so they draft: not used.",
        "",
        "| runs of | runs | before: median | largest | after: median | largest | interval holds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, moe in (("dense", False), ("MoE", True), ("all", None)):
        chosen = [number for number, row in enumerate(rows) if moe is None or row.moe == moe]
        cells = [name, str(len(chosen))]
        for fit in (False, True):
            found = np.abs(np.array(errors(rows, fit)))[chosen]
            cells += [f"{np.median(found):.1%}", f"{found.max():.0%}"]
        cells.append(f"{np.mean([_holds(rows[number], errors(rows, True)[number]) for number in chosen]):.0%}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _holds(row: Run, error: float) -> bool:
    low, high = spread("decode", "device", row.moe)
    return low <= 1 / (1 + error) <= high


def written(page: str, new: str) -> str:
    """The page with its section of MLX replaced, or put before the rows that were not used."""
    bare = re.sub(rf"{re.escape(TITLE)}\n.*?(?=\n## |\Z)", "", page, flags=re.DOTALL)
    at = bare.index("## Rows that were not used")
    return bare[:at].rstrip("\n") + "\n\n" + new + "\n" + bare[at:]


def main() -> None:
    left_out: Counter[str] = Counter()
    rows = runs(left_out)
    told = json.loads(FACTS.read_text())
    told["engines"] = {"mlx": facts(rows)}
    FACTS.write_text(json.dumps(told, indent=1) + "\n")
    PAGE.write_text(written(PAGE.read_text(), section(rows, left_out)))


if __name__ == "__main__":
    main()
