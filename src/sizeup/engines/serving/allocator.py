"""How many bytes PyTorch's CUDA allocator sets aside for one array.

Arrays of 10 MiB or more get whole 2 MiB of their own; what is left of those is given to others only when it is more than 1 MiB.
Source: PyTorch 2.13, c10/cuda/CUDACachingAllocator.cpp (round_size, get_allocation_size, should_split).
"""

from __future__ import annotations

MIB = 1 << 20
LARGE = 10 * MIB
GRAIN = 512


def allocated(bytes: int) -> int:
    """Bytes that count as used for an array of so many. Not counted: what smaller arrays leave unused in shared blocks."""
    size = -(-bytes // GRAIN) * GRAIN
    if size < LARGE:
        return size
    whole = -(-size // (2 * MIB)) * 2 * MIB
    return whole if whole - size <= MIB else size
