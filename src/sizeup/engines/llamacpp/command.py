"""The command line that starts llama.cpp with these settings."""

from __future__ import annotations

import shlex

from ...figure import plain
from ...model import ModelSpec
from .settings import Settings


def command(model: ModelSpec, quant: str | None, settings: Settings) -> str:
    """`llama-server …` with every setting that is not the engine's default."""
    words = [
        "llama-server",
        "-m",
        model.path or f"{model.name.rsplit('/', 1)[-1]}{'-' + quant if quant else ''}.gguf",
        "-c",
        str(plain(settings.context_tokens)),
    ]
    defaults = Settings()

    def option(flag: str, name: str) -> None:
        value = plain(getattr(settings, name))
        if value != getattr(defaults, name):
            words.extend((flag, str(value)))

    # llama-server picks four slots by itself, so the number is always said.
    words += ["-np", str(plain(settings.sequences))]
    option("-b", "batch_tokens")
    option("-ub", "micro_batch_tokens")
    option("-ctk", "k")
    option("-ctv", "v")
    if settings.flash_attention is True:
        words += ["-fa", "on"]
    if settings.flash_attention is False:
        words += ["-fa", "off"]
    for flag, on in (
        ("-kvu", settings.unified_cache),
        ("--swa-full", settings.swa_full),
        ("--embedding", settings.embeddings),
        ("--no-repack", not settings.repack),
        ("--no-mmap", not settings.mmap),
        ("--no-op-offload", not settings.op_offload),
        ("--no-kv-offload", not settings.kv_offload),
        ("--no-host", settings.no_host),
    ):
        if on:
            words.append(flag)
    gpu_layers = plain(settings.gpu_layers)
    words += ["--device", "none"] if gpu_layers == 0 else ["-ngl", str(999 if gpu_layers == "all" else gpu_layers)]
    moe = plain(settings.cpu_moe_layers)
    if moe:
        words += ["--cpu-moe"] if moe == "all" else ["--n-cpu-moe", str(moe)]
    if settings.rpc and gpu_layers:
        words += ["--rpc", ",".join(settings.rpc)]
    if settings.tensor_split:
        words += ["-ts", ",".join(f"{share:g}" for share in settings.tensor_split)]
    return shlex.join(words)
