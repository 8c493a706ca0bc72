"""bitsandbytes' own 4-bit layers in place of a model's linear ones, holding weights without numbers."""

from __future__ import annotations

from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

BLOCK = 64
"""Weights that share a scale."""
SCALES = 256
"""Scales that share a scale of their own, when they are quantised too; and entries of their code table."""


def quantise(model: Any, device: str, double: bool, number: Any) -> None:
    """Replace every linear layer but the output projection. As loading in 4 bits does; experts' own tensors stay as they are."""
    head = model.get_output_embeddings()
    for name, module in list(model.named_modules()):
        if (type(module) is torch.nn.Linear or isinstance(module, Conv1D)) and module is not head:
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, _layer(module, device, double, number))
    model.is_loaded_in_4bit = model.is_quantized = True


def _layer(module: Any, device: str, double: bool, number: Any) -> Any:
    import bitsandbytes
    from bitsandbytes.functional import QuantState

    outputs, inputs = reversed(module.weight.shape) if isinstance(module, Conv1D) else module.weight.shape
    elements = outputs * inputs
    scales = -(-elements // BLOCK)
    fields: dict[str, Any] = {
        "shape": torch.Size((outputs, inputs)), "dtype": number, "blocksize": BLOCK, "quant_type": "nf4",
        "code": torch.empty(16, device=device),
    }  # fmt: skip
    if double:
        nested = QuantState(
            absmax=torch.empty(-(-scales // SCALES), device=device), code=torch.empty(SCALES, device=device), blocksize=SCALES,
            dtype=torch.float32,
        )  # fmt: skip
        state = QuantState(
            absmax=torch.empty(scales, dtype=torch.uint8, device=device), offset=torch.empty((), device=device), state2=nested, **fields
        )
    else:
        state = QuantState(absmax=torch.empty(scales, device=device), **fields)
    # Its own constructor makes a Params4bit, a subclass of Parameter that a fake tensor cannot become.
    layer = bitsandbytes.nn.Linear4bit.__new__(bitsandbytes.nn.Linear4bit)
    torch.nn.Linear.__init__(layer, inputs, outputs, bias=False, device="meta")
    layer.compute_dtype, layer.compute_type_is_set = number, True
    layer.quant_storage, layer.support_avx512bf16_for_cpu = torch.uint8, False
    weight = torch.nn.Parameter(torch.empty(((elements + 1) // 2, 1), dtype=torch.uint8, device=device), requires_grad=False)
    weight.quant_state, weight.bnb_quantized, weight.compress_statistics, weight.quant_type = state, True, double, "nf4"
    layer.weight, layer.quant_state, layer.bias = weight, state, module.bias
    return layer


def carried(parameter: Any) -> list[Any]:
    """The tensors that a 4-bit weight carries beside its values."""
    state = getattr(parameter, "quant_state", None)
    if state is None:
        return []
    found = [state.absmax, state.code]
    if state.nested:
        found += [state.offset, state.state2.absmax, state.state2.code]
    return [tensor for tensor in found if isinstance(tensor, torch.Tensor)]
