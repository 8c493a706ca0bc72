"""Nemotron-H and Nemotron 3: every block is one thing (Mamba-2, attention, dense or experts), as a pattern of letters says."""

from __future__ import annotations

from sizeup.layers import Attention, Block, Embedding, Extras, Head, Mamba2, Mlp, Moe
from sizeup.readers.body import Body, norm, norms
from sizeup.readers.dimensions import Dimensions, dimensions
from sizeup.readers.families import Family
from sizeup.readers.fields import Fields

LETTERS = {"mamba": "M", "linear_attention": "M", "attention": "*", "full_attention": "*", "moe": "E", "mlp": "-"}


def read(fields: Fields, family: Family) -> Body:
    sizes = dimensions(fields, family)
    letters = pattern(fields, ("hybrid_override_pattern",), ("layers_block_type", "layer_types"), sizes.layers)
    made = {letter: block(fields, sizes, letter) for letter in dict.fromkeys(letters)}
    head = Head(sizes.vocabulary, fields.flag("tie_word_embeddings"), norm=norm("output_norm", sizes.hidden))
    return Body(
        sizes.hidden,
        sizes.vocabulary,
        Embedding(sizes.vocabulary),
        head,
        [made[letter] for letter in letters],
        drafts(fields, sizes),
        gguf="nemotron_h_moe" if "E" in letters else family.gguf,
    )


def pattern(fields: Fields, strings: tuple[str, ...], lists: tuple[str, ...], layers: int | None) -> str:
    """One letter a block, from a string of letters or a list of words."""
    text = fields.text(*strings)
    if not text:
        words = fields.texts(*lists, length=layers)
        if words is None:
            raise fields.missing(strings)
        text = "".join(LETTERS.get(word, "?") for word in words)
    if layers is not None and len(text) < layers:
        raise fields.broken(strings, f"of length {len(text)} for {layers} layers")
    text = text[:layers]
    if set(text) - set("M*-E"):
        raise fields.broken(strings + lists, "with a kind of block that has no rule here")
    return text


def block(fields: Fields, sizes: Dimensions, letter: str) -> Block:
    own = norms(("attn_norm",), sizes.hidden)
    if letter == "M":
        heads = fields.integer("mamba_num_heads")
        mixer = Mamba2(
            heads * fields.integer("mamba_head_dim"),
            heads,
            fields.integer("n_groups", default=1),
            fields.integer("ssm_state_size"),
            fields.integer("conv_kernel", default=4),
            fields.flag("use_conv_bias", default=True),
            fields.flag("use_bias"),
        )
        return Block((mixer,), None, own)
    if letter == "*":
        bias = fields.flag("attention_bias")
        return Block((Attention(sizes.heads, sizes.kv_heads, sizes.head_dim, sizes.head_dim, bias=bias, output_bias=bias),), None, own)
    if letter == "-":
        return Block((), Mlp(fields.integer("intermediate_size"), gated=False, bias=fields.flag("mlp_bias")), own)
    experts = fields.integer("n_routed_experts")
    shared = fields.integer("moe_shared_expert_intermediate_size", default=0, least=0) * fields.integer(
        "n_shared_experts", default=1, least=0
    )
    return Block(
        (),
        Moe(
            experts,
            fields.integer("num_experts_per_tok", most=experts),
            fields.integer("moe_intermediate_size"),
            shared,
            gated=False,
            router_bias=True,
            latent=fields.integer("moe_latent_size", default=0),
        ),
        own,
    )


def drafts(fields: Fields, sizes: Dimensions) -> list[Block]:
    """Each multi-token-prediction step is a short pattern of blocks; the first joins both inputs, the last ends in a norm."""
    steps = fields.integer("num_nextn_predict_layers", default=0, least=0, most=64)
    if not steps:
        return []
    has = fields.has("mtp_hybrid_override_pattern", "mtp_layers_block_type")
    letters = pattern(fields, ("mtp_hybrid_override_pattern",), ("mtp_layers_block_type",), None) if has else "*E"
    own = [block(fields, sizes, letter) for letter in letters[:64]]
    if not own:
        return []
    joins = (
        ("nextn.eh_proj.weight", (2 * sizes.hidden, sizes.hidden)),
        *norm("nextn.enorm", sizes.hidden),
        *norm("nextn.hnorm", sizes.hidden),
    )
    own[0] = Block(own[0].mixers, own[0].feed, Extras((*own[0].norms.shapes, *joins)))
    own[-1] = Block(own[-1].mixers, own[-1].feed, Extras((*own[-1].norms.shapes, *norm("nextn.shared_head_norm", sizes.hidden))))
    return own * steps
