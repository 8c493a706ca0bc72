"""How mlx-lm holds weights: in one float type, or quantised in groups along their rows, with a scale and a bias for each.

Source: mlx-lm 0.32.2, utils.py (quantize_model: every module that can be quantised and whose rows are whole groups) and
models/*.py (quant_predicate).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...errors import UserError
from ...facts import data_json
from ...layers import Shape
from ...model import ModelSpec
from ...quant import quant as quant_of
from ...quant import quants
from ..asked import family

FLOATS = {"bf16": "BF16", "bfloat16": "BF16", "f16": "F16", "float16": "F16", "fp16": "F16", "f32": "F32", "float32": "F32", "fp32": "F32"}
STILL = re.compile(r"(conv1d\w*|shortconv\.conv|lru_conv|_norm\w*|ssm_a|ssm_d|_sinks|_extra|exp_probs\w*|_ape)\.?(weight|bias)?$")
"""Arrays of more than one side that no quantisable module holds: convolutions, norms, decays."""


class Format(NamedTuple):
    """The float type, and the format of what is quantised."""

    float: str
    packed: str | None
    model_type: str

    @property
    def name(self) -> str:
        return self.packed or self.float

    @property
    def float_bytes(self) -> int:
        return int(quant_of(self.float).block_bytes)

    def of(self, name: str, shape: Shape) -> str:
        """The format of one weight, by its short name."""
        facts = data_json("mlx.json")
        matrix = len(shape) > 1 or name.startswith("ffn_gate_inp_shexp")
        if self.packed is None or not matrix or not name.endswith(".weight") or STILL.search(name):
            return self.float
        routes = name.startswith("ffn_gate_inp")
        if routes and not name.startswith("ffn_gate_inp_shexp") and self.model_type in facts["router"]["bare"]:
            return self.float
        packed = self.packed
        eight = name in facts["eight_bits"].get(self.model_type, ()) or (routes and self.model_type in facts["router"]["eight_bits"])
        # A row must be whole groups of the format asked for, whatever it gets.
        if int(shape[0]) % quant_of(packed).block:
            return self.float
        return "mlx-8bit-g64" if eight else packed

    def bytes(self, name: str, shape: Shape) -> int:
        """Bytes of one weight with its scales and biases."""
        row, rows = int(shape[0]), 1
        for side in shape[1:]:
            rows *= int(side)
        return int(quant_of(self.of(name, shape)).tensor_bytes(row, rows))


def format_of(model: ModelSpec, quant: str | None) -> Format:
    """The format that a name means; None is what the model's config says, the checkpoint's own float type where it says nothing."""
    named = str(model.config.get("dtype") or model.config.get("torch_dtype") or "").removeprefix("torch.")
    own = FLOATS.get(named, str(data_json("mlx.json")["dtype"]["name"]))
    if quant is None or quant == "as stored":
        return Format(own, stored_as(model), mlx_type(model))
    word = quant.lower()
    if word in FLOATS:
        return Format(FLOATS[word], None, mlx_type(model))
    if found := re.fullmatch(r"(?:q)?(\d)[-_ ]?(?:bits?)?", word):
        word = f"mlx-{found[1]}bit-g64"
    if word.startswith("mlx-") and word in quants():
        return Format("BF16" if own == "F32" else own, word, mlx_type(model))
    raise UserError(f"MLX loads no weights as {quant}.", "mlx-4bit-g64, mlx-8bit-g64 or BF16")


def mlx_type(model: ModelSpec) -> str:
    """The model type whose module mlx-lm takes."""
    return family(model, data_json("mlx.json")["models"]["types"])


def stored_as(model: ModelSpec) -> str | None:
    """The format that mlx-lm wrote into the config of a converted model; None for an ordinary checkpoint."""
    said = model.config.get("quantization")
    if not isinstance(said, dict) or not isinstance(said.get("bits"), int):
        return None
    mode, group = said.get("mode", "affine"), said.get("group_size", 64)
    name = f"mlx-{said['bits']}bit-g{group}" if mode == "affine" else f"mlx-{mode}"
    return name if name in quants() else None
