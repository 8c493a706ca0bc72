"""Which kind of block stands at which position: attention or recurrent, windowed or not, sparse or dense."""

from __future__ import annotations

from .families import Family
from .fields import MOST_TOKENS, Fields

NAMES = {
    "full_attention": "full",
    "attention": "full",
    "multihead_attention": "full",
    "indexed_attention": "full",
    "global_attention": "full",
    "global": "full",
    "sliding_attention": "sliding",
    "local_attention": "sliding",
    "local": "sliding",
    "chunked_attention": "chunked",
    "linear_attention": "linear",
    "recurrent": "linear",
    "mamba": "mamba",
    "mamba2": "mamba",
    "conv": "conv",
    "short_conv": "conv",
    "moe": "moe",
    "mlp": "mlp",
    "hybrid": "hybrid",
}
"""Words of `layer_types` and `layers_block_type`, as this program calls them."""


def layer_kinds(fields: Fields, family: Family, layers: int) -> list[str]:
    """The mixer's kind at each position: "full", "sliding", "chunked", "linear", "mamba", "conv", …"""
    listed = fields.texts("layer_types", "layers_block_type", "block_types", length=layers)
    if listed is not None:
        kinds = [NAMES.get(word, word) for word in listed]
    elif fields.has("full_attn_idxs"):
        full = set(fields.integers("full_attn_idxs") or ())
        kinds = ["full" if layer in full else "conv" for layer in range(layers)]
    elif family.linear == "delta":
        every = fields.integer("full_attention_interval", default=4)
        kinds = ["linear" if (layer + 1) % every else "full" for layer in range(layers)]
    else:
        kinds = _windows(fields, family, layers)
    if family.chunked:
        kinds = ["chunked" if kind == "sliding" else kind for kind in kinds]
    if family.window_switch and not fields.flag(family.window_switch):
        kinds = ["full" if kind == "sliding" else kind for kind in kinds]
    return kinds


def _windows(fields: Fields, family: Family, layers: int) -> list[str]:
    if not family.window or not window_tokens(fields, family):
        return ["full"] * layers
    if family.window_switch:
        first = fields.integer("max_window_layers", default=0, least=0)
        return ["sliding" if layer >= first else "full" for layer in range(layers)]
    layout = fields.integers("sliding_window_layout", most=1)
    if layout and len(layout) >= layers:
        return ["sliding" if flag else "full" for flag in layout[:layers]]
    rotary = fields.integers("no_rope_layers", most=1) if family.chunked else None
    if rotary and len(rotary) >= layers:  # layers without positions are the full ones
        return ["sliding" if flag else "full" for flag in rotary[:layers]]
    if family.window_every is not None:
        name, default = family.window_every
        pattern = fields.raw(name)
        if isinstance(pattern, str):  # "LLLG": local and global
            return (
                ["full" if pattern[layer % len(pattern)] in "Gg" else "sliding" for layer in range(layers)]
                if pattern
                else ["full"] * layers
            )
        every = fields.integer(name, default=default)
        return ["sliding" if (layer + 1) % every else "full" for layer in range(layers)]
    return ["sliding"] * layers


def window_tokens(fields: Fields, family: Family) -> int:
    """Tokens that a windowed layer looks back over; 0 when it has no window."""
    names = (family.window,) if family.window else ("sliding_window", "sliding_window_size", "attention_chunk_size")
    value = fields.raw(*names)
    if value is None and not any(name in fields.data for name in names):
        return family.window_tokens
    return 0 if value in (0, -1) else fields.integer(*names, default=0, most=MOST_TOKENS)


def sparse_layers(fields: Fields, layers: int) -> list[bool]:
    """Which layers route between experts, under all the ways that configs say it. Only asked when there are experts."""
    if fields.has("mlp_layer_types"):
        return [word == "sparse" for word in fields.texts("mlp_layer_types", length=layers) or ()]
    if isinstance(fields.raw("moe_layer_freq"), list):
        return [bool(flag) for flag in fields.integers("moe_layer_freq", length=layers) or ()]
    if fields.has("moe_layers_enum"):
        words = (word.strip() for word in fields.text("moe_layers_enum").split(","))
        chosen = {int(word) for word in words if len(word) < 6 and word.isdecimal()}
        return [layer in chosen for layer in range(layers)]
    if fields.has("moe_layers"):
        chosen = set(fields.integers("moe_layers") or ())
        return [layer in chosen for layer in range(layers)]
    if fields.has("decoder_sparse_step", "mlp_only_layers"):
        every, dense = fields.integer("decoder_sparse_step", default=1), set(fields.integers("mlp_only_layers") or ())
        return [layer not in dense and (layer + 1) % every == 0 for layer in range(layers)]
    if fields.has("interleave_moe_layer_step"):
        every = fields.integer("interleave_moe_layer_step", least=0) or 1
        return [(layer + 1) % every == 0 for layer in range(layers)]
    first = fields.integer("first_k_dense_replace", "num_dense_layers", "moe_layer_start_index", default=0, least=0)
    every, interval = fields.integer("moe_layer_freq", default=1), fields.integer("moe_layer_interval", default=1)
    last = fields.integer("moe_layer_end_index", default=-1, least=-1)
    last = layers - 1 if last == -1 else last
    return [first <= layer <= last and layer % every == 0 and (layer + 1) % interval == 0 for layer in range(layers)]
