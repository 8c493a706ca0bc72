"""Logs of engines as people have them, read: `readings(raw)` finds every start in the bytes of a file.

Nothing is looked up and nothing is compared here; what the log does not say is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sizeup.errors import Unreadable

from .llamacpp import LlamaCpp
from .ollama import Ollama
from .reading import Buffer as Buffer
from .reading import Card as Card
from .reading import LoggedModel as LoggedModel
from .reading import Reading as Reading
from .sglang import Sglang
from .text import MOST_BYTES as MOST_BYTES
from .text import decoded, lines
from .vllm import Vllm

MOST_STARTS = 256
"""Starts of one file that are told: the last ones."""

SAMPLE, SHOWN = 10_000, 400
"""Lines, and characters of each, by which an engine is recognised; the next ones where these tell nothing."""

SIGNS: dict[str, tuple[str, ...]] = {
    "ollama": (r"\bsource=\w+\.go:\d+ msg=", r"msg=\"?(?:offload|llama runner|inference compute|model weights)", r"Listening on \S+ \(version "),
    "sglang": (r"server_args=(?:ServerArgs)?[({]", r"Load weight (?:begin|end)\.", r"KV Cache is allocated\.", r"max_total_num_tokens=\d", r"Memory pool end\.", r"Capture \w+ graph (?:begin|end)\.", r"gen throughput \(token/s\)"),
    "vllm": (
        r"vLLM API server version", r"LLM engine \(v", r"\bgpu_worker\.py:\d", r"\bgpu_model_runner\.py:\d", r"GPU KV cache size: ", r"# (?:GPU|cuda|CUDA) blocks: ",
        r"Available KV cache memory: ", r"PyTorch activation peak memory", r"Loading model weights took ", r"Maximum concurrency for [\d,]+ tokens", r"Avg prompt throughput: ",
    ),
    "llama.cpp": (
        r"\bllama_model_loader: ", r"\bllm_load_\w+: ", r"\bload_tensors: ", r"\bllama_(?:new_context_with_model|init_from_model|context|kv_cache\w*|memory\w*|model_load\w*|init_from_file): ",
        r"\bprint_info: ", r"\bsched_reserve: ", r"llama_p(?:erf|rint_timings)", r"\beval time += +[\d.]+ ms /", r"memory_breakdown_print: ", r"\bggml_(?:cuda|vulkan|metal)\w*: ", r"(?:compute|KV|model|output|RS) buffer size +=",
        r"\| +(?:pp|tg)\d+ \|", r"load_model: loading model '",
    ),
}  # fmt: skip
"""What only this engine writes; Ollama's lines stand before its runner's."""
_SIGNS = {engine: re.compile("|".join(patterns)) for engine, patterns in SIGNS.items()}
READERS: dict[str, Callable[[], LlamaCpp | Vllm | Sglang]] = {"ollama": Ollama, "sglang": Sglang, "vllm": Vllm, "llama.cpp": LlamaCpp}


def readings(raw: bytes, name: str = "it") -> list[Reading]:
    """Every start that a log holds, in its order. Raises Unreadable where no engine's lines are found."""
    rows = lines(decoded(raw))
    engine = recognised(rows)
    if engine is None:
        raise Unreadable(f"{name} is no log of an engine that sizeup knows.", "a log of llama.cpp, Ollama, vLLM or SGLang")
    reader = READERS[engine]()
    for number, line in rows:
        reader.read(number, line)
    return [record.reading() for record in reader.done()[-MOST_STARTS:]]


def recognised(rows: list[tuple[int, str]]) -> str | None:
    """The engine that wrote most of what can be told apart; None when nothing can."""
    found = dict.fromkeys(_SIGNS, 0)
    for start in range(0, len(rows), SAMPLE):
        shown = [line[:SHOWN] for _, line in rows[start : start + SAMPLE]]
        found = {engine: sum(1 for line in shown if pattern.search(line)) for engine, pattern in _SIGNS.items()}
        if any(found.values()):
            break
    if found["ollama"]:
        return "ollama"  # its runner writes more lines than it does itself
    best = max(found, key=lambda engine: found[engine])
    return best if found[best] else None
