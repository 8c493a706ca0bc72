"""The child process that really runs a model: reads one job (JSON) on stdin, writes events (JSON lines) on stdout.

A process of its own because the engine may abort, because its memory can then be measured alone, and because it can be
killed. It dies with its parent.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
import time
from typing import Any

from ...errors import SizeupError
from .library import LOAD_MODES, Library
from .library_types import CACHE_TYPES
from .pieces import Pieces
from .reports import Peaks, die_with_parent, emit


class Run:
    """One model, one context."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.lib = Library()
        self.peaks = Peaks()
        self.marks: dict[str, dict[str, int]] = {"base": self.peaks.look()}

    def load(self) -> None:
        lib, settings = self.lib, self.job["settings"]
        params = lib.llama_model_default_params()
        params.n_gpu_layers = settings["gpu_layers"]
        params.load_mode = LOAD_MODES[bool(settings["mmap"])]
        params.use_extra_bufts = bool(settings["repack"])
        # The engine's own planner: every buffer gets its size and none is allocated.
        params.no_alloc = bool(self.job.get("plan_only"))
        start = time.perf_counter()
        paths = [path.encode() for path in self.job["paths"]]
        if len(paths) == 1:
            self.model = lib.llama_model_load_from_file(paths[0], params)
        else:
            self.model = lib.llama_model_load_from_splits((ctypes.c_char_p * len(paths))(*paths), len(paths), params)
        if not self.model:
            raise RuntimeError("the engine could not load the model")
        self.load_s = time.perf_counter() - start
        self.marks["loaded"] = self.peaks.look()

    def open(self) -> None:
        lib, settings = self.lib, self.job["settings"]
        params = lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = settings["context_tokens"], settings["batch_tokens"], settings["micro_batch_tokens"]
        params.n_seq_max, params.kv_unified, params.swa_full = settings["sequences"], settings["unified_cache"], settings["swa_full"]
        params.embeddings = settings["embeddings"]
        params.type_k, params.type_v = CACHE_TYPES[settings["k"]], CACHE_TYPES[settings["v"]]
        params.flash_attn_type = {None: -1, True: 1, False: 0}[settings["flash_attention"]]
        if settings["output_rows"]:
            params.n_outputs_max = settings["output_rows"]
            params.n_outputs_max_per_seq = 1
        params.n_threads = params.n_threads_batch = self.job["threads"]
        self.context = lib.llama_init_from_model(self.model, params)
        if not self.context:
            raise RuntimeError("the engine refused the context")
        self.marks["context"] = self.peaks.look()

    def buffers(self) -> dict[str, Any]:
        """Exact bytes per buffer type where the engine tells, else the log's rounded figures; both are sent."""
        exact = self.lib.buffers(self.context)
        log = "".join(self.lib.log)
        printed: dict[str, float] = {}
        for name, kind, mib in re.findall(r"(\S+) +(model|KV|RS|compute|output) buffer size = +([0-9.]+) MiB", log):
            printed[f"{name} {kind}"] = printed.get(f"{name} {kind}", 0.0) + float(mib)
        return {"exact": exact, "printed_mib": printed}

    def answer(self) -> dict[str, Any]:
        from .answer import Answer

        answer = Answer(self.lib, self.context, self.model, self.job)
        prefill = answer.read()
        self.marks["prefill"] = self.peaks.look()
        decode = answer.go_on(Pieces(lambda text: emit("text", text=text)))
        self.marks["decode"] = self.peaks.look()
        return {**prefill, **decode}

    def rehearse(self) -> dict[str, Any]:
        from .rehearsal import rehearse

        found = rehearse(self.lib, self.context, self.job["settings"], self.job["rehearse"], self.peaks)
        self.marks["decode"] = self.peaks.look()
        return found


def main() -> int:
    die_with_parent()
    job = json.loads(sys.stdin.readline())
    run: Run | None = None
    try:
        run = Run(job)
        run.load()
        emit("loaded", load_s=run.load_s)
        if job.get("load_only"):
            emit("done", load_s=run.load_s, resident=run.marks)
            return 0
        run.open()
        emit("ready", buffers=run.buffers(), version=run.lib.version)
        outcome = run.rehearse() if job.get("rehearse") else run.answer() if job["max_tokens"] else {}
        emit("done", **outcome, load_s=run.load_s, resident=run.marks, peaks=run.peaks.most)
    except SizeupError as error:
        emit("failed", message=error.message, hint=error.hint, log="")
        return 1
    except (RuntimeError, OSError, MemoryError) as error:
        emit("failed", message=str(error) or type(error).__name__, hint="", log="".join(run.lib.log[-40:]) if run else "")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
