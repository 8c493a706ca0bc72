"""What a family of decoders has that its config does not say: one row of data/families.json a model type.

A switch is true, false, the name of a config field, or [field, what it means when absent].
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sizeup.errors import close_names
from sizeup.facts import data_json

from .fields import Fields

Switch: TypeAlias = bool | str | tuple[str, bool]


@dataclass(frozen=True)
class Family:
    """Facts of one family. The defaults are Llama's, so a row states differences only."""

    model_type: str
    gguf: str = ""
    """Architecture name in llama.cpp; "" when it has none."""
    gguf_by_class: dict[str, str] = field(default_factory=dict)
    """Other architecture names for single model classes of this type."""
    reader: str = ""
    """Module of readers/arch when layers are unlike the common decoder's."""
    source: str = ""

    tied: bool = False
    """Whether the token embedding is the output projection when the config does not say."""
    norm: str = "rms"
    """"rms" weight only, "layer" weight and bias, "none" nothing stored."""
    norms: tuple[str, ...] = ("attn_norm", "ffn_norm")
    """Norms of a block, as llama.cpp names them."""
    linear_norms: tuple[str, ...] | None = None
    """Norms of a block whose mixer is linear attention, when they differ."""
    norms_if_parallel: tuple[str, ...] | None = None
    """Norms of a block when mixer and feed-forward run side by side."""
    final_norm: str = "output_norm"
    """Name of the norm after the last block; "" when there is none."""
    embedding_norm: bool = False
    positions: tuple[str, int] | None = None
    """Learned positions: the field with their number, and rows added to it."""

    heads_split: str = "grouped"
    """"grouped" reads key/value heads; "none" has as many as query heads whatever the config says; "multi_query" has one if so flagged."""
    head_dim: int = 0
    """Head width when the config does not say; 0 means hidden / heads."""
    qkv_bias: Switch = "attention_bias"
    output_bias: Switch = "attention_bias"
    mlp_bias: Switch = "mlp_bias"
    head_bias: Switch = False
    qk_norm: str = ""
    """As Attention.norm."""
    qk_norm_if: Switch = True
    fused_qkv: bool = False
    gate: Switch = False
    separate_gate: str = ""
    """"heads" for one gate value per head, "values" for one per value."""
    sinks: Switch = False
    causal: bool = True
    """False for encoders, which keep no keys and values."""
    parallel: Switch = False
    latent: bool = False
    """Multi-head latent attention."""
    absorbed: bool = True
    indexer: bool = False
    linear: str = ""
    """Kind of the linear layers: "delta" (gated delta net)."""
    fused_linear: bool = True
    """Gate and decay projections of a delta net are one matrix."""

    window: str = ""
    """Field of the window's width; "" for none. A null value or use_sliding_window = false means none."""
    window_tokens: int = 0
    """The window's width when the config leaves the field out."""
    window_every: tuple[str, int] | None = None
    """(field, default): every n-th layer is full, the others look through the window. None: all look through it."""
    chunked: bool = False
    """Windowed layers see fixed chunks (Llama 4)."""
    window_switch: str = ""
    """Field that must be true for windows at all; layers from max_window_layers on then use them."""

    gated: bool = True
    fused_mlp: bool = False
    activation_numbers: int = 0
    feed: str = ""
    """Own rule for the width of the dense part: "lfm2", "half" of what the config says, "four" times hidden when it says nothing."""
    shared: int = 0
    """Shared experts when the config does not say."""
    router_bias: Switch = False
    shared_gate: bool = False
    shared_times: bool = False
    """The shared width is that of one shared expert."""
    expert_bias: bool = False
    fused_experts: bool = False
    dense_width: str = ""
    """Field with the width of dense layers beside sparse ones, when it is not the usual one."""
    drafts: bool = False
    """Whether checkpoints ship multi-token-prediction blocks, as further decoder blocks."""
    dense_drafts: bool = False
    """Those blocks have a dense part where the model has experts."""


def _row(row: dict[str, Any]) -> Family:
    known = {f.name for f in dataclasses.fields(Family)}
    facts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items() if key in known}
    return Family(**facts)


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """Rows by every model type they stand for."""
    return {name: row for row in data_json("families.json")["families"] for name in (row["model_type"], *row.get("also", ()))}


@functools.cache
def family(model_type: str) -> Family | None:
    """The facts of a model type; None when no row has it."""
    row = table().get(model_type)
    return None if row is None else _row(row)


def nearest(model_type: str) -> str:
    """The known model type with the most similar name; "llama" when none is similar."""
    return next(iter(close_names(model_type.lower(), table(), 1, 0.75)), "llama")


def on(fields: Fields, switch: Switch) -> bool:
    """What a switch says for this config."""
    if isinstance(switch, bool):
        return switch
    if isinstance(switch, str):
        return fields.flag(switch)
    return fields.flag(switch[0], default=switch[1])
