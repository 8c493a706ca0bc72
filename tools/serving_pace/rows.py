"""Published runs of servers under load, with what the product counts of them.

Two tables of tests/data: serving_loads.csv has runs of vLLM 0.15.1 on H100 whose arrivals are known; of serving_throughput.csv the
anchors of AIConfigurator are taken, which are closed loops of so many users.

Prompts of the first kind repeat: the load generator (inference-perf, shared_prefix_datagen.py) goes round a list of 23 to 50, and the
servers ran with prefix caching. So only the first time round reads a whole prompt, afterwards its last block.
"""

from __future__ import annotations

import csv
import functools
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import sizeup
from sizeup.engines import engine
from sizeup.engines.serving.engine import ServingEngine
from sizeup.engines.serving.formats import format_of
from sizeup.engines.serving.load import Load, Replica, Request, at_concurrency, at_rate
from sizeup.engines.serving.replicas import Stages, replica, staged
from sizeup.engines.serving.step_time import Pace

DATA = Path(__file__).parents[2] / "tests" / "data"
LAST_BLOCK = 8
"""Tokens of a cached prompt that are read anyway: half a block of 16, on average."""
LOADED = 0.25
"""A run is unloaded when requests come at a rate of their own and fill less than so much of the places (rate x measured duration)."""
MODELS = {
    "RedHatAI/Llama-4-Scout-17B-16E-Instruct-FP8-dynamic": ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "fp8-dynamic"),
    "Qwen/Qwen3-235B-A22B-FP8": ("Qwen/Qwen3-235B-A22B", "fp8"),
}
"""Checkpoints of others: the model and the format."""
SAME = {"DeepSeek-V3": "DeepSeek-R1"}
"""Models of one shape are left out together."""


class Run(NamedTuple):
    """One measurement; times in seconds."""

    name: str
    part: float
    """Its share of the requests of all parts with this name."""
    engine: str
    model: str
    quant: str | None
    gpu: str
    ranks: int
    rate: float | None
    users: int | None
    request: Request
    places: int
    chunk_tokens: int
    ttft_s: float
    itl_s: float
    """As the table has it."""
    token_s: float
    """(whole time - first token) / (tokens asked for - 1), where the whole time is known: the table's divides by the tokens that a
    tokenizer found in the text, up to a fifth fewer."""
    p90_s: float | None
    fill: float | None
    """Requests at the same time over the places; None in a closed loop."""

    @property
    def group(self) -> str:
        """What is left out together with it."""
        name = self.model.rpartition("/")[2]
        return SAME.get(name, name)

    @property
    def unloaded(self) -> bool:
        return self.state == "unloaded"

    @property
    def state(self) -> str:
        """ "closed" of a closed loop, else by how many of the places are filled."""
        return "closed" if self.fill is None else "unloaded" if self.fill < LOADED else "loaded"

    @property
    def replica(self) -> Replica:
        """The server, as the product counts it."""
        stages = _stages(self.engine, self.model, self.quant, self.gpu, self.ranks)
        return replica(stages, self.places, self.chunk_tokens)

    @property
    def experts(self) -> bool:
        return any(stage.expert_layers for stage, _ in self.replica.stages)

    def predicted(self, pace: Pace) -> Load:
        """What the product says of it with these coefficients."""
        server = self.replica._replace(pace=pace)
        return at_rate(server, self.request, self.rate) if self.rate is not None else at_concurrency(server, self.request, self.users)


@functools.cache
def _stages(name: str, model: str, quant: str | None, gpu: str, ranks: int) -> Stages:
    chosen, spec = engine(name), sizeup.read(model)
    assert isinstance(chosen, ServingEngine)
    settings, form = chosen.Settings(tensor_parallel=ranks), format_of(spec, quant)
    found = staged(sizeup.machine(f"{ranks}x {gpu}" if ranks > 1 else gpu), spec, form, ranks, 1, chosen.kept(spec, quant, settings))
    assert found is not None
    return found


def open_loops() -> list[Run]:
    """Runs whose arrivals are known; those with two rates are two parts."""
    found = []
    rows = table("serving_loads.csv")
    requests: Counter[str] = Counter()
    for row in rows:
        requests[row["run"]] += int(row["requests"])
    for row in rows:
        model, quant = MODELS.get(row["model"], (row["model"], None))
        prompt, answer, count = int(row["prompt_tokens"]), int(row["answer_tokens"]), int(row["requests"])
        cached = (prompt - LAST_BLOCK) * (1 - int(row["first_seen"]) / count)
        first, whole, rate, places = (float(row[name]) for name in ("ttft_ms", "e2e_ms", "requests_per_s", "max_num_seqs"))
        found.append(
            Run(
                name=row["run"],
                part=count / requests[row["run"]],
                engine="vllm",
                model=model,
                quant=quant,
                gpu=row["gpu"],
                ranks=int(row["tp"]),
                rate=rate,
                users=None,
                request=Request(prompt, answer, cached),
                places=int(places),
                chunk_tokens=int(row["max_num_batched_tokens"]),
                ttft_s=first / 1e3,
                itl_s=float(row["itl_ms"]) / 1e3,
                token_s=(whole - first) / (answer - 1) / 1e3,
                p90_s=float(row["ttft_p90_ms"]) / 1e3,
                fill=rate * whole / 1e3 / places,
            )
        )
    return found


def closed_loops(left_out: Counter[str]) -> list[Run]:
    """Anchors that say how many users there were and how the model was split."""
    found = []
    for row in table("serving_throughput.csv"):
        if "sim-to-real" in row["source"]:
            continue
        if not row["itl_ms"]:
            kind = "MLPerf, second-hand" if row["engine"].startswith("mlperf") else "TensorRT-LLM, published maxima"
            left_out[f"{kind}: throughput only, neither a first token nor time between tokens"] += 1
        elif row["note"] == "disagg":
            left_out["disaggregated prefill and decode: cards and split not stated"] += 1
        else:
            found.append(_anchor(row))
    return found


def _anchor(row: dict[str, str]) -> Run:
    model, quant = MODELS.get(row["model"], (row["model"], {"fp8": "fp8", "fp4": "nvfp4", "": None}[row["precision"]]))
    return Run(
        name=row["source"].rpartition("id=")[2],
        part=1.0,
        # TensorRT-LLM shares tensors and caches as vLLM does.
        engine="sglang" if row["engine"] == "sglang" else "vllm",
        model=model,
        quant=quant,
        gpu=row["gpu"].removesuffix("_sxm"),
        ranks=int(row["tp"]),
        rate=None,
        users=int(row["concurrency"]),
        request=Request(int(row["isl"]), int(row["osl"])),
        places=1024,
        chunk_tokens=8192,
        ttft_s=float(row["ttft_ms"]) / 1e3,
        itl_s=float(row["itl_ms"]) / 1e3,
        token_s=float(row["itl_ms"]) / 1e3,
        p90_s=None,
        fill=None,
    )


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table of tests/data."""
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def truth() -> dict[str, str]:
    """Runs of serving_throughput.csv that are scored: name -> the engine that served them."""
    found = {}
    for row in table("serving_throughput.csv"):
        if "sim-to-real" in row["source"]:
            found[row["source"].rpartition("exp ")[2]] = row["engine"]
        elif row["itl_ms"] and row["note"] == "agg":
            found[row["source"].rpartition("id=")[2]] = row["engine"]
    return found
