"""llama.cpp's own settings: the keywords that `sizeup.account(engine="llama.cpp")` takes, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import UserError, close_names
from ...facts import data_json
from ...figure import is_column, plain
from ...settable import one_of, or_word
from .library_types import CACHE_TYPES

TOKENS_LIMIT = (1 << 31) - 1
"""Counts of tokens are 32-bit in the engine, and its command line takes them signed."""
SEQUENCES_LIMIT = 256
"""llama.cpp's LLAMA_MAX_SEQ."""
DEVICES_LIMIT = 16
"""llama.cpp's GGML_CUDA_MAX_DEVICES."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to start the engine. Counts may be figures; everything else is a flag or a name."""

    context_tokens: int = 8192
    """Tokens that all sequences together may hold (`-c`)."""
    sequences: int = 1
    """Sequences at the same time (`-np`)."""
    batch_tokens: int = 2048
    micro_batch_tokens: int = 512
    k: str = one_of(*CACHE_TYPES)
    v: str = one_of(*CACHE_TYPES)
    flash_attention: bool | str = or_word("auto", "auto")
    """"auto": on where every device can; True: on, and run by the CPU where a device cannot; False: off, and values are cached transposed."""
    unified_cache: bool = False
    """One cache for all sequences instead of a stream for each (`-kvu`)."""
    swa_full: bool = False
    """Sliding-window layers cache the whole context too."""
    outputs: int | str = or_word("server", "server", "library")
    """Rows of logits the graph is made for: "server" (one per sequence), "library" (the whole batch), or a number."""
    embeddings: bool = False
    repack: bool = True
    """The CPU makes its own copy of rows it can compute faster (`--no-repack` turns it off)."""
    mmap: bool = True
    gpu_layers: int | str = or_word(0, "all")
    """Layers on devices, the output layer counted as one: a number or "all". 0 leaves devices alone (`--device none`)."""
    gpus: int = 1
    gpu_kind: str = "cuda"
    cpu_moe_layers: int | str = or_word(0, "all")
    """The first n layers (or "all") keep their routed experts in host memory."""
    tensor_split: tuple[float, ...] | None = None
    """Shares of the layers per device; None goes by the devices' free memory."""
    gpu_free_bytes: tuple[int, ...] | None = None
    """Free memory per device when the engine starts; None takes all devices as equal."""
    rpc: tuple[str, ...] = ()
    """Addresses of the rpc-servers that lend the first of `gpus` (`--rpc`)."""
    op_offload: bool = True
    kv_offload: bool = True
    no_host: bool = False
    """Host weights lie in ordinary memory, not in pinned memory of the first device; repacking stays possible."""
    cpu_features: tuple[str, ...] | None = None
    """Instruction sets that decide what is repacked; None: the ones of the machine this runs on."""
    draft_tokens: int = 0
    """Tokens proposed per step; each asks for one more row of logits. 0 with a draft is the engine's default."""
    draft: Any = None
    """A draft model (ModelSpec) for speculative decoding."""
    draft_quant: str | None = None
    draft_gpu_layers: int | str | None = or_word(None, "all")
    """None: all of the draft's layers when this model has any on devices."""
    draft_k: str = one_of(*CACHE_TYPES)
    draft_v: str = one_of(*CACHE_TYPES)
    mtp: bool = False
    """Draft with the model's own multi-token-prediction blocks."""
    projector: Any = None
    """The vision or audio projector: a ModelSpec of an mmproj file, its bytes, or True for the model's own towers."""
    adapters: tuple[Any, ...] = ()
    """LoRA adapters: ModelSpecs of adapter files, or their bytes."""

    def __post_init__(self) -> None:
        _count("context_tokens", self.context_tokens, 1, TOKENS_LIMIT, "8192")
        _count("sequences", self.sequences, 1, SEQUENCES_LIMIT, "1")
        _count("batch_tokens", self.batch_tokens, 1, TOKENS_LIMIT, "2048")
        _count("micro_batch_tokens", self.micro_batch_tokens, 1, TOKENS_LIMIT, "512")
        _count("gpus", self.gpus, 1, DEVICES_LIMIT, "1")
        _count("draft_tokens", self.draft_tokens, 0, 1024, "16")
        _layers("gpu_layers", self.gpu_layers)
        _layers("cpu_moe_layers", self.cpu_moe_layers)
        if self.draft_gpu_layers is not None:
            _layers("draft_gpu_layers", self.draft_gpu_layers)
        for name in FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise UserError(f"{name} = {getattr(self, name)!r} is neither on nor off.", f"{name}=True or {name}=False")
        if self.gpu_kind not in kinds():
            near = close_names(str(self.gpu_kind).lower(), kinds(), 1, 0.4)
            raise UserError(
                f"gpu_kind = “{self.gpu_kind}” is no backend of llama.cpp that sizeup knows.", near[0] if near else ", ".join(kinds())
            )
        for name in ("k", "v", "draft_k", "draft_v"):
            value = getattr(self, name)
            if value not in CACHE_TYPES:
                near = close_names(str(value).lower(), CACHE_TYPES, 1, 0.3)
                raise UserError(
                    f"{name} = “{value}” is not a type that llama.cpp's cache can have.", near[0] if near else ", ".join(CACHE_TYPES)
                )
        if not (isinstance(self.flash_attention, bool) or self.flash_attention == "auto"):
            raise UserError(f"flash_attention = {self.flash_attention!r} is neither on, off nor auto.", "True")
        if isinstance(self.outputs, str):
            if self.outputs not in ("server", "library"):
                raise UserError(f"outputs = “{self.outputs}” is not a way to count rows of logits.", '"server", "library" or a number')
        else:
            _count("outputs", self.outputs, 1, TOKENS_LIMIT, "1")
        for name in ("tensor_split", "gpu_free_bytes"):
            shares = getattr(self, name)
            if shares is not None and (len(shares) != self.gpus or not min(shares) >= 0 or not sum(shares) > 0):
                raise UserError(
                    f"{name} needs one share for each device ({self.gpus}), not all of them 0; it has {len(shares)}.",
                    "one share per device, such as 3,1",
                )


FLAGS = ("unified_cache", "swa_full", "embeddings", "repack", "mmap", "op_offload", "kv_offload", "no_host", "mtp")


def kinds() -> tuple[str, ...]:
    """Kinds of devices whose memory rules are known (data/llamacpp_backends.json)."""
    return tuple(data_json("llamacpp_backends.json")["kinds"])


def _count(name: str, value: Any, least: int, most: int, example: str) -> None:
    number = plain(value)
    if is_column(value):
        return  # a column is checked where it is made
    if isinstance(number, bool) or not isinstance(number, int):
        raise UserError(f"{name} = {value!r} is not a whole number.", example)
    if not least <= number <= most:
        raise UserError(f"{name} = {number:,} is outside of {least:,} to {most:,}.", example)


def _layers(name: str, value: Any) -> None:
    if value == "all":
        return
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise UserError(f"{name} = {value!r} is neither a number of layers nor “all”.", "all")
    if number < 0:
        raise UserError(f"{name} = {number} is below 0.", "all, or 0 for none")
