"""The child process that really runs a model: reads one job (JSON) on stdin, writes events (JSON lines) on stdout.

A process of its own because the engine may abort, because its memory can then be measured alone, and because it can be
killed. It dies with its parent.
"""

from __future__ import annotations

import array
import ctypes
import json
import re
import signal
import sys
import time
from typing import Any

from ...errors import SizeupError
from .library import LOAD_MODES, ChatMessage, Library
from .library_types import CACHE_TYPES
from .rehearsal import rehearse
from .reports import Peaks, emit


def die_with_parent() -> None:
    """Linux: be killed when the parent ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


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
        self.vocab = lib.llama_model_get_vocab(self.model)

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

    def prompt_tokens(self) -> array.array[int]:
        text = self._templated(self.job["prompt"])
        raw = text.encode()
        tokens = array.array("i", [0] * (len(raw) + 8))
        add_special = self.job["raw"] or not self._template()
        count = self.lib.llama_tokenize(self.vocab, raw, len(raw), tokens.buffer_info()[0], len(tokens), add_special, True)
        if count <= 0:
            raise RuntimeError("the prompt is empty or could not be tokenised")
        return tokens[:count]

    def _template(self) -> bytes | None:
        found: bytes | None = self.lib.llama_model_chat_template(self.model, None)
        return found

    def _templated(self, prompt: str) -> str:
        template = self._template()
        if self.job["raw"] or not template:
            return prompt
        message = ChatMessage(b"user", prompt.encode())
        out = ctypes.create_string_buffer(4 * len(prompt.encode()) + 4096)
        length = self.lib.llama_chat_apply_template(template, ctypes.addressof(message), 1, True, out, len(out))
        # A negative length means that the engine does not know this template: the bare prompt still works.
        return out.raw[:length].decode("utf-8", "replace") if 0 < length <= len(out) else prompt

    def _sampler(self) -> int:
        lib = self.lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        temperature = self.job["temperature"]
        if temperature > 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(temperature))
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(self.job["seed"]))
        else:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
        return int(chain)

    def _decode(self, tokens: array.array[int]) -> None:
        address, count = tokens.buffer_info()
        code = self.lib.llama_decode(self.context, self.lib.llama_batch_get_one(address, count))
        if code:
            raise RuntimeError("the context is full" if code == 1 else f"the engine could not decode (code {code})")

    def generate(self) -> dict[str, Any]:
        lib, job = self.lib, self.job
        tokens = self.prompt_tokens()
        room = lib.llama_n_ctx(self.context) // job["settings"]["sequences"] - len(tokens)
        if room < 1:
            raise RuntimeError(f"the prompt has {len(tokens)} tokens, more than the context holds")
        sampler, batch = self._sampler(), job["settings"]["batch_tokens"]
        start = time.perf_counter()
        for at in range(0, len(tokens), batch):
            self._decode(tokens[at : at + batch])
        next_token = lib.llama_sampler_sample(sampler, self.context, -1)
        prefill_s = time.perf_counter() - start
        self.marks["prefill"] = self.peaks.look()
        piece, pending, made, stopped = ctypes.create_string_buffer(512), b"", 0, "length"
        engine_s = 0.0
        start = time.perf_counter()
        while made < min(job["max_tokens"], room):
            if lib.llama_vocab_is_eog(self.vocab, next_token):
                stopped = "end"
                break
            length = lib.llama_token_to_piece(self.vocab, next_token, piece, len(piece), 0, False)
            pending += piece.raw[: max(length, 0)]
            text, pending = _whole_characters(pending)
            if text:
                emit("text", text=text)
            given = time.perf_counter()
            self._decode(array.array("i", [next_token]))
            made += 1
            next_token = lib.llama_sampler_sample(sampler, self.context, -1)
            engine_s += time.perf_counter() - given
        decode_s = time.perf_counter() - start
        self.marks["decode"] = self.peaks.look()
        return {
            "prompt_tokens": len(tokens),
            "new_tokens": made,
            "stopped": stopped,
            "prefill_tokens_per_s": len(tokens) / prefill_s,
            "decode_tokens_per_s": made / decode_s if made else None,
            "decode_s": decode_s,
            "engine_decode_s": engine_s,
        }

    def rehearse(self) -> dict[str, Any]:
        found = rehearse(self.lib, self.context, self.job["settings"], self.job["rehearse"], self.peaks)
        self.marks["decode"] = self.peaks.look()
        return found


def _whole_characters(data: bytes) -> tuple[str, bytes]:
    """The longest prefix that is whole UTF-8 characters, and the bytes to wait with."""
    try:
        return data.decode(), b""
    except UnicodeDecodeError as error:
        if len(data) - error.start < 4 and error.reason == "unexpected end of data":
            return data[: error.start].decode(), data[error.start :]
        return data.decode("utf-8", "replace"), b""


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
        outcome = run.rehearse() if job.get("rehearse") else run.generate() if job["max_tokens"] else {}
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
