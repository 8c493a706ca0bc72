"""The command line that starts SGLang with these settings."""

from __future__ import annotations

import shlex

from ...figure import plain
from ...model import ModelSpec
from ..serving.naming import checkpoint
from .settings import Settings


def command(model: ModelSpec, quant: str | None, settings: Settings) -> str:
    """`python -m sglang.launch_server …` with the length of a request and every setting that is not the server's default."""
    name, flag = checkpoint(model, quant)
    words = ["python", "-m", "sglang.launch_server", "--model-path", name, "--context-length", str(plain(settings.length))]
    if flag:
        words += ["--quantization", flag]
    usual = Settings()
    for option, field in (
        ("--tp-size", "tensor_parallel"),
        ("--pp-size", "pipeline_parallel"),
        ("--mem-fraction-static", "mem_fraction_static"),
        ("--kv-cache-dtype", "kv_cache_dtype"),
        ("--dtype", "dtype"),
        ("--page-size", "page_size"),
        ("--chunked-prefill-size", "chunked_prefill_size"),
        ("--cuda-graph-max-bs-decode", "cuda_graph_max_bs"),
        ("--max-total-tokens", "max_total_tokens"),
    ):
        value = plain(getattr(settings, field))
        if value != plain(getattr(usual, field)):
            words += [option, str(value)]
    if settings.expert_parallel:
        words += ["--ep-size", str(plain(settings.tensor_parallel))]
    if not settings.prefix_caching:
        words.append("--disable-radix-cache")
    return shlex.join(words)
