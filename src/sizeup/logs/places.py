"""Where the engine's buffers lie, from the names it gives them."""

from __future__ import annotations

import re

KINDS = {"CUDA": "cuda", "ROCm": "rocm", "HIP": "rocm", "Vulkan": "vulkan", "Metal": "metal", "MTL": "metal", "SYCL": "sycl", "CANN": "cann", "MUSA": "musa"}  # fmt: skip
"""How backends begin -> kinds as devices have them."""
PACKED = ("REPACK", "AARCH64", "AMX", "KLEIDIAI", "HBM")
"""Names of buffers in which the CPU keeps rows in its own order."""

_DEVICE = re.compile(rf"({'|'.join(KINDS)})(\d{{1,3}})?(?:_(?:Mapped|Private|Split))?$")


def place(name: str) -> str:
    """The pool of a buffer: pinned memory of a card is the host's, Metal's is the one card's; "vram" when no number says which."""
    if found := _DEVICE.match(name):
        return f"vram:{found[2] or 0}" if found[2] or found[1] in ("Metal", "MTL") else "vram"
    # Another machine's cards come first, however many they are; tensor parallelism has a device that is all of them.
    return "vram" if name.startswith(("RPC", "Meta(")) else "ram"


def kind(name: str) -> str | None:
    """The kind of device that a buffer of this name lies on; None for the host's."""
    found = _DEVICE.match(name)
    return KINDS[found[1]] if found else None


def weights_part(name: str) -> str:
    """ "repacked" for what the CPU has rearranged, else "weights"."""
    return "repacked" if any(word in name for word in PACKED) else "weights"
