"""BERT and its kin: post-norm encoders with learned positions and token types. What the class name ends in decides the head."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Head, Mlp
from sizeup.readers.body import Body, Shapes, norm, norms
from sizeup.readers.decoder import class_name
from sizeup.readers.dimensions import FEED, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    hidden = sizes.hidden
    attention = Attention(sizes.heads, sizes.heads, sizes.head_dim, sizes.head_dim, caches=False, bias=True, output_bias=True)
    mlp = Mlp(fields.integer(*FEED), gated=False, bias=True)
    block = Block((attention,), mlp, norms(("attn_output_norm", "layer_output_norm"), hidden, "layer"))
    types = fields.integer("type_vocab_size", default=2, least=0)
    kinds: Shapes = (("token_types.weight", (hidden, types)),) if types else ()
    embedding = Embedding(
        sizes.vocabulary,
        positions=fields.integer("max_position_embeddings"),
        extras=(*kinds, *norm("token_embd_norm", hidden, "layer")),
    )
    return Body(hidden, sizes.vocabulary, embedding, head(fields, sizes.vocabulary, hidden), [block] * sizes.layers)


def head(fields: Fields, words: int, hidden: int) -> Head:
    """A pooler after the bare model, a transform before the tied projection of the masked language model, or nothing."""
    name = class_name(fields, "BertModel")
    dense: Shapes = ()
    transforms = any(word in name for word in ("MaskedLM", "PreTraining", "LMHead", "CausalLM"))
    if transforms:
        dense = (
            ("cls.weight", (hidden, hidden)),
            ("cls.bias", (hidden,)),
            *norm("cls.norm", hidden, "layer"),
            ("cls.output.bias", (words,)),
        )
    elif name.endswith("Model"):
        dense = (("cls.weight", (hidden, hidden)), ("cls.bias", (hidden,)))
    elif "SequenceClassification" in name:
        labels = fields.section("id2label")
        rows = fields.integer("num_labels", default=len(labels.data) if labels else 2)
        dense = (
            ("cls.weight", (hidden, hidden)),
            ("cls.bias", (hidden,)),
            ("cls.output.weight", (hidden, rows)),
            ("cls.output.bias", (rows,)),
        )
    own = transforms and not fields.flag("tie_word_embeddings", default=True)
    return Head(words, not own, norm=dense)
