"""The command line that starts vLLM with these settings."""

from __future__ import annotations

import shlex

from ...errors import Refused
from ...figure import plain
from ...model import ModelSpec
from ..serving.naming import checkpoint
from .account import account
from .settings import Settings


def command(model: ModelSpec, quant: str | None, settings: Settings) -> str:
    """`vllm serve …` with the length of a request and every setting that is not the server's default."""
    name, quantization = checkpoint(model, quant)
    words = ["vllm", "serve", name]

    def option(flag: str, value: object) -> None:
        if value is not None:
            words.extend((flag, str(plain(value))))

    option("--max-model-len", settings.length)
    option("--quantization", quantization or None)
    usual = Settings()
    for flag, field in (
        ("--tensor-parallel-size", "tensor_parallel"),
        ("--pipeline-parallel-size", "pipeline_parallel"),
        ("--gpu-memory-utilization", "gpu_memory_utilization"),
        ("--kv-cache-dtype", "kv_cache_dtype"),
        ("--dtype", "dtype"),
        ("--block-size", "block_size"),
        ("--num-gpu-blocks-override", "num_blocks"),
        ("--kv-cache-memory-bytes", "kv_cache_bytes"),
        ("--max-num-seqs", "max_num_seqs"),
        ("--max-num-batched-tokens", "max_num_batched_tokens"),
    ):
        if plain(getattr(settings, field)) != plain(getattr(usual, field)):
            option(flag, getattr(settings, field))
    if settings.max_num_seqs is None and (most := _sequences(model, quant, settings)):
        option("--max-num-seqs", most)
    if settings.enforce_eager:
        words.append("--enforce-eager")
    if settings.expert_parallel:
        words.append("--enable-expert-parallel")
    if not settings.prefix_caching:
        words.append("--no-enable-prefix-caching")
    return shlex.join(words)


def _sequences(model: ModelSpec, quant: str | None, settings: Settings) -> str:
    """What `--max-num-seqs` has to be lowered to, where the server would not start with its default; "" where it would."""
    try:
        said = account(model, quant, settings).notes
    except Refused:
        return ""
    return next((note.partition(":")[2] for note in said if note.startswith("vllm_sequences:")), "")
