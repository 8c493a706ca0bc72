"""Which buffer each weight goes to, and how large each buffer gets.

Source: llama.cpp b11549, src/llama-model.cpp (load_tensors, make_cpu_buft_list), src/llama-model-loader.cpp (create_tensor,
get_mapping_range), ggml/src/ggml-alloc.c (ggml_backend_alloc_ctx_tensors_from_buft_size).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ...facts import data_json
from ...figure import round_up
from ...model import Tensor
from ...plan import Claim
from ...quant import Quant, quant
from .graph.sheet import IN_BLOCK, Homes, Sheet
from .placement import pool
from .repack import repacked

HOST_ALIGNMENT = 32
ALIGNMENT = {"cuda": 128, "rocm": 128, "vulkan": 256, "metal": 32, "sycl": 128}
"""Bytes that device buffers align tensors to (vulkan: the usual device limit)."""
ROW_PADDING = {"cuda": 512, "rocm": 512}
"""Values that rows of quantised tensors are padded to at the end of a device tensor (ggml-cuda.cu: MATRIX_ROW_PADDING)."""


@dataclass(frozen=True, slots=True)
class Load:
    """How weights are loaded, as flags."""

    mmap: bool
    repack: bool
    no_host: bool
    kind: str
    features: tuple[str, ...]


@functools.lru_cache(maxsize=512)
def weight_claims(sheet: Sheet, homes: Homes, load: Load) -> tuple[Claim, ...]:
    """Bytes of every weight buffer. Not counted: blocks for drafting, which the engine leaves out unless told otherwise.

    "weights" in host memory are the buffers plus the mapped span; pages of the span that hold only repacked rows are
    marked reclaimable, since running never reads them again.
    """
    plain: dict[str, int] = {}
    copies, mapped = 0, []
    # Pinned host memory of the first device ranks before repacking.
    may_repack = load.repack and (homes.cpu == 0 or load.no_host)
    for tensor, backend in _placed(sheet, homes):
        if backend != homes.cpu:
            where = pool(backend, homes)
            plain[where] = plain.get(where, 0) + device_bytes(tensor, load.kind)
        elif may_repack and repacked(tensor, load.features):
            copies += round_up(tensor.bytes, HOST_ALIGNMENT)
        elif load.mmap and tensor.offset is not None:
            mapped.append(tensor)
        else:
            plain["ram"] = plain.get("ram", 0) + round_up(tensor.bytes, HOST_ALIGNMENT)
    claims = [Claim("weights", where, bytes) for where, bytes in sorted(plain.items())]
    if mapped:
        used = {t.name: t.bytes for t in mapped}
        span, needed = _span(mapped), sum(used.values())
        claims.append(Claim("weights", "ram", needed, label="mapped"))
        if span > needed:
            claims.append(Claim("weights", "ram", span - needed, reclaimable=True, label="mapped_originals"))
    if copies:
        claims.append(Claim("repacked", "ram", copies))
    return tuple(claims)


HEAD_FIRST = frozenset(("gemma3n", "gemma4"))
"""Architectures whose loader asks for the tied head before the embedding, and so makes it twice (src/models/gemma3n.cpp, gemma4.cpp)."""


def _placed(sheet: Sheet, homes: Homes) -> list[tuple[Tensor, int]]:
    """Every loaded weight with its backend. A tied embedding is there twice when its copy as the head lies elsewhere."""
    main, found = len(sheet.blocks), []
    # LFM2's files call their output norm by the name of another one.
    misnamed = "token_embd_norm.weight" if sheet.spec.causal and "output_norm.weight" not in sheet.tensors else ""
    for name, tensor in sheet.tensors.items():
        match = IN_BLOCK.match(name)
        if match and int(match[1]) >= main:
            continue
        backend = homes.output if name == misnamed else homes.of(name)
        found.append((tensor, backend))
        if name == "rope_freqs.weight":
            # Every device that holds a block has its own copy.
            found += [(tensor, other) for other in sorted(set(homes.layers[:main])) if other != backend]
    embedding = sheet.tensors.get("token_embd.weight")
    headless = sheet.spec.architecture in data_json("gguf_architectures.json")["headless"]
    tied = embedding is not None and "output.weight" not in sheet.tensors and not headless
    if embedding is not None and tied and (homes.output != homes.cpu or sheet.spec.architecture in HEAD_FIRST):
        found.append((embedding, homes.output))
    return found


def device_bytes(tensor: Tensor, kind: str) -> int:
    """Bytes of a weight in a device's buffer: aligned, and one padded row when rows are quantised."""
    assert tensor.type is not None
    return int(round_up(tensor.bytes + row_padding(quant(tensor.type), tensor.shape[0], kind), ALIGNMENT.get(kind, 128)))


def row_padding(type: Quant, row: int, kind: str) -> int:
    """Bytes added once per quantised tensor whose rows are no multiple of the device's padding."""
    padding = ROW_PADDING.get(kind, 0)
    if type.block == 1 or not padding or row % padding == 0:
        return 0
    return int(type.row_bytes(padding - row % padding))


def _span(tensors: list[Tensor]) -> int:
    """From the first to the last byte that stays mapped, summed over files."""
    total = 0
    for file in {t.file for t in tensors}:
        inside = [t for t in tensors if t.file == file]
        total += max((t.offset or 0) + t.bytes for t in inside) - min(t.offset or 0 for t in inside)
    return total
