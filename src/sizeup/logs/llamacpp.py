"""Lines of llama.cpp, from the days of llm_load_tensors to b11549; also of what carries it (Ollama, LM Studio, koboldcpp, ik_llama.cpp)."""

from __future__ import annotations

import re

from . import llamacpp_lines as lines
from .llamacpp_command import command
from .places import place, weights_part
from .record import COUNTS, SIZE, Record, last_part, size


class LlamaCpp:
    """Reads lines; `records` are the starts found so far, the last of which is being read."""

    def __init__(self, engine: str = "llama.cpp") -> None:
        self.engine = engine
        self.records = [Record(engine)]
        self._contexts = 0
        self._experts: set[int] = set()
        self._serving = False
        self._file = ""
        """That the loader has opened; a command may call it otherwise."""
        self._planned = False
        """Whether the table is of a trial: it counts a mapped file's tensors, not the span that is mapped."""
        self._table: list[tuple[str, int, int, int]] = []

    @property
    def now(self) -> Record:
        return self.records[-1]

    def begin(self, line: int) -> None:
        """From here on it is another start."""
        self._finish()
        self.records.append(Record(self.engine, line))
        self._contexts, self._experts, self._serving, self._file, self._table = 0, set(), False, "", []

    @property
    def _spoken(self) -> bool:
        """Whether the start has said more than what its command does: then a greeting is another's."""
        record = self.now
        return self.engine == "llama.cpp" and (bool(record.buffers) or self._serving or len(record.model) > 1)

    def read(self, number: int, line: str) -> None:
        """One line."""
        if not any(mark in line for mark in lines.MARKS):
            return
        whole, line = line, line[: lines.MOST_CHARACTERS]
        if self._starts(number, line):
            return
        if any(mark in line for mark in lines.SERVING):
            self._serving = True
        record = self.now
        if found := lines.BUFFER.search(line):
            self._buffer(found)
        elif any(words in line for words in lines.OLD_WORDS) and _sum(record, line):
            return
        elif found := lines.INFO.search(line):
            _info(record, found[1].strip(), found[2].strip())
        elif found := lines.CONTEXT.search(line):
            self._context(found[1], found[2])
        elif found := lines.KEY.search(line):
            _key(record, found[1], found[2].strip())
        elif found := (lines.PROMPT.search(line) or lines.DECODE.search(line)):
            record.rate("prefill" if found.re is lines.PROMPT else "decode", int(found[1]), _float(found[2]))
        elif found := lines.TABLE.search(line):
            self._row(found)
        elif not self._rest(line):
            command(record, whole)
        if found := (lines.TYPES.search(line) or lines.OLD_TYPES.search(line)):
            record.set("k", found[1].lower())
            record.set("v", found[2].lower())
        elif found := lines.LATENT.search(line):
            record.set("k", found[1].lower())

    def done(self) -> list[Record]:
        """All starts that said anything."""
        self._finish()
        return [one for one in self.records if one.buffers or one.rates or one.failed or len(one.model) > 1 or self.engine == "ollama"]

    def _starts(self, number: int, line: str) -> bool:
        """Whether the line begins a start or a model, and so is read."""
        record = self.now
        if found := lines.LOADED.search(line):
            file = last_part(found[1])
            if self._file and (self._file != file or self._serving):
                version, settings = record.version, dict(record.settings)
                cards, ram = record.cards, record.ram
                self.begin(number)
                # One process may load several models; its build and its devices stay.
                self.now.version, self.now.cards, self.now.ram = version, dict(cards), ram
                if self.engine == "ollama":
                    self.now.settings = settings
            elif self._file:
                # The engine tries what fits before it loads for good: only the last time counts.
                record.buffers, self._contexts, self._experts = [], 0, set()
            self._file = file
            self.now.model["file"] = file
            return True
        if found := lines.LOADING.search(line):
            if self._serving and self._spoken:
                self.begin(number)
            self.now.say("file", last_part(found[1]))
            return True
        if found := lines.BANNER.search(line):
            if self._spoken:
                self.begin(number)
            build = next((int(group) for group in found.groups()[::2] if group), 0)
            if build and self.engine == "llama.cpp":
                self.now.version = f"b{build}"
            return True
        if found := lines.CUDA.search(line):
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
        if key in lines.PLAIN and value.isdigit():
            record.set(lines.PLAIN[key], int(value[:12]))
        elif key == "flash_attn" and value in lines.FLASH:
            record.set("flash_attention", lines.FLASH[value])
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
        self._planned = not self._serving
        self._table.append((name, int(found[6]), int(found[7]), int(found[8])))

    def _rest(self, line: str) -> bool:
        """Whether the line was one of those that come once."""
        record = self.now
        if found := lines.OFFLOADED.search(line):
            record.set("gpu_layers", "all" if found[1] == found[2] else int(found[1]))
            record.say("layers", int(found[2]) - 1)
        elif found := lines.USING.search(line):
            record.card(found[1], "" if found[1].startswith("RPC") else found[2], free=int(found[3]) << 20)
        elif "system_info" in line:
            record.facts["cpu_features"] = [lines.FEATURE_NAMES.get(name, name.lower()) for name in lines.FEATURES.findall(line)]
        elif found := lines.SLOTS.search(line):
            shared, slots = found[3] == "true", int(found[1])
            for key, value in (
                ("sequences", slots),
                ("unified_cache", shared),
                ("context_tokens", int(found[2]) * (1 if shared else slots)),
            ):
                record.settings.setdefault(key, value)
        elif found := lines.LISTED.search(line):
            if found[1] == "CPU":
                record.ram = int(found[4]) << 20
                record.facts.setdefault("cpu", found[3].strip())
            else:
                record.card(found[1] + found[2], found[3].strip(), int(found[4]) << 20, int(found[5]) << 20)
        elif found := lines.DEVICE.search(line):
            record.card(record.facts.get("backend", "CUDA") + found[1], found[2], int(found[3]) << 20 if found[3] else None)
        elif found := lines.VULKAN.search(line):
            record.card(f"Vulkan{found[1]}", found[2])
        elif "ggml_metal" in line and (found := lines.METAL.search(line)):
            record.card("Metal", found[1].strip())
        elif "ggml_metal" in line and (found := lines.WIRED.search(line)):
            record.card("Metal", "", total=int(float(found[1]) * 1e6))
        elif found := lines.EXPERT.search(line):
            self._experts.add(int(found[1]))
        elif found := lines.BENCH.search(line):
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
        if self._table and not [b for b in record.buffers if not b.estimated]:
            record.facts["planned"] = self._planned
            for name, model, context, compute in self._table:
                for part, mib in ((weights_part(name), model), ("cache", context), ("compute", compute)):
                    if mib:
                        record.add(part, place(name), (mib << 20, 1 << 20), name, "context" if part == "cache" else "")
        names = [b.name for b in record.buffers if b.part in ("weights", "repacked") and b.name and not b.estimated]
        if any("Mapped" in name for name in names):
            record.settings.setdefault("mmap", True)
        if names and all(place(name) == "ram" for name in names):
            record.settings.setdefault("gpu_layers", 0)


def _sum(record: Record, line: str) -> bool:
    """Whether the line is a sum of the old kind; what newer versions print beside their buffers is not counted again."""
    for pattern, part, pool in lines.OLD_SIZES:
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
        record.set(lines.PLAIN[key], int(value[:12]))


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
    return re.sub(r"[ -]+", "_", name.strip())[:40].upper()


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
