"""Checks that the settings of every serving engine pass when they are made."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ...errors import UserError, close_names
from ...figure import is_column, plain

DTYPES = ("auto", "bfloat16", "float16", "half", "float32", "float")


def check_count(name: str, value: Any) -> None:
    """Raises UserError for what is no whole number above 0; columns pass."""
    number = plain(value)
    if is_column(value):
        return
    if isinstance(number, bool) or not isinstance(number, int):
        raise UserError(f"{name} = {value!r} is not a whole number.", "1")
    if number < 1:
        raise UserError(f"{name} = {number:,} is below 1.", f"{name}=1")


def check_types(engine: str, cache: str, known: Collection[str], dtype: str) -> None:
    """Raises UserError for a type of the cache that is not `known`, or one that nothing computes in."""
    if cache not in known:
        near = close_names(str(cache).lower(), known, 1, 0.4)
        raise UserError(f"kv_cache_dtype = “{cache}” is not a type of {engine}'s cache that sizeup knows.", ", ".join(near or known))
    if dtype not in DTYPES:
        raise UserError(f"dtype = “{dtype}” is not a type that {engine} computes in.", "auto, bfloat16, float16, float32")
