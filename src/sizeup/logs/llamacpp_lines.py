"""How llama.cpp's lines look, from 2023 to b11549."""

from __future__ import annotations

import re

from .record import SIZE

LOADED = re.compile(r"loaded meta data with \d{1,9} key-value pairs and \d{1,9} tensors from (.{1,4096}?)(?: \(version |$)")
BANNER = re.compile(
    r"(?:\bbuild(?:_info)?: b?(\d{1,7})(?:-|\s\()(\w{1,16})|main: build = (\d{1,7}) \((\w{1,16})|\bbuild=(\d{1,7}) commit=\"(\w{1,16})"
    r"|\"build\":(\d{1,7}),\"commit\":\"(\w{1,16})|\bversion: (\d{1,7}) \((\w{1,16})\)|print_info: build (\d{1,7}) \((\w{1,16}))"
)
CUDA = re.compile(r"ggml_(?:cuda_init|init_cublas): found \d{1,3} (\w+) devices")
SERVING = ("all slots are idle", "model loaded", "listening on", "HTTP server listening", "llama_perf", "print_timing", "runner started")

INFO = re.compile(r"(?:print_info|llm_load_print_meta|llama_model_load_internal): ([\w. ]{2,40}?) *= +(.{1,400})")
KEY = re.compile(r"- kv +\d{1,5}: +(\S{1,100}) (?:str|u32|i32|u16|u64) +(?:\S+ +)?= (.{1,400})")
BUFFER = re.compile(r"(\w{3,60}): +(\S{1,80}) +(?:[\w-]{1,30} ){0,3}?(?:(model|KV|RS|compute|output|input) +)?buffer size += +" + SIZE)
TYPES = re.compile(r"\bK \((\w{2,8})\): +[\d.]+ MiB, V \((\w{2,8})\)")
OLD_TYPES = re.compile(r"type_k = '(\w{2,8})', type_v = '(\w{2,8})'")
LATENT = re.compile(r"c\^KV \((\w{2,8})\)")
CONTEXT = re.compile(
    r"(?:llama_context|llama_new_context_with_model|llama_init_from_model|llama_model_load_internal|llama_init_from_file): (\w{5,24}) +=? +(\S{1,40})"
)
OFFLOADED = re.compile(r"offloaded (\d{1,5})/(\d{1,5}) layers to GPU")
USING = re.compile(r"using device (\S{1,80}) \((.{1,120}?)\)(?: \([^()]{1,40}\))? - (\d{1,9}) MiB free")
DEVICE = re.compile(r"^\s*Device (\d{1,3}): ([^,]{1,120}), (?:compute capability|gfx)[^,]*(?:.*?VRAM: (\d{1,9}) MiB)?")
LISTED = re.compile(r"- (CUDA|ROCm|Vulkan|SYCL|MTL|Metal|CANN|MUSA|CPU)(\d{0,3}) *: (.{1,120}?) \((\d{1,9}) MiB, (\d{1,9}) MiB free\)")
VULKAN = re.compile(r"ggml_vulkan: (\d{1,3}) = (.{1,120}?) \([^()]*\) \|")
METAL = re.compile(r"GPU name: +(.{1,80})")
WIRED = re.compile(r"recommendedMaxWorkingSetSize += +([\d.]{1,12}) MB")
PROMPT = re.compile(r"prompt eval time += +[\d.]{1,14} ms / +(\d{1,9}) tokens.*?([\d.]{1,14}) tokens per second")
DECODE = re.compile(r"(?<!prompt )eval time += +[\d.]{1,14} ms / +(\d{1,9}) (?:runs|tokens).*?([\d.]{1,14}) tokens per second")
BENCH = re.compile(r"\| +(pp|tg)(\d{1,7})(?: @ d\d+)? +\| +([\d.]{1,12}) ± ")
TABLE = re.compile(
    r"\| +- (\S{1,60})(?: \(([^|]{1,80})\))? +\|(?: *(\d{1,9}) = +(\d{1,9}) \+)?[ (]+(\d{1,9}) = +(\d{1,9}) \+ +(\d{1,9}) \+ +(\d{1,9})\b"
)
SLOTS = re.compile(r"n_slots = (\d{1,4}), n_ctx_slot = (\d{1,9}), kv_unified = '(true|false)'")
LOADING = re.compile(r"load_model: loading model '([^']{1,4096})'")
FEATURES = re.compile(r"\b(AVX2|AVX512|AMX_INT8|NEON|DOTPROD|MATMUL_INT8|SVE|F16C|FMA|BMI2|AVX|RISCV_V) = 1\b")
FEATURE_NAMES = {"AVX512": "avx512f", "MATMUL_INT8": "i8mm", "RISCV_V": "rvv"}
EXPERT = re.compile(r"tensor blk\.(\d{1,4})\.ffn_\w+_exps\.weight .*?buffer type overrid{1,2}en to CPU\b")
OLD_SIZES = (
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
MARKS = (
    "llama", "llm_load", "system_info", "load_tensors", "print_info", "buffer size", "eval time", "build", "Device ", "offload", "kv", "mmap", "load_mode", "| ",
    "GPU name", "recommendedMax", "ggml_", "overrid", "version: ", "using device", "type_k", "K (", "allocat", "n_slots", "load_model", " MiB free", "runner started",
)  # fmt: skip

MOST_CHARACTERS = 1024
"""Of a line; only commands and the prompts of people are longer."""
PLAIN = {"n_ctx": "context_tokens", "n_batch": "batch_tokens", "n_ubatch": "micro_batch_tokens", "n_seq_max": "sequences", "n_outputs_max": "outputs"}  # fmt: skip
FLASH = {"0": False, "1": True, "enabled": True, "disabled": False, "auto": "auto"}
