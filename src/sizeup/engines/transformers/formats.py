"""How weights are held: in one float type, or linear layers quantised by bitsandbytes and the rest in a float type.

Source: transformers 5.23.0, quantizers/quantizer_bnb_4bit.py, quantizer_bnb_8bit.py and integrations/bitsandbytes.py
(replace_with_bnb_linear: nn.Linear only; get_keys_to_not_convert: tied weights and the head stay).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...errors import UserError
from ...facts import data_json
from ...layers import Shape
from ...model import ModelSpec
from ...quant import quant as quant_of

FLOATS = {"bf16": "BF16", "bfloat16": "BF16", "f16": "F16", "float16": "F16", "fp16": "F16", "f32": "F32", "float32": "F32", "fp32": "F32"}
QUANTISED = {
    "bnb-nf4": "bnb-nf4", "nf4": "bnb-nf4", "4bit": "bnb-nf4", "bnb-nf4-double": "bnb-nf4-double", "bnb-fp4": "bnb-fp4",
    "fp4": "bnb-fp4", "bnb-fp4-double": "bnb-fp4-double", "bnb-int8": "bnb-int8", "int8": "bnb-int8", "8bit": "bnb-int8",
}  # fmt: skip
"""Names people use -> names of data/quants.json."""

NOT_LINEAR = re.compile(
    r"(_exps|ffn_gate_inp|conv1d\w*|shortconv\.conv|lru_conv|_norm\w*|ssm_a|ssm_d|_sinks|_extra|exp_probs\w*)\.?(weight|bias)?$"
)
"""Matrices that are no nn.Linear: experts and routers are bare parameters in 5.x, convolutions and norms modules of their own."""


class Format(NamedTuple):
    """A float type, and the format of linear layers when they have another."""

    float: str
    linear: str | None = None

    @property
    def name(self) -> str:
        return self.linear or self.float

    @property
    def float_bytes(self) -> int:
        return int(quant_of(self.float).block_bytes)

    def of(self, name: str, shape: Shape) -> str:
        """The format of one weight of a block, by its short name."""
        matrix = len(shape) > 1 or name.startswith("ffn_gate_inp_shexp")
        if self.linear and matrix and name.endswith(".weight") and not NOT_LINEAR.search(name):
            return self.linear
        return self.float

    def bytes(self, name: str, shape: Shape) -> int:
        """Bytes of one weight of a block."""
        row, rows = int(shape[0]), 1
        for side in shape[1:]:
            rows *= int(side)
        return int(quant_of(self.of(name, shape)).tensor_bytes(row, rows))

    def counted(self, name: str, shape: Shape) -> int:
        """Bytes of one weight as transformers counts them for accelerate (param_element_size)."""
        if self.of(name, shape) == self.float:
            return self.bytes(name, shape)
        bits, elements = "8" if self.linear == "bnb-int8" else "4", 1
        for side in shape:
            elements *= int(side)
        return int(elements * data_json("transformers.json")["device_map"]["quantised_bytes"][bits])


def format_of(model: ModelSpec, quant: str | None) -> Format:
    """The format that a name means; None is the type that the model's config names, which transformers loads by default."""
    own = own_float(model)
    if quant is None or quant == "as stored":
        return Format(own)
    word = quant.lower()
    if word in FLOATS:
        return Format(FLOATS[word])
    if word in QUANTISED:
        # bitsandbytes computes in 16 bits: what is not quantised is loaded in the config's type, F32 only where it says so.
        return Format(own, QUANTISED[word])
    raise UserError(f"transformers loads no weights as {quant}.", "BF16, bnb-int8 or bnb-nf4")


def own_float(model: ModelSpec) -> str:
    """The type that the config names; BF16 where it names none."""
    named = str(model.config.get("dtype") or model.config.get("torch_dtype") or "").removeprefix("torch.")
    return FLOATS.get(named, str(data_json("transformers.json")["dtype"]["name"]))
