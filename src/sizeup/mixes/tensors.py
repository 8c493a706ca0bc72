"""What the rules look at of a tensor: its block, its role, whether its type may change at all."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from ..model import Tensor
from .table import mix_data


@functools.lru_cache(maxsize=1 << 14)
def block_of(name: str) -> int:
    """The block a tensor belongs to; -1 for those outside blocks."""
    # The same names come back for every mix, and for every model of as many blocks.
    found = re.match(r"blk\.(\d+)\.", name)
    return int(found[1]) if found else -1


def quantiser_order(name: str) -> tuple[int, str]:
    """Sort key of llama.cpp's quantiser, which writes tensors outside blocks first and each block by name."""
    return block_of(name), name


@functools.lru_cache(maxsize=1 << 14)
def without_block(name: str) -> str:
    """The name with its block number taken out: all that rules look at, and the same for equal blocks."""
    return re.sub(r"^blk\.\d+\.", "blk.#.", name, count=1)


@functools.cache
def role_of(plain: str) -> str:
    for role, how, text in mix_data()["roles"]:
        if plain == text if how == "=" else text in plain:
            return str(role)
    return "other"


@functools.cache
def _kept(plain: str, architecture: str) -> bool:
    kept = mix_data()["kept"]
    if not plain.endswith("weight") or plain in kept["="]:
        return True
    return any(text in plain for text in (*kept["in"], *kept.get(architecture, ())))


def dimensions(shape: Sequence[int]) -> int:
    """ggml's count of dimensions: sides of length one at the end do not count."""
    return max((i + 1 for i, side in enumerate(shape) if side > 1), default=1)


def is_quantised(tensor: Tensor, architecture: str) -> bool:
    """Whether llama-quantize may change this tensor's type: matrices of weights that are neither norms nor small helpers."""
    return dimensions(tensor.shape) >= 2 and not _kept(without_block(tensor.name), architecture)


@functools.cache
def stays_f32(plain: str, architecture: str) -> bool:
    rules = mix_data()["converter"]
    stem, _, suffix = plain.removeprefix("blk.#.").rpartition(".")
    if suffix != "weight" or plain.endswith("_norm.weight") or stem in rules["f32"]:
        return True
    return any(text in plain for text in rules["f32_by_architecture"].get(architecture, ()))
