"""Made-up weights that behave like weights: finite, of a weight's size, never denormal; experts are picked about evenly.

Arithmetic on a CPU or a GPU takes as long whatever the numbers are, but for denormals and what is not a number. One
pattern a format is made and repeated from changing starts, so that writing keeps up with a disk.
"""

from __future__ import annotations

import functools
import random
import struct
from collections.abc import Iterator

from sizeup.errors import Unavailable
from sizeup.facts import data_json
from sizeup.model import Tensor
from sizeup.quant import quant

PATTERN_BYTES = 1 << 22
FLOATS = {"F32": "f", "F16": "e", "BF16": "bf16", "F64": "d"}
ONES = ("norm.weight", "norm_2.weight", "_norm", "ln.weight", "ssm_d", "layer_output_scale", "rope_freqs", "rope_factors", ".scale")
"""Parts of names of vectors that multiply: filled with ones."""
DECAYS = ("ssm_a",)
"""Parts of names of what a state decays by: a state that grew would end in infinities."""


def filling(tensor: Tensor) -> Iterator[bytes]:
    """The tensor's bytes in pieces. Raises Unavailable for a format nobody has described the scales of."""
    kind = str(tensor.type)
    left = tensor.bytes
    if kind in FLOATS and (constant := _constant(tensor)) is not None:
        piece = _float(kind, constant) * (min(left, PATTERN_BYTES) // quant(kind).block_bytes)
    else:
        piece = pattern(kind)
    block, turn = quant(kind).block_bytes, 0
    while left:
        # Begin elsewhere each time: equal pages would be a kind of file that no model is.
        start = turn * 7919 * block % len(piece)
        part = (piece[start:] + piece[:start])[: min(left, len(piece))] if start else piece[:left]
        yield part
        left -= len(part)
        turn += 1


def _constant(tensor: Tensor) -> float | None:
    if any(word in tensor.name for word in DECAYS):
        return -1.0
    if any(word in tensor.name for word in ONES):
        return 1.0
    return 0.0 if tensor.name.endswith("bias") else None


def _float(kind: str, value: float) -> bytes:
    if kind == "BF16":
        return struct.pack("<f", value)[2:]
    return struct.pack("<" + FLOATS[kind], value)


@functools.cache
def pattern(kind: str) -> bytes:
    """Some 4 MiB of whole blocks of one format, the same in every run."""
    source = random.Random(kind)
    deviation = data_json("fillings.json")["deviation"]
    if kind in FLOATS:
        values = [source.gauss(0, deviation) for _ in range(1 << 14)]
        drawn = b"".join(_float(kind, value if abs(value) > 1e-3 else 1e-3) for value in values)
        return drawn * (PATTERN_BYTES // len(drawn))
    scales = data_json("fillings.json")["scales"].get(kind)
    if scales is None:
        raise Unavailable(f"Nothing here says how to fill weights of the format {kind}.", "another --quant, such as Q4_K_M")
    size = quant(kind).block_bytes
    blocks = PATTERN_BYTES // 4 // size
    raw = bytearray(source.randbytes(blocks * size))
    for offset, how, value in scales:
        if how != "f16":
            raw[offset::size] = bytes([value]) * blocks
            continue
        # Real blocks differ in scale: one number for all would stay in registers and tables that real ones do not.
        drawn = b"".join(struct.pack("<e", value * source.uniform(0.5, 1.5)) for _ in range(blocks))
        raw[offset::size], raw[offset + 1 :: size] = drawn[0::2], drawn[1::2]
    return bytes(raw) * 4
