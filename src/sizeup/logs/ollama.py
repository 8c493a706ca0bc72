"""Ollama's server.log: Go lines of `key=value`, with its runner's own lines between them (llama.cpp's, or those of its own engine)."""

from __future__ import annotations

import re

from .llamacpp import LlamaCpp, mix
from .llamacpp_command import options
from .places import place, weights_part
from .record import SIZE, Record, size

_PAIR = re.compile(r"(?<!\S)(\"[^\"]{1,60}\"|[\w.]{1,60})=(\"(?:[^\"\\]|\\.){0,8000}\"|\S{0,2000})")
_VERSION = re.compile(r"\(version (\d+\.\d+[\w.+-]{0,30})\)|ollama version is (\d+\.\d+[\w.+-]{0,30})")
_SIZE = re.compile(SIZE)
_LOAD = re.compile(r"\b(Operation|Parallel|BatchSize|FlashAttention|KvSize|KvCacheType|NumThreads|GPULayers):(\w*)")
_OFFLOADED = re.compile(r"offloaded (\d{1,5})/(\d{1,5}) layers to GPU")
_STARTED = re.compile(r"llama runner started in ([\d.]{1,10}) seconds")
_RATE = re.compile(r"^(prompt )?eval (rate|count): +([\d.]{1,12})")
ESTIMATES = {
    "memory.weights.total": "weights",
    "memory.required.kv": "cache",
    "memory.graph.full": "compute",
    "projector.weights": "projector",
}
"""What the server expected to take, by its own old model of memory -> our parts."""
PARTS = {"model weights": "weights", "kv cache": "cache", "compute graph": "compute"}


class Ollama(LlamaCpp):
    """The server's lines; what is none of them goes to the reader of llama.cpp's."""

    def __init__(self) -> None:
        super().__init__("ollama")
        self._counted: dict[str, int] = {}

    def read(self, number: int, line: str) -> None:
        if ("msg=" in line or "level=" in line) and (found := dict(_PAIR.findall(line))):
            self._said(number, {key.strip('"'): value.strip('"') for key, value in found.items()}, line)
        elif found_version := _VERSION.search(line):
            self.now.version = found_version[1] or found_version[2]
        elif rate := _RATE.match(line):
            kind = "prefill" if rate[1] else "decode"
            if rate[2] == "count":
                self._counted[kind] = int(float(rate[3]))
            else:
                self.now.rate(kind, self._counted.get(kind, 0), float(rate[3]))
        else:
            super().read(number, line)

    def done(self) -> list[Record]:
        return [record for record in super().done() if record.loaded or record.rates] or self.records[:1]

    def _said(self, number: int, said: dict[str, str], line: str) -> None:
        message, record = said.get("msg", ""), self.now
        if found := _VERSION.search(line):
            record.version = found[1] or found[2]
        elif message == "inference compute":
            name = said.get("name") or said.get("description") or ""
            self._card(said.get("id", name), name, said)
        elif message == "system memory" and "total" in said:
            record.ram = _bytes(said["total"]) or record.ram
        elif "layers.offload" in said:
            self._another(number)
            self._expected(said)
        elif message.startswith("starting") and "cmd" in said:
            chosen = options(said["cmd"])
            if "model" in chosen:
                if record.loaded and "file" in record.model:
                    self._another(number)
                self.now.say("file", chosen.pop("model"))
                for key, value in chosen.items():
                    self.now.settings.setdefault(key, value)
        elif message == "load" and "request" in said:
            self._request(said["request"])
        elif "architecture" in said and "file_type" in said:
            record.say("architecture", said["architecture"])
            record.say("quant", mix(said["file_type"]))
            record.say("name", said.get("name"))
        elif message in PARTS and "size" in said and (found := _SIZE.search(said["size"])):
            where = said.get("device") or said.get("buffer") or said.get("backend") or ""
            part = PARTS[message] if message != "model weights" else weights_part(where)
            record.add(part, place(where), size(found[1], found[2]), where, again=True)
        elif found := _OFFLOADED.search(message):
            record.set("gpu_layers", "all" if found[1] == found[2] else int(found[1]))
            record.say("layers", int(found[2]) - 1)
        elif found := _STARTED.search(message):
            record.facts["load_s"] = float(found[1])
            self._serving = True
        elif "out of memory" in line or "requires more system memory" in line:
            record.failed = "memory"

    def _another(self, number: int) -> None:
        """Another model in the same server: its version, devices and memory stay."""
        record = self.now
        if not record.loaded:
            return
        self.begin(number)
        self.now.version, self.now.cards, self.now.ram = record.version, dict(record.cards), record.ram

    def _card(self, key: str, name: str, said: dict[str, str]) -> None:
        driver = said.get("driver", "")
        library = said.get("library", "").lower()
        if library == "cpu" or not name:
            return
        number = sum(1 for known in self.now.cards if known != key)
        backend = {"cuda": "CUDA", "rocm": "ROCm", "metal": "Metal", "vulkan": "Vulkan"}.get(library, library)
        self.now.card(f"{backend}{number}", name, _bytes(said.get("total", "")), _bytes(said.get("available", "")), driver if driver not in ("0.0", "") else "")  # fmt: skip

    def _expected(self, said: dict[str, str]) -> None:
        record = self.now
        for field, part in ESTIMATES.items():
            if found := _SIZE.search(said.get(field, "")):
                record.add(part, "", size(found[1], found[2]), "server", estimated=True)
        offloaded, layers = said["layers.offload"], said.get("layers.model", "")
        if offloaded.isdigit() and layers.isdigit():
            record.set("gpu_layers", "all" if offloaded == layers else int(offloaded[:6]))
            record.say("layers", int(layers[:6]) - 1)
        for field in ("memory.required.full", "memory.required.partial"):
            if count := _bytes(said.get(field, "")):
                record.facts[field.replace("memory.", "").replace(".", "_") + "_bytes"] = count
        free = [size(*found)[0] for found in _SIZE.findall(said.get("memory.available", ""))]
        if free:
            record.facts["available_bytes"] = free[:64]

    def _request(self, text: str) -> None:
        said = dict(_LOAD.findall(text))
        if said.get("Operation") == "close":
            return
        record = self.now
        for key, name in (("KvSize", "context_tokens"), ("Parallel", "sequences"), ("BatchSize", "batch_tokens")):
            if said.get(key, "").isdigit():
                record.set(name, int(said[key][:12]))
        if "FlashAttention" in said:
            record.set("flash_attention", said["FlashAttention"].lower() in ("true", "enabled"))
        if said.get("KvCacheType"):
            record.set("k", said["KvCacheType"].lower())
            record.set("v", said["KvCacheType"].lower())


def _bytes(text: str) -> int | None:
    found = _SIZE.search(text)
    return size(found[1], found[2])[0] if found else None
