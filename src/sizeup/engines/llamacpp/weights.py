"""Which buffer each weight goes to, and how large each buffer gets.

Source: llama.cpp b11549, src/llama-model.cpp (load_tensors, make_cpu_buft_list), src/llama-model-loader.cpp (create_tensor,
get_mapping_range), ggml/src/ggml-backend.cpp (ggml_backend_buft_get_alloc_size_n_default).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from ...facts import data_json
from ...plan import Claim
from .graph.sheet import Homes, Sheet
from .ledger import Buffers, Entry, Extents, Ledger, alignment, device_bytes, join, ledger, reach, row_padding
from .placement import pool

__all__ = ["Load", "alignment", "device_bytes", "row_padding", "weight_claims"]


class Load(NamedTuple):
    """How weights are loaded, as flags."""

    mmap: bool
    repack: bool
    no_host: bool
    kind: str
    features: tuple[str, ...]
    mtp: bool = False
    """Blocks for drafting are loaded too."""


@functools.lru_cache(maxsize=512)
def weight_claims(sheet: Sheet, homes: Homes, load: Load) -> tuple[Claim, ...]:
    """Bytes of every weight buffer. Not counted: blocks for drafting, which the engine leaves out unless told otherwise.

    "weights" in host memory are the buffers plus the mapped span; pages of the span that hold only repacked rows, or
    weights that were copied to a device, are marked reclaimable, since running never reads them again.
    """
    kinds = data_json("llamacpp_backends.json")["kinds"]
    book = ledger(sheet, Buffers(load.kind, packing(load, homes)))
    blocks = len(book.rest) if load.mtp else sheet.spec.layers
    held = _host_entries(book, homes, blocks)
    host = sum(held, Entry())
    stays = sum(book.rest[index].stays for index in range(blocks) if homes.layers[index] != homes.cpu)
    # The same table serves as embedding and head where both lie in one buffer, unless the loader asks for the head first.
    again = book.head if homes.output == homes.cpu else Entry()
    twice = sheet.spec.architecture in data_json("llamacpp_weights.json")["head_first"]
    claims: list[Claim] = []
    spare = 0
    if load.mmap and any(entry.extents for entry in held):
        extents: Extents = {}
        for entry in held:
            join(extents, entry.extents)
        claims.append(Claim("weights", "ram", host.raw, label="mapped"))
        spare = reach(extents) - host.raw
    else:
        claims.append(Claim("weights", "ram", host.plain + (again.plain if twice else 0)))
    if stays:
        claims.append(Claim("weights", "ram", stays, label="no_kernel"))
    if book.lazy.plain:
        claims.append(Claim("weights", "ram", book.lazy.raw, reclaimable=True, label="on_demand"))
    for device in range(homes.cpu):
        entries = _device_entries(book, homes, device, blocks)
        entry = sum(entries, Entry())
        if not entry.device:
            continue
        if load.mmap and kinds[load.kind]["maps_file"] and all(e.device_extents or not e.device for e in entries):
            reached: Extents = {}
            for each in entries:
                join(reached, each.device_extents)
            claims.append(Claim("weights", pool(device, homes), max(reach(reached), 0), label="mapped"))
            # The device's span and the host's are pages of one file: what the host maps beyond its own is there anyway.
            spare = 0
        else:
            claims.append(Claim("weights", pool(device, homes), entry.device))
    if spare > 0:
        claims.append(Claim("weights", "ram", spare, reclaimable=True, label="mapped_originals"))
    if host.packed + again.packed:
        claims.append(Claim("repacked", "ram", host.packed + again.packed))
    return tuple(claims)


def packing(load: Load, homes: Homes) -> tuple[str, ...]:
    """The instruction sets that host weights are rearranged for; none where they are not."""
    # Pinned host memory of the first device ranks before repacking.
    pinned = homes.cpu > 0 and not load.no_host and data_json("llamacpp_backends.json")["kinds"][load.kind]["pinned_host"]
    return load.features if load.repack and not pinned else ()


def _host_entries(book: Ledger, homes: Homes, blocks: int) -> list[Entry]:
    """What lies in host memory: the input, and blocks and experts that are not on devices."""
    found = [book.input]
    for index in range(blocks):
        if homes.layers[index] == homes.cpu:
            found.append(book.rest[index])
        if homes.experts[index] == homes.cpu:
            found.append(book.experts[index])
    if homes.output == homes.cpu:
        found.append(book.output)
    if homes.layers[0] == homes.cpu:
        found.append(book.first)
    if homes.cpu in book.rotated(homes.layers):
        found.append(book.everywhere)
    return found


def _device_entries(book: Ledger, homes: Homes, device: int, blocks: int) -> list[Entry]:
    """What lies on one device; the head of a model without its own is the token embedding once more."""
    found = [book.rest[index] for index in range(blocks) if homes.layers[index] == device]
    found += [book.experts[index] for index in range(blocks) if homes.experts[index] == device]
    if homes.output == device:
        found += [book.output, book.head]
    if homes.layers[0] == device:
        found.append(book.first)
    if device in book.rotated(homes.layers):
        found.append(book.everywhere)
    return found
