"""ModernBERT: pre-norm encoder, gated parts, local and global attention; its first block has no attention norm."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.decoder import class_name
from sizeup.readers.dimensions import FEED, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import MOST_TOKENS, Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden, bias = sizes.hidden, fields.flag("attention_bias")
    kind = "layer" if fields.flag("norm_bias") else "rms"
    every, window = (
        fields.integer("global_attn_every_n_layers", default=3),
        fields.integer("local_attention", default=128, most=MOST_TOKENS),
    )
    mlp = Mlp(fields.integer(*FEED), bias=fields.flag("mlp_bias"), fused=True)
    blocks = []
    for layer in range(sizes.layers):
        attention = Attention(
            sizes.heads,
            sizes.heads,
            sizes.head_dim,
            sizes.head_dim,
            window=window if layer % every else 0,
            caches=False,
            bias=bias,
            output_bias=bias,
            fused=True,
        )
        names = ("attn_norm", "ffn_norm") if layer else ("ffn_norm",)
        blocks.append(Block((attention,), mlp, norms(names, hidden, kind)))
    final = norm("output_norm", hidden, kind)
    if "MaskedLM" in class_name(fields, ""):
        shaped: Shapes = (("cls.weight", (hidden, hidden)),)
        if fields.flag("classifier_bias"):
            shaped += (("cls.bias", (hidden,)),)
        shaped += norm("cls.norm", hidden, kind)
        final += (*shaped, ("cls.output.bias", (sizes.vocabulary,))) if fields.flag("decoder_bias", default=True) else shaped
    embedding = Embedding(sizes.vocabulary, extras=norm("token_embd_norm", hidden, kind))
    return Body(hidden, sizes.vocabulary, embedding, Head(sizes.vocabulary, True, norm=final), blocks)
