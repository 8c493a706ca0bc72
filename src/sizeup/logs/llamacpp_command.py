"""Settings from the command line that people paste above a log; what the engine itself says goes before them."""

from __future__ import annotations

import re
from typing import Any

from .record import Record, last_part

_PROGRAM = re.compile(
    r"(?:llama-(?:server|cli|completion|bench|mtmd-cli)|ollama_llama_server|/server|/main|koboldcpp)(?:\.exe)?\b(?! +[a-z]+ +\|)(.{1,4000})"
)
_OPTION = re.compile(r"(?<!\S)(-{1,2}[a-zA-Z][\w-]{0,40})(?:[ =]+(\"[^\"]{0,400}\"|'[^']{0,400}'|(?!-{1,2}[a-zA-Z])\S{1,400}))?")

COUNTS = {
    "-c": "context_tokens", "--ctx-size": "context_tokens", "-b": "batch_tokens", "--batch-size": "batch_tokens",
    "-ub": "micro_batch_tokens", "--ubatch-size": "micro_batch_tokens", "-np": "sequences", "--parallel": "sequences",
    "-ngl": "gpu_layers", "--gpu-layers": "gpu_layers", "--n-gpu-layers": "gpu_layers",
    "-ncmoe": "cpu_moe_layers", "--n-cpu-moe": "cpu_moe_layers",
}  # fmt: skip
TYPES = {"-ctk": "k", "--cache-type-k": "k", "-ctv": "v", "--cache-type-v": "v"}
ON = {"--cpu-moe": ("cpu_moe_layers", "all"), "-cmoe": ("cpu_moe_layers", "all"), "-nkvo": ("kv_offload", False), "--no-kv-offload": ("kv_offload", False),
      "--swa-full": ("swa_full", True), "--no-repack": ("repack", False), "--no-mmap": ("mmap", False), "--no-host": ("no_host", True),
      "-kvu": ("unified_cache", True), "--kv-unified": ("unified_cache", True), "--flash-attn": ("flash_attention", True), "-fa": ("flash_attention", True)}  # fmt: skip


def command(record: Record, line: str) -> None:
    """What a line with a command says and nothing has said yet."""
    if found := _PROGRAM.search(line):
        for key, value in options(found[1]).items():
            if key == "model":
                record.say("file", value)
            else:
                record.settings.setdefault(key, value)


def options(text: str) -> dict[str, Any]:
    """Settings by the names they have here."""
    said: dict[str, Any] = {}
    for name, value in _OPTION.findall(text):
        if name in COUNTS and re.fullmatch(r"\d{1,9}", value):
            if int(value) or COUNTS[name] != "context_tokens":
                said[COUNTS[name]] = int(value)
        elif name in TYPES and value:
            said[TYPES[name]] = value.lower()
        elif name in ("-fa", "--flash-attn") and value in ("on", "off", "auto", "0", "1"):
            said["flash_attention"] = {"on": True, "1": True, "off": False, "0": False}.get(value, "auto")
        elif name in ("-ts", "--tensor-split") and re.fullmatch(r"[\d.]{1,8}(?:[,/][\d.]{1,8}){1,15}", value):
            said["tensor_split"] = [float(share) for share in re.split("[,/]", value) if re.fullmatch(r"\d+(\.\d*)?", share)]
        elif name in ON:
            said.setdefault(*ON[name])
        elif name in ("-m", "--model") and value:
            said["model"] = last_part(value)
    return said
