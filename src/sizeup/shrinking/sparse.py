"""What is left of matrices when weights are set to zero: bytes of the encodings that leave zeros out."""

from __future__ import annotations

from sizeup.errors import UserError
from sizeup.figure import Number, ceil_div, round_up, step
from sizeup.model import Tensor
from sizeup.quant import Quant, quant

TWO_FOUR = "2:4"
"""Of every four weights in a row two stay."""

INDEX_BYTES = 2
"""Of a column's number in rows of up to 65,536 values; twice as many in longer ones."""

POINTER_BYTES = 4
"""Of where a row begins in the list of what is left."""


def parse(text: str) -> float | str:
    """The pattern "2:4", or the share of weights that goes: 0.5 or 50%. Raises UserError."""
    if text.strip() == TWO_FOUR:
        return TWO_FOUR
    try:
        share = float(text.strip().removesuffix("%")) / (100 if "%" in text else 1)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise UserError(f"“{text}” is neither a share of weights nor the pattern 2:4.", "--sparsity 0.5 or --sparsity 2:4")
    return share


def encoded_bytes(tensor: Tensor, sparsity: float | str) -> int:
    """Bytes of this matrix with its zeros left out, in the smallest encoding; as it was where none is smaller."""
    return _encodings(tensor, sparsity)[encoding(tensor, sparsity)]


def encoding(tensor: Tensor, sparsity: float | str) -> str:
    """The smallest: "two_four", "bitmap", "csr", or "dense" where zeros are cheaper kept."""
    found = _encodings(tensor, sparsity)
    return min(found, key=lambda name: found[name])


def left(tensor: Tensor, sparsity: float | str) -> int:
    """Weights that are not set to zero."""
    return tensor.elements // 2 if sparsity == TWO_FOUR else tensor.elements - int(tensor.elements * float(sparsity))


def index_bytes(tensor: Tensor) -> int:
    """Of a column's number."""
    return INDEX_BYTES if tensor.shape[0] <= 1 << 16 else 2 * INDEX_BYTES


def _encodings(tensor: Tensor, sparsity: float | str) -> dict[str, int]:
    assert tensor.type is not None
    kind, row, elements = quant(tensor.type), tensor.shape[0], tensor.elements
    found = {"dense": tensor.bytes}
    if sparsity == TWO_FOUR:
        return found | ({} if row % 4 else {"two_four": int(two_four_bytes(elements, kind))})
    kept = left(tensor, sparsity)
    return found | {
        "bitmap": int(bitmap_bytes(elements, kept, kind)),
        "csr": int(csr_bytes(kept, elements // row, index_bytes(tensor), kind)),
    }


def values_bytes(kept: Number, kind: Quant) -> Number:
    """Bytes of the values that are left, packed into whole blocks of their format."""
    return kind.row_bytes(round_up(kept, kind.block))


@step("two_four_bytes")
def two_four_bytes(elements: Number, kind: Quant) -> Number:
    """Half of the values, and two bits for each that say which of its four places it had."""
    return values_bytes(elements // 2, kind) + ceil_div(elements // 2 * 2, 8)


@step("bitmap_bytes")
def bitmap_bytes(elements: Number, kept: Number, kind: Quant) -> Number:
    """The values that are left, and one bit for every place."""
    return values_bytes(kept, kind) + ceil_div(elements, 8)


@step("csr_bytes")
def csr_bytes(kept: Number, rows: Number, index_bytes: Number, kind: Quant) -> Number:
    """The values that are left, each with its column's number, and where each row begins."""
    return values_bytes(kept, kind) + kept * index_bytes + (rows + 1) * POINTER_BYTES
