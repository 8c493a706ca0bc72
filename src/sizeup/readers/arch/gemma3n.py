"""Gemma 3n: four parallel residual streams (AltUp), low-rank side paths (Laurel), per-layer embeddings, shared keys and values."""

from __future__ import annotations

from dataclasses import replace

from sizeup.layers import Block, Embedding, Extras, Head, Mlp
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.dimensions import FEED, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields
from sizeup.readers.mixers import attention
from sizeup.readers.schedule import layer_kinds


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden, layers = sizes.hidden, sizes.layers
    kinds, widths = layer_kinds(fields, family, layers), fields.each_layer(*FEED, layers=layers)
    streams, rank = fields.integer("altup_num_inputs", most=256), fields.integer("laurel_rank")
    per_layer, rows = fields.integer("hidden_size_per_layer_input"), fields.integer("vocab_size_per_layer_input", most=1 << 28)
    shared = fields.integer("num_kv_shared_layers", default=0, least=0)
    own = Extras((*norms(family.norms, hidden).shapes, *extras(hidden, streams, rank, per_layer)))
    blocks = []
    for layer in range(layers):
        reuses = layer >= layers - shared
        mixer = replace(attention(fields, family, sizes, kinds[layer]), caches=not reuses, unused_kv=reuses)
        blocks.append(Block((mixer,), Mlp(widths[layer]), own))
    embedding = Embedding(
        sizes.vocabulary,
        extras=(
            ("per_layer_model_proj.weight", (hidden, layers * per_layer)),
            *norm("per_layer_proj_norm", per_layer),
            ("altup_proj.weight", (hidden, hidden, streams - 1)),
            ("altup_unembd_proj.weight", (hidden, hidden, streams - 1)),
        ),
        per_layer_width=per_layer,
        per_layer_vocabulary=rows,
        layers=layers,
    )
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings", default=True), norm=norm("output_norm", hidden))
    return Body(hidden, sizes.vocabulary, embedding, head, blocks)


def extras(hidden: int, streams: int, rank: int, per_layer: int) -> Shapes:
    """What one block stores beside attention, feed-forward and its four norms."""
    return (
        ("altup_correct_coef.weight", (streams, streams)),
        ("altup_correct_scale.weight", (hidden,)),
        ("altup_predict_coef.weight", (streams, streams * streams)),
        ("altup_router.weight", (hidden, streams)),
        ("altup_router_norm.weight", (hidden,)),
        ("laurel_l.weight", (hidden, rank)),
        ("laurel_r.weight", (rank, hidden)),
        ("laurel_post_norm.weight", (hidden,)),
        ("inp_gate.weight", (hidden, per_layer)),
        ("proj.weight", (per_layer, hidden)),
        ("post_norm.weight", (hidden,)),
    )
