"""vLLM's lines, V0 and V1. What it calls GB there are GiB."""

from __future__ import annotations

import re

from .record import SIZE, Record, last_part, size

_VERSION = re.compile(
    r"(?:API server version|LLM engine \(v|vLLM Version +: |vllm==) ?v?(\d+\.\d+[\w.+]{0,60})|\(version (\d+\.\d+[\w.+]{0,60})\) with config"
)
_RANK = re.compile(r"\((?:VllmWorker|Worker)\w*?(?:_DP\d+)?(?:_PP\d+)?(?:_TP(\d{1,3})| rank=(\d{1,3}))")
_WORKER = re.compile(r"\(VllmWorkerProcess pid=(\d{1,9})\)")
_TOOK = re.compile(r"(?:Loading model weights|Model loading) took " + SIZE)
_ROW = re.compile(r"model weights take " + SIZE + r"; non_torch_memory takes " + SIZE + r"; PyTorch activation peak memory takes " + SIZE + r"; the rest of the memory reserved for KV Cache is " + SIZE)  # fmt: skip
_LIST = (
    (re.compile(r"\] (?:model weights take) +" + SIZE + r"$"), "weights", ""),
    (re.compile(r"\] non_torch_memory +" + SIZE + r"$"), "overhead", "non-torch"),
    (re.compile(r"\] PyTorch activation peak memory +" + SIZE + r"$"), "activations", ""),
    (re.compile(r"\] available_kv_cache_memory +" + SIZE + r"$"), "cache", ""),
)
_USAGE = re.compile(
    r"Free memory on device \((?:cuda:\d+, )?([\d.]+)/([\d.]+) GiB\).{0,160}?([\d.]+) GiB for weight, ([\d.]+) GiB for peak activation, "
    r"([\d.]+) GiB for non-torch memory, and ([\d.]+) GiB for CUDAGraph memory"
)
_AVAILABLE = re.compile(r"Available KV cache memory: " + SIZE)
_TOKENS = re.compile(r"(?:GPU|CPU) KV cache size: ([\d,]{1,20}) tokens")
_CONCURRENCY = re.compile(r"Maximum concurrency for ([\d,]{1,20}) tokens per request: ([\d.]{1,12})x")
_BLOCKS = re.compile(r"# (?:GPU|cuda|CUDA|neuron|cpu|tpu|hpu) blocks: (\d{1,12})|num_gpu_blocks is: (\d{1,12})")
_GRAPHS = re.compile(r"Graph capturing finished in [\d.]{1,8} secs?, took " + SIZE)
_ESTIMATED = re.compile(r"Estimated CUDA graph memory: " + SIZE)
_TOTAL = re.compile(r"total_gpu_memory *\(?" + SIZE + r"\)?")
_CARD = re.compile(r"^GPU (\d{1,3})(?:-(\d{1,3}))?: (.{2,80}?)(?: \(x\d+\))?$")
_RATES = re.compile(r"Avg prompt throughput: ([\d.]{1,12}) tokens/s, Avg generation throughput: ([\d.]{1,12}) tokens/s")
_CHUNK = re.compile(r"max_num_batched_tokens=(\d{1,9})")
_LENGTH = re.compile(r"Using max model len (\d{1,12})")
_ARCHITECTURE = re.compile(r"Resolved architecture: (\w{1,80})")
_STARTING = re.compile(r"Starting to load model ([^\s]{1,400}?)\.\.\.")
_OPTION = re.compile(r"['\"]?\b(\w{4,40})['\"]?(?:=|: )('[^']{0,400}'|\"[^\"]{0,400}\"|[\w.+-]{1,60})")
_COMMAND = re.compile(r"(?:vllm serve +(?!-)(\S{1,300})|--model(?:-path)?[ =](\S{1,300}))")
_FLAG = re.compile(r"--([a-z][\w-]{1,40})(?:[ =]+(\S{1,200}))?")

OPTIONS = {
    "max_seq_len": "max_model_len", "max_model_len": "max_model_len", "tensor_parallel_size": "tensor_parallel", "pipeline_parallel_size": "pipeline_parallel",
    "kv_cache_dtype": "kv_dtype", "gpu_memory_utilization": "gpu_memory_utilization", "max_num_seqs": "max_num_seqs",
    "max_num_batched_tokens": "max_num_batched_tokens", "quantization": "quantization", "dtype": "dtype", "enforce_eager": "enforce_eager",
    "block_size": "block_size", "kv_cache_memory_bytes": "kv_cache_bytes", "tp": "tensor_parallel", "pp": "pipeline_parallel",
}  # fmt: skip
MARKS = (
    "vllm",
    "vLLM",
    "engine (v",
    "model",
    "memory",
    "KV cache",
    "blocks",
    "Maximum concurrency",
    "GPU ",
    "Graph",
    "throughput",
    "args",
    "Resolved",
    "prefill",
    "--",
)


class Vllm:
    """Reads lines; a banner after weights begins another start."""

    def __init__(self) -> None:
        self.records = [Record("vllm")]
        self._workers: dict[str, int] = {}

    @property
    def now(self) -> Record:
        return self.records[-1]

    def read(self, number: int, line: str) -> None:
        """One line."""
        if not any(mark in line for mark in MARKS):
            return
        record = self.now
        if ("API server version" in line or "LLM engine (v" in line) and any(b.part == "weights" for b in record.buffers):
            self.records.append(record := Record("vllm", number))
            self._workers = {}
        if found := _VERSION.search(line):
            record.version = (found[1] or found[2]).rstrip(".")
        if "with config: " in line or "args: " in line:
            self._options(line)
        elif "vllm serve" in line or "--model" in line:
            self._command(line)
        else:
            self._memory(line)

    def done(self) -> list[Record]:
        """All starts that said anything."""
        return [record for record in self.records if record.loaded or record.facts or record.rates] or self.records[:1]

    def _memory(self, line: str) -> None:
        record, rank = self.now, self._rank(line)
        pool, name = f"vram:{rank}", f"rank {rank}"
        if found := _ROW.search(line):
            for at, part, label in ((1, "weights", ""), (3, "overhead", "non-torch"), (5, "activations", ""), (7, "cache", "")):
                record.add(part, pool, size(found[at], found[at + 1]), name, label, again=True)
            if found[7].startswith("-"):
                record.failed = "memory"
        elif found := _USAGE.search(line):
            record.card(name, "", total=size(found[2], "GiB")[0], free=size(found[1], "GiB")[0])
            for at, part, label in ((3, "weights", ""), (4, "activations", ""), (5, "overhead", "non-torch"), (6, "compute", "graphs")):
                record.add(part, pool, size(found[at], "GiB"), name, label, again=True)
        elif found := _TOOK.search(line):
            record.add("weights", pool, size(found[1], found[2]), name, again=True)
        elif found := _AVAILABLE.search(line):
            record.add("cache", pool, size(found[1], found[2]), name, again=True)
        elif found := _GRAPHS.search(line):
            record.add("compute", pool, size(found[1], found[2]), name, "graphs", again=True)
        elif found := _ESTIMATED.search(line):
            record.facts["graphs_estimated_bytes"] = size(found[1], found[2])[0]
        elif found := _TOKENS.search(line):
            record.facts["kv_cache_tokens"] = _count(found[1])
        elif found := _CONCURRENCY.search(line):
            record.settings.setdefault("max_model_len", _count(found[1]))
            record.facts["max_concurrency"] = float(found[2])
        elif found := _BLOCKS.search(line):
            record.facts["kv_cache_blocks"] = int(found[1] or found[2])
        else:
            self._rest(line, pool, name)

    def _rest(self, line: str, pool: str, name: str) -> None:
        record = self.now
        if found := _TOTAL.search(line):
            record.card(name, "", total=size(found[1], found[2])[0])
            if used := re.search(r"gpu_memory_utilization \(([\d.]{1,6})\)", line):
                record.settings.setdefault("gpu_memory_utilization", float(used[1]))
        elif found := _RATES.search(line):
            for what, rate in (("prefill", found[1]), ("decode", found[2])):
                # Of all requests together: the best interval says what the engine reaches.
                if float(rate) > record.rates.get(what, (0, 0.0))[1]:
                    record.rates[what] = (0, float(rate))
                    record.facts["rates_of"] = "all requests together"
        elif found := _CARD.match(line):
            for number in range(int(found[1]), min(int(found[2] or found[1]), 63) + 1):
                record.card(f"rank {number}", found[3])
        elif found := _CHUNK.search(line):
            record.set("max_num_batched_tokens", int(found[1]))
        elif found := _LENGTH.search(line):
            record.set("max_model_len", int(found[1]))
        elif found := _ARCHITECTURE.search(line):
            record.say("architecture", found[1])
        elif found := _STARTING.search(line):
            say_name(record, found[1])
        elif (
            "No available memory for the cache blocks" in line
            or "OutOfMemoryError" in line
            or "larger than the available KV cache memory" in line
        ):
            record.failed = "memory"
        else:
            for pattern, part, label in _LIST:
                if found := pattern.search(line):
                    record.add(part, pool, size(found[1], found[2]), name, label, again=True)

    def _options(self, line: str) -> None:
        record = self.now
        for key, raw in _OPTION.findall(line):
            value = raw.strip("'\"")
            if key in ("model", "model_tag") and raw[:1] in "'\"":
                say_name(record, value)
            elif key in OPTIONS:
                set_option(record, OPTIONS[key], value)

    def _command(self, line: str) -> None:
        if found := _COMMAND.search(line):
            say_name(self.now, found[1] or found[2])
            for key, value in _FLAG.findall(line):
                if key.replace("-", "_") in OPTIONS and value:
                    set_option(self.now, OPTIONS[key.replace("-", "_")], value)

    def _rank(self, line: str) -> int:
        if found := _RANK.search(line):
            return int(found[1] or found[2] or 0)
        if found := _WORKER.search(line):
            # The first process of all is rank 0 and has no prefix of its own.
            return self._workers.setdefault(found[1], min(len(self._workers) + 1, 63))
        return 0


def say_name(record: Record, path: str) -> None:
    """An id stays whole; of a path the last part, or the id that the hub's cache has made a folder of."""
    path = path.strip("'\"").rstrip("/")
    if found := re.search(r"models--([\w.-]+?)--([\w.-]+)", path):
        path = f"{found[1]}/{found[2]}"
    record.say(
        "name",
        path if re.fullmatch(r"[\w.-]{1,100}/[\w.-]{1,150}", path) and not path.startswith((".", "models/", "model/")) else last_part(path),
    )


def set_option(record: Record, name: str, value: str) -> None:
    value = value.removeprefix("torch.")
    if value in ("None", ""):
        return
    if re.fullmatch(r"\d{1,12}", value):
        record.set(name, int(value))
    elif re.fullmatch(r"\d{1,6}\.\d{1,6}", value):
        record.set(name, float(value))
    else:
        record.set(name, {"True": True, "False": False}.get(value, value[:40]))


def _count(text: str) -> int:
    return int(text.replace(",", "") or 0)
