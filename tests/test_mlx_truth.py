"""What mlx-lm's caches really kept, against the rules. Source of the table: measured with mlx-lm 0.32.2 and MLX 0.32.4 on its Linux CPU
backend, prompts read in pieces of 2,048, 2026-11-21."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from sizeup.engines.mlx.cache import Form, capacity, ring_tokens
from sizeup.layers import Attention
from sizeup.quant import quant

with (Path(__file__).parent / "data" / "mlx_truth.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))


def named(row: dict[str, str]) -> str:
    return f"{row['cache']}-{row['B']}x{row['kv_heads']}x{row['head_dim']}-{row['prompt']}+{row['new']}"


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_every_row_is_exact(row: dict[str, str]) -> None:
    """Token slots and stored bytes of ordinary, quantised and rotating caches, to the byte."""
    prompt, tokens = int(row["prompt"]), int(row["prompt"]) + int(row["new"])
    part = Attention(1, int(row["kv_heads"]), int(row["head_dim"]), int(row["head_dim"]))
    window, bits = re.search(r"\((\d+)\)", row["cache"]), re.search(r"Quantized\w+?(\d)$", row["cache"])
    slots = ring_tokens(int(window[1]), prompt, tokens) if window else capacity(tokens, prompt, 2048)
    form = Form(quant("BF16"), int(bits[1]) if bits else 0, 64)
    assert (int(row["capacity"]), int(row["bytes"])) == (slots, int(row["B"]) * part.cache_bytes(slots, form, form))
