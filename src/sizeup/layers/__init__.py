"""Layer kinds. A model is a sum of unlike layers, and each kind answers for itself: what it stores, what it caches per
token slot, what it keeps as state. The *engine* knows how many token slots it makes; the layer knows bytes per slot.

Shapes: `hidden` is the residual width; a weight's shape is in ggml's order, row length (input) first. Tensor names are
llama.cpp's short names without `blk.N.` and with `.weight`/`.bias`, because its quantisation rules are written on them.
Counted as parameters: everything a published checkpoint holds for the layer. Numbers may be ints, figures or columns.
"""

from __future__ import annotations

from .attention import Attention, BlockIndexer, CompressedAttention, Indexer, LatentAttention
from .block import Block, Embedding, Extras, Head, Tower
from .feed import Mlp, Moe
from .part import Part, Shape, Stored, count, matrix
from .recurrent import GatedDeltaNet, GatedLru, KimiDelta, LightningAttention, Mamba1, Mamba2, Rwkv7, ShortConv

__all__ = [
    "Attention",
    "Block",
    "BlockIndexer",
    "CompressedAttention",
    "Embedding",
    "Extras",
    "GatedDeltaNet",
    "GatedLru",
    "Head",
    "Indexer",
    "KimiDelta",
    "LatentAttention",
    "LightningAttention",
    "Mamba1",
    "Mamba2",
    "Mlp",
    "Moe",
    "Part",
    "Rwkv7",
    "Shape",
    "ShortConv",
    "Stored",
    "Tower",
    "count",
    "matrix",
]
