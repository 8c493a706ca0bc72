"""What one rank of a tensor-parallel server holds of each stored array: its share of rows or columns, or all of it.

Servers join arrays of a checkpoint that are multiplied together (queries, keys and values; gate and up); joined ones are one
allocation. Source: vLLM 0.33.0, model_executor/layers/linear.py, vocab_parallel_embedding.py, fused_moe/layer.py.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...figure import ceil_div, plain
from ...layers import Attention, Block, LatentAttention, Moe, Part

VOCABULARY_PADDING = 64
"""Rows of the embedding and of the head are padded to a multiple of so many (vLLM's DEFAULT_VOCAB_PADDING_SIZE; SGLang has the same)."""

WHOLE = re.compile(
    r"norm|ffn_gate_inp|exp_probs_b|attn_q_a\.|attn_kv_a|attn_kv\.|indexer|_scale|attn_output\.bias|ffn_down\.bias|ssm_out\.bias|ffn_latent"
    r"|layer_output|altup|laurel|per_layer|inp_gate|ffn_act|attn_compressor"
)
"""Arrays that every rank holds whole: norms, routers, down-projections to a latent vector, biases of what is summed over ranks."""
ROWS = re.compile(r"attn_output|ffn_down|ssm_out|attn_output_a|shortconv\.out_proj|ssm_x\.|lru_out")
"""Matrices whose inputs are split; all others have their outputs split."""
KEYS = re.compile(r"attn_[kv]\.(weight|bias)$")
JOINED = (
    (re.compile(r"attn_[qkv]\.weight$"), "qkv"),
    (re.compile(r"ffn_(gate|up)\.weight$"), "gate_up"),
    (re.compile(r"ffn_(gate|up)_exps\.weight$"), "experts_in"),
    (re.compile(r"ffn_(gate|up)_shexp\.weight$"), "shared_in"),
    (re.compile(r"attn_(q_a|kv_a_mqa)\.weight$"), "latent_in"),
)
"""Arrays that share one allocation."""


class Piece(NamedTuple):
    """One allocation of a rank: matrices of the same row length, or vectors."""

    name: str
    shapes: tuple[tuple[int, int, int], ...]
    """(row length, rows, copies) of each; copies are experts."""
    kind: str
    """"linear", "experts" or "plain": which of a format's number types it is in."""

    @property
    def elements(self) -> int:
        return sum(row * rows * copies for row, rows, copies in self.shapes)


def pieces(block: Block, hidden: int, ranks: int) -> tuple[Piece, ...]:
    """What one rank of `ranks` holds of a block."""
    return _pieces(block, hidden, ranks)


@functools.lru_cache(maxsize=4096)
def _pieces(block: Block, hidden: int, ranks: int) -> tuple[Piece, ...]:
    found: dict[str, tuple[str, list[tuple[int, int, int]]]] = {}
    for number, part in enumerate(block.parts):
        for name, shape in part.stored(hidden):
            split, kind = _split(name, tuple(int(plain(side)) for side in shape), part, ranks)
            joined = next((group for pattern, group in JOINED if pattern.match(name)), name)
            found.setdefault(f"{number}.{joined}", (kind, []))[1].append(split)
    return tuple(Piece(name.partition(".")[2], tuple(shapes), kind) for name, (kind, shapes) in found.items())


def _split(name: str, shape: tuple[int, ...], part: Part, ranks: int) -> tuple[tuple[int, int, int], str]:
    """(row length, rows, copies) that one rank holds of an array, and which format it has."""
    if isinstance(part, LatentAttention) and len(shape) == 3:
        # Up-projections from the latent vector are one matrix in the checkpoint, split by heads.
        rows = shape[0] if name.startswith("attn_k_b") else shape[1]
        return (part.kv_rank, rows * int(ceil_div(shape[2], ranks)), 1), "linear"
    if len(shape) == 3:
        row, rows, experts = shape
        if name.startswith("ffn_down"):
            return (int(ceil_div(row, ranks)), rows, experts), "experts"
        return (row, int(ceil_div(rows, ranks)), experts), "experts"
    if len(shape) == 2 and isinstance(part, Moe) and "_exps" in name:
        # Biases of experts: one row each.
        return (shape[0] if name.startswith("ffn_down") else int(ceil_div(shape[0], ranks)), shape[1], 1), "plain"
    matrix = len(shape) == 2
    row, rows = shape if matrix else (1, shape[0])
    kind = "linear" if matrix and not _plain(name) else "plain"
    if WHOLE.search(name):
        return (row, rows, 1), kind
    if isinstance(part, Attention) and KEYS.match(name):
        return (row, rows * max(1, part.kv_heads // ranks) // part.kv_heads, 1), kind
    if isinstance(part, Attention) and name.startswith("attn_qkv"):
        queries = part.heads * part.key_dim
        both = rows - queries
        return (row, int(ceil_div(queries, ranks)) + both * max(1, part.kv_heads // ranks) // part.kv_heads, 1), kind
    if matrix and ROWS.search(name):
        return (int(ceil_div(row, ranks)), rows, 1), kind
    return (row, int(ceil_div(rows, ranks)), 1), kind


def _plain(name: str) -> bool:
    """Matrices that no method quantises: routers, convolutions, decays, learned vectors."""
    return bool(re.search(r"norm|ffn_gate_inp|conv|ssm_a$|ssm_d$|ssm_a\.|ssm_d\.|\.bias|time_mix|lerp|_ape|sinks", name))


def pieces_kind(name: str, shape: tuple[int, ...], part: Part) -> str:
    """Which of a format's number types an array is in."""
    return _split(name, shape, part, 1)[1]


def embedding_rows(vocabulary: int, ranks: int) -> int:
    """Rows of the embedding on one rank: the vocabulary padded, then split."""
    return -(-vocabulary // VOCABULARY_PADDING) * VOCABULARY_PADDING // ranks


def outside(part: Any, hidden: int, vocabulary: int, ranks: int) -> Iterator[Piece]:
    """What one rank holds of the embedding or of the head."""
    for name, shape in part.stored(hidden):
        sides = tuple(int(plain(side)) for side in shape)
        if name in ("token_embd.weight", "output.weight"):
            yield Piece(name, ((sides[0], embedding_rows(sides[1], ranks), 1),), "plain")
        elif name.startswith("per_layer_token_embd") or name == "output.bias":
            yield Piece(name, ((sides[0] if len(sides) > 1 else 1, int(ceil_div(sides[-1], ranks)), 1),), "plain")
        else:
            row, rows = (sides[0], sides[1]) if len(sides) == 2 else (1, sides[0] if len(sides) == 1 else 1)
            for side in sides[2:]:
                rows *= side
            yield Piece(name, ((row, rows, 1),), "plain")
