"""SGLang's lines. What it calls GB are GiB."""

from __future__ import annotations

import re

from .record import SIZE, Record, size
from .vllm import say_name, set_option

_ARGS = re.compile(r"server_args=(?:ServerArgs)?[({]")
_OPTION = re.compile(r"['\"]?\b([a-z]\w{2,40})['\"]?(?:=|: ?)('[^']{0,400}'|\"[^\"]{0,400}\"|[\w.+-]{1,60})")
_RANK = re.compile(r"\[\d{4}-\d\d-\d\d[^\]]{0,24}?\bTP(\d{1,3})")
_VERSION = re.compile(r"\bsglang(?:==|: +v?|[ _]version[:=]? *'?v?)(\d+\.\d+[\w.+]{0,40})", re.IGNORECASE)
_FREE = re.compile(r"Load weight begin\. avail mem=" + SIZE)
_WEIGHTS = re.compile(r"Load weight end\..{0,300}?\bmem usage=" + SIZE)
_LOADED = re.compile(r"Load weight end\..{0,80}?type=(\w{1,80})")
_AFTER = re.compile(r"Load weight end\..{0,300}?avail mem=" + SIZE)
_POOL = re.compile(
    r"KV Cache is allocated\..{0,60}?#tokens: (\d{1,12}), (?:K size: " + SIZE + r", V size: " + SIZE + r"|KV size: " + SIZE + ")"
)
_STATE = re.compile(r"Mamba Cache is allocated\..{0,160}?conv_state size: " + SIZE + r",? .{0,60}?ssm_state size: " + SIZE)
_GRAPHS = re.compile(r"Capture \w+ graph end\..{0,80}?mem usage=" + SIZE)
_OTHER = re.compile(r"Init torch distributed ends?\. (?:elapsed=[\d.]+ s, )?mem usage=" + SIZE)
_LEFT = re.compile(r"Memory pool end\. avail mem=" + SIZE)
_COUNTED = re.compile(r"\b(max_total_num_tokens|max_running_requests|context_len|chunked_prefill_size|max_prefill_tokens)=(\d{1,12})")
_RATE = re.compile(r"gen throughput \(token/s\): ([\d.]{1,12})")
_PROMPT = re.compile(r"input throughput \(token/s\): ([\d.]{1,12})")

OPTIONS = {
    "tp_size": "tensor_parallel", "pp_size": "pipeline_parallel", "context_length": "max_model_len", "mem_fraction_static": "mem_fraction_static",
    "kv_cache_dtype": "kv_dtype", "chunked_prefill_size": "chunked_prefill", "max_running_requests": "max_running_requests", "quantization": "quantization",
    "dtype": "dtype", "page_size": "page_size", "dp_size": "data_parallel", "ep_size": "expert_parallel", "cuda_graph_max_bs": "cuda_graph_max_bs",
}  # fmt: skip
MARKS = ("mem", "server_args", "sglang", "KV Cache", "Mamba Cache", "max_total_num_tokens", "throughput", "memory")


class Sglang:
    """Reads lines; arguments after weights begin another start."""

    def __init__(self) -> None:
        self.records = [Record("sglang")]

    @property
    def now(self) -> Record:
        return self.records[-1]

    def read(self, number: int, line: str) -> None:
        """One line."""
        if not any(mark in line for mark in MARKS):
            return
        if _ARGS.search(line):
            if self.now.buffers:
                self.records.append(Record("sglang", number))
            for key, raw in _OPTION.findall(line):
                if key == "model_path":
                    say_name(self.now, raw)
                elif key in OPTIONS:
                    set_option(self.now, OPTIONS[key], raw.strip("'\""))
            return
        if found := _VERSION.search(line):
            self.now.version = found[1]
        self._memory(line)

    def done(self) -> list[Record]:
        """All starts that said anything."""
        return [record for record in self.records if record.loaded or record.facts or record.rates] or self.records[:1]

    def _memory(self, line: str) -> None:
        record = self.now
        rank = int(found[1]) if (found := _RANK.search(line)) else 0
        pool, name = f"vram:{rank}", f"rank {rank}"
        if found := _FREE.search(line):
            record.card(name, "", free=size(found[1], found[2])[0])
        elif found := _WEIGHTS.search(line):
            record.add("weights", pool, size(found[1], found[2]), name, again=True)
            if loaded := _LOADED.search(line):
                record.say("architecture", loaded[1])
        elif (found := _AFTER.search(line)) and (loaded := _LOADED.search(line)):
            # Before 0.4.4 only what stayed free was told.
            record.say("architecture", loaded[1])
            before = record.cards.get(name)
            if before and before.free_bytes:
                left, half = size(found[1], found[2])
                record.add("weights", pool, (before.free_bytes - left, 2 * half), name, again=True)
        elif found := _POOL.search(line):
            record.facts["kv_cache_tokens"] = int(found[1])
            sides = [size(found[at], found[at + 1]) for at in (2, 4, 6) if found[at]]
            record.add("cache", pool, (sum(one[0] for one in sides), sum(one[1] for one in sides)), name, again=True)
        elif found := _STATE.search(line):
            sides = [size(found[1], found[2]), size(found[3], found[4])]
            record.add("state", pool, (sum(one[0] for one in sides), sum(one[1] for one in sides)), name, again=True)
        elif found := _GRAPHS.search(line):
            record.add("compute", pool, size(found[1], found[2]), name, "graphs", again=True)
        elif found := _OTHER.search(line):
            record.add("overhead", pool, size(found[1], found[2]), name, "non-torch", again=True)
        elif found := _LEFT.search(line):
            record.facts["left_bytes"] = size(found[1], found[2])[0]
        elif "max_total_num_tokens=" in line:
            self._counts(line)
        elif found := (_RATE.search(line) or _PROMPT.search(line)):
            what = "decode" if found.re is _RATE else "prefill"
            if float(found[1]) > record.rates.get(what, (0, 0.0))[1]:
                record.rates[what] = (0, float(found[1]))
                record.facts["rates_of"] = "all requests together"
        elif "out of memory" in line or "Not enough memory" in line:
            record.failed = "memory"

    def _counts(self, line: str) -> None:
        record = self.now
        said = {key: int(value) for key, value in _COUNTED.findall(line)}
        for key, name in (
            ("context_len", "max_model_len"),
            ("chunked_prefill_size", "chunked_prefill"),
            ("max_running_requests", "max_running_requests"),
        ):
            if key in said:
                record.set(name, said[key])
        record.facts.setdefault("kv_cache_tokens", said.get("max_total_num_tokens"))
