"""The child process that is llama.cpp's own server: one job (JSON) on stdin, one event when it listens, gone when stdin ends.

It holds the model's chat template (Jinja), batching and caching of prompts; sizeup only says with which settings. Ctrl+C on the terminal
is the parent's to answer, so it is ignored here; without a parent there is no server.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from .library import LOAD_MODES
from .library_types import CACHE_TYPES
from .reports import die_with_parent, emit, resident


def params(job: dict[str, Any]) -> Any:
    """llama.cpp's parameters for a plan's settings. What would take memory that no plan counts is off: caches of old prompts in RAM."""
    import xllamacpp

    settings, found = job["settings"], xllamacpp.CommonParams()
    found.model.path = job["paths"][0]
    found.hostnames, found.port = [job["host"]], job["port"]
    found.model_alias = {job["name"]}
    found.api_keys = [job["key"]] if job["key"] else []
    found.n_ctx, found.n_parallel = settings["context_tokens"], settings["sequences"]
    found.n_batch, found.n_ubatch = settings["batch_tokens"], settings["micro_batch_tokens"]
    kinds = list(xllamacpp.ggml_type)
    found.cache_type_k = next(kind for kind in kinds if kind.value == CACHE_TYPES[settings["k"]])
    found.cache_type_v = next(kind for kind in kinds if kind.value == CACHE_TYPES[settings["v"]])
    found.flash_attn_type = xllamacpp.llama_flash_attn_type({None: -1, True: 1, False: 0}[settings["flash_attention"]])
    found.kv_unified, found.swa_full, found.embedding = settings["unified_cache"], settings["swa_full"], settings["embeddings"]
    found.n_gpu_layers, found.no_extra_bufts = settings["gpu_layers"], not settings["repack"]
    found.load_mode = xllamacpp.llama_load_mode(LOAD_MODES[bool(settings["mmap"])])
    found.cpuparams.n_threads = found.cpuparams_batch.n_threads = job["threads"]
    found.fit_params, found.cache_ram_mib, found.cache_idle_slots = False, 0, False
    # A window or a state cannot be rewound: two snapshots spare a chat from reading all of itself again at every turn.
    found.n_ctx_checkpoints = 2
    found.ui, found.offline, found.use_jinja = False, True, True
    # No page of a web site is to talk to it through the browser of whoever runs it.
    found.cors_origins = f"http://{job['host']}"
    return found


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    job = json.loads(sys.stdin.readline())
    base = resident()
    try:
        import xllamacpp

        server = xllamacpp.Server(params(job))
    except Exception as error:
        emit("failed", message=str(error).rstrip(".") or type(error).__name__)
        return 1
    emit("ready", address=server.listening_address, version=xllamacpp.__version__, base=base)
    sys.stdin.read()
    del server
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The engine's own threads may still be ending: what is left is not ours to clean.
    os._exit(code)
