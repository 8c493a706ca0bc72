"""Lines of llama.cpp, from the days of llm_load_tensors to b11549; also of what carries it (Ollama, LM Studio, koboldcpp, ik_llama.cpp)."""

from __future__ import annotations

import re
from collections.abc import Callable

from .llamacpp_command import command
from .places import place, weights_part
from .record import COUNTS, SIZE, Record, last_part, size

Heard = Callable[[Record, re.Match[str]], None]

_LOADED = re.compile(r"loaded meta data with \d{1,9} key-value pairs and \d{1,9} tensors from (.{1,4096}?)(?: \(version |$)")
_BANNER = re.compile(
    r"(?:\bbuild(?:_info)?: b?(\d{1,7})(?:-|\s\()(\w{1,16})|main: build = (\d{1,7}) \((\w{1,16})|\bbuild=(\d{1,7}) commit=\"(\w{1,16})"
    r"|\"build\":(\d{1,7}),\"commit\":\"(\w{1,16})|\bversion: (\d{1,7}) \((\w{1,16})\)|print_info: build (\d{1,7}) \((\w{1,16}))"
)
_CUDA = re.compile(r"ggml_(?:cuda_init|init_cublas): found \d{1,3} (\w+) devices")
_SERVING = ("all slots are idle", "model loaded", "listening on", "HTTP server listening", "llama_perf", "print_timing", "runner started")

_INFO = re.compile(r"(?:print_info|llm_load_print_meta|llama_model_load_internal): ([\w. ]{2,40}?) *= +(.{1,400})")
_KEY = re.compile(r"- kv +\d{1,5}: +(\S{1,100}) (?:str|u32|i32|u16|u64) +(?:\S+ +)?= (.{1,400})")
_BUFFER = re.compile(r"(\w{3,60}): +(\S{1,80}) +(?:[\w-]{1,30} ){0,3}?(?:(model|KV|RS|compute|output|input) +)?buffer size += +" + SIZE)
_TYPES = re.compile(r"\bK \((\w{2,8})\): +[\d.]+ MiB, V \((\w{2,8})\)")
_OLD_TYPES = re.compile(r"type_k = '(\w{2,8})', type_v = '(\w{2,8})'")
_LATENT = re.compile(r"c\^KV \((\w{2,8})\)")
_CONTEXT = re.compile(
    r"(?:llama_context|llama_new_context_with_model|llama_init_from_model|llama_model_load_internal|llama_init_from_file): (\w{5,24}) +=? +(\S{1,40})"
)
_OFFLOADED = re.compile(r"offloaded (\d{1,5})/(\d{1,5}) layers to GPU")
_USING = re.compile(r"using device (\S{1,80}) \((.{1,120}?)\)(?: \([^()]{1,40}\))? - (\d{1,9}) MiB free")
_DEVICE = re.compile(r"^\s*Device (\d{1,3}): ([^,]{1,120}), (?:compute capability|gfx)[^,]*(?:.*?VRAM: (\d{1,9}) MiB)?")
_LISTED = re.compile(r"- (CUDA|ROCm|Vulkan|SYCL|MTL|Metal|CANN|MUSA|CPU)(\d{0,3}) *: (.{1,120}?) \((\d{1,9}) MiB, (\d{1,9}) MiB free\)")
_VULKAN = re.compile(r"ggml_vulkan: (\d{1,3}) = (.{1,120}?) \([^()]*\) \|")
_METAL = re.compile(r"GPU name: +(.{1,80})")
_WIRED = re.compile(r"recommendedMaxWorkingSetSize += +([\d.]{1,12}) MB")
_PROMPT = re.compile(r"prompt eval time += +[\d.]{1,14} ms / +(\d{1,9}) tokens.*?([\d.]{1,14}) tokens per second")
_DECODE = re.compile(r"(?<!prompt )eval time += +[\d.]{1,14} ms / +(\d{1,9}) (?:runs|tokens).*?([\d.]{1,14}) tokens per second")
_BENCH = re.compile(r"\| +(pp|tg)(\d{1,7})(?: @ d\d+)? +\| +([\d.]{1,12}) ± ")
_TABLE = re.compile(
    r"\| +- (\S{1,60})(?: \(([^|]{1,80})\))? +\|(?: *(\d{1,9}) = +(\d{1,9}) \+)?[ (]+(\d{1,9}) = +(\d{1,9}) \+ +(\d{1,9}) \+ +(\d{1,9})\b"
)
_SLOTS = re.compile(r"n_slots = (\d{1,4}), n_ctx_slot = (\d{1,9}), kv_unified = '(true|false)'")
_LOADING = re.compile(r"load_model: loading model '([^']{1,4096})'")
_EXPERT = re.compile(r"tensor blk\.(\d{1,4})\.ffn_\w+_exps\.weight .*?buffer type overrid{1,2}en to CPU\b")
_OLD_SIZES = (
    (re.compile(r"llm_load_tensors: mem required += +" + SIZE), "weights", "ram"),
    (re.compile(r"llama_model_load_internal: mem required += +" + SIZE), "weights", "ram"),
    (re.compile(r"llm_load_tensors: VRAM used *[:=] +" + SIZE), "weights", "vram"),
    (re.compile(r"VRAM kv self = +" + SIZE), "cache", "vram"),
    (re.compile(r": kv self size += +" + SIZE), "cache", "ram"),
    (re.compile(r"compute buffer total size = +" + SIZE), "compute", "ram"),
    (re.compile(r"VRAM scratch buffer: +" + SIZE), "compute", "vram"),
)
"""Before December 2023 sums were printed, not buffers."""
OLD_WORDS = ("mem required", "VRAM", "kv self size", "compute buffer total")
_MARKS = (
    "llama", "llm_load", "load_tensors", "print_info", "buffer size", "eval time", "build", "Device ", "offload", "kv", "mmap", "load_mode", "| ",
    "GPU name", "recommendedMax", "ggml_", "overrid", "version: ", "using device", "type_k", "K (", "allocat", "n_slots", "load_model", " MiB free", "runner started",
)  # fmt: skip

MOST_CHARACTERS = 1024
"""Of a line; only commands and the prompts of people are longer."""
PLAIN = {"n_ctx": "context_tokens", "n_batch": "batch_tokens", "n_ubatch": "micro_batch_tokens", "n_seq_max": "sequences", "n_outputs_max": "outputs"}  # fmt: skip
FLASH = {"0": False, "1": True, "enabled": True, "disabled": False, "auto": "auto"}
UNITS = {"GiB", "MiB", "KiB", "GB", "MB"}


class LlamaCpp:
    """Reads lines; `records` are the starts found so far, the last of which is being read."""

    def __init__(self, engine: str = "llama.cpp") -> None:
        self.engine = engine
        self.records = [Record(engine)]
        self._contexts = 0
        self._experts: set[int] = set()
        self._serving = False
        self._table: list[tuple[str, int, int, int]] = []

    @property
    def now(self) -> Record:
        return self.records[-1]

    def begin(self, line: int) -> None:
        """From here on it is another start."""
        self._finish()
        self.records.append(Record(self.engine, line))
        self._contexts, self._experts, self._serving, self._table = 0, set(), False, []

    @property
    def _spoken(self) -> bool:
        """Whether the start has said more than what its command does: then a greeting is another's."""
        record = self.now
        return self.engine == "llama.cpp" and (bool(record.buffers) or self._serving or len(record.model) > 1)

    def read(self, number: int, line: str) -> None:
        """One line."""
        if not any(mark in line for mark in _MARKS):
            return
        whole, line = line, line[:MOST_CHARACTERS]
        if self._starts(number, line):
            return
        if any(mark in line for mark in _SERVING):
            self._serving = True
        record = self.now
        if found := _BUFFER.search(line):
            self._buffer(found)
        elif any(words in line for words in OLD_WORDS) and _sum(record, line):
            return
        elif found := _INFO.search(line):
            _info(record, found[1].strip(), found[2].strip())
        elif found := _CONTEXT.search(line):
            self._context(found[1], found[2])
        elif found := _KEY.search(line):
            _key(record, found[1], found[2].strip())
        elif found := (_PROMPT.search(line) or _DECODE.search(line)):
            record.rate("prefill" if found.re is _PROMPT else "decode", int(found[1]), _float(found[2]))
        elif found := _TABLE.search(line):
            self._row(found)
        elif not self._rest(line):
            command(record, whole)
        if found := (_TYPES.search(line) or _OLD_TYPES.search(line)):
            record.set("k", found[1].lower())
            record.set("v", found[2].lower())
        elif found := _LATENT.search(line):
            record.set("k", found[1].lower())

    def done(self) -> list[Record]:
        """All starts that said anything."""
        self._finish()
        return [one for one in self.records if one.buffers or one.rates or one.failed or len(one.model) > 1 or self.engine == "ollama"]

    def _starts(self, number: int, line: str) -> bool:
        """Whether the line begins a start or a model, and so is read."""
        record = self.now
        if found := _LOADED.search(line):
            file = last_part(found[1])
            if "file" in record.model and (record.model["file"] != file or self._serving):
                version, settings = record.version, dict(record.settings)
                cards, ram = record.cards, record.ram
                self.begin(number)
                # One process may load several models; its build and its devices stay.
                self.now.version, self.now.cards, self.now.ram = version, dict(cards), ram
                if self.engine == "ollama":
                    self.now.settings = settings
            elif "file" in record.model:
                # The engine tries what fits before it loads for good: only the last time counts.
                record.buffers, self._contexts, self._experts = [], 0, set()
            self.now.say("file", file)
            return True
        if found := _LOADING.search(line):
            if self._serving and self._spoken:
                self.begin(number)
            self.now.say("file", last_part(found[1]))
            return True
        if found := _BANNER.search(line):
            if self._spoken:
                self.begin(number)
            build = next((int(group) for group in found.groups()[::2] if group), 0)
            if build and self.engine == "llama.cpp":
                self.now.version = f"b{build}"
            return True
        if found := _CUDA.search(line):
            if self._spoken:
                self.begin(number)
            self.now.facts.setdefault("backend", found[1])
            return True
        return False

    def _buffer(self, found: re.Match[str]) -> None:
        function, name, kind, printed = found[1], found[2], found[3], size(found[4], found[5])
        record, pool = self.now, place(name)
        label = f"draft {self._contexts - 1}" if self._contexts > 1 else ""
        if function in ("alloc_compute_meta", "reserve_compute_meta"):
            record.add("projector", pool, printed, name, "compute", again=True)
        elif kind in (None, "model"):
            if "load" in function or "print_backend" in function:
                record.add(weights_part(name), pool, printed, name)
        elif kind == "KV":
            record.add("draft" if label else "cache", pool, printed, name, label)
        elif kind == "RS":
            record.add("draft" if label else "state", pool, printed, name, label)
        elif kind == "compute":
            record.add("draft" if label else "compute", pool, printed, name, (label + " compute").strip() if label else "", again=True)
        else:
            record.add("draft" if label else "output", pool, printed, name, f"{label} {kind}".strip() if label or kind == "input" else "", again=True)  # fmt: skip

    def _context(self, key: str, value: str) -> None:
        record = self.now
        if key == "n_ctx" and value.isdigit():
            if "context_tokens" in record.settings and any(b.part in ("cache", "state", "compute") for b in record.buffers):
                # A second context over the same weights drafts for the first.
                self._contexts = max(self._contexts, 1) + 1
            else:
                self._contexts = 1
        if self._contexts > 1:
            return
        if key in PLAIN and value.isdigit():
            record.set(PLAIN[key], int(value[:12]))
        elif key == "flash_attn" and value in FLASH:
            record.set("flash_attention", FLASH[value])
        elif key == "kv_unified" and value in ("true", "false"):
            record.set("unified_cache", value == "true")

    def _row(self, found: re.Match[str]) -> None:
        """The table printed at the end, in whole MiB: it stands in where no buffers were told."""
        name = found[1]
        if found[3]:
            # What stands behind another machine's card is its address.
            self.now.card(name, "" if name.startswith("RPC") else (found[2] or "").strip(), int(found[3]) << 20)
        if any(row[0] == name for row in self._table):
            self._table = []
        self._table.append((name, int(found[6]), int(found[7]), int(found[8])))

    def _rest(self, line: str) -> bool:
        """Whether the line was one of those that come once."""
        record = self.now
        if found := _OFFLOADED.search(line):
            record.set("gpu_layers", "all" if found[1] == found[2] else int(found[1]))
            record.say("layers", int(found[2]) - 1)
        elif found := _USING.search(line):
            record.card(found[1], "" if found[1].startswith("RPC") else found[2], free=int(found[3]) << 20)
        elif found := _SLOTS.search(line):
            shared, slots = found[3] == "true", int(found[1])
            for key, value in (
                ("sequences", slots),
                ("unified_cache", shared),
                ("context_tokens", int(found[2]) * (1 if shared else slots)),
            ):
                record.settings.setdefault(key, value)
        elif found := _LISTED.search(line):
            if found[1] == "CPU":
                record.ram = int(found[4]) << 20
                record.facts.setdefault("cpu", found[3].strip())
            else:
                record.card(found[1] + found[2], found[3].strip(), int(found[4]) << 20, int(found[5]) << 20)
        elif found := _DEVICE.search(line):
            record.card(record.facts.get("backend", "CUDA") + found[1], found[2], int(found[3]) << 20 if found[3] else None)
        elif found := _VULKAN.search(line):
            record.card(f"Vulkan{found[1]}", found[2])
        elif "ggml_metal" in line and (found := _METAL.search(line)):
            record.card("Metal", found[1].strip())
        elif "ggml_metal" in line and (found := _WIRED.search(line)):
            record.card("Metal", "", total=int(float(found[1]) * 1e6))
        elif found := _EXPERT.search(line):
            self._experts.add(int(found[1]))
        elif found := _BENCH.search(line):
            record.rate("prefill" if found[1] == "pp" else "decode", int(found[2]), _float(found[3]))
        elif "mmap = " in line or "load_mode = " in line:
            record.set("mmap", "mmap = true" in line or "load_mode = mmap" in line)
        elif any(word in line for word in ("failed to allocate", "out of memory", "ErrorOutOfDeviceMemory")) and "no_alloc" not in line:
            record.failed = "memory"
        elif "failed to load model" in line or "error loading model" in line or "unable to load model" in line:
            record.failed = record.failed or "model"
        else:
            return False
        return True

    def _finish(self) -> None:
        record = self.now
        if self._experts:
            whole = self._experts == set(range(len(self._experts)))
            record.set("cpu_moe_layers", len(self._experts) if whole else None)
        if not [b for b in record.buffers if not b.estimated]:
            for name, model, context, compute in self._table:
                for part, mib in ((weights_part(name), model), ("cache", context), ("compute", compute)):
                    if mib:
                        record.add(part, place(name), (mib << 20, 1 << 20), name)
        names = [b.name for b in record.buffers if b.part in ("weights", "repacked")]
        if names:
            record.settings.setdefault("mmap", any("Mapped" in name for name in names))
            record.settings.setdefault("gpu_layers", 0) if all(place(name) == "ram" for name in names if name) and all(names) else None


def _sum(record: Record, line: str) -> bool:
    """Whether the line is a sum of the old kind; what newer versions print beside their buffers is not counted again."""
    for pattern, part, pool in _OLD_SIZES:
        if found := pattern.search(line):
            if not any(b.part == part and (b.name or (part, pool) == ("cache", "ram")) for b in record.buffers):
                record.add(part, pool, size(found[1], found[2]), "")
            return True
    return False


def _info(record: Record, key: str, value: str) -> None:
    if key == "arch":
        record.say("architecture", value)
    elif key in ("file type", "model ftype", "ftype"):
        record.say("quant", mix(value))
    elif key in ("file size", "model size"):
        if found := re.match(SIZE, value):
            record.say("file_bytes", size(found[1], found[2])[0])
    elif key == "model params":
        if found := re.match(r"([\d.]{1,12}) ?([KMBT]?)\b", value):
            record.say("parameters", round(_float(found[1]) * COUNTS[found[2]]))
    elif key == "general.name":
        record.say("name", value[:200])
    elif key in ("n_layer", "n_embd") and value.isdigit():
        # The count of layers in "offloaded" may hold draft blocks: what is printed here goes before it.
        record.model["layers" if key == "n_layer" else "hidden"] = int(value[:9])
    elif key in ("n_ctx", "n_batch") and value.isdigit():
        record.set(PLAIN[key], int(value[:12]))


def _key(record: Record, key: str, value: str) -> None:
    if key == "general.architecture":
        record.say("architecture", value)
    elif key == "general.name":
        record.say("name", value[:200])
    elif key.endswith(".block_count") and value.isdigit():
        record.say("layers", int(value[:9]))
    elif key.endswith(".embedding_length") and value.isdigit():
        record.say("hidden", int(value[:9]))


def mix(text: str) -> str:
    """The mix as its users write it: “Q4_K - Medium” -> Q4_K_M, “mostly Q5_K - Small” -> Q5_K_S, “MXFP4 MoE” -> MXFP4_MOE."""
    name = re.sub(r"^\d+ \(|\)$|^(?:all|mostly) |\(guessed\)", "", text.strip()).strip()
    name = re.sub(r"^mostly ", "", name)
    name = re.split(r" - \d", name)[0]
    for word, letter in ((" - Small", "_S"), (" - Medium", "_M"), (" - Large", "_L"), (" - Extra Small", "_XS")):
        name = name.replace(word, letter)
    return re.sub(r"[ -]+", "_", name.strip())[:40].upper().replace("MXFP4_MOE", "MXFP4_MOE")


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
