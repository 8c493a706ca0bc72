"""Quantisations that a server loads: which number format each tensor of a checkpoint is in."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from ...errors import UserError, close_names
from ...facts import data_json
from ...model import ModelSpec
from ...quant import Quant, quant


class Format(NamedTuple):
    """One way that the weights of a model are stored."""

    name: str
    """The number format of the matrices, as data/quants.json calls it."""
    linear: Quant
    """Of the matrices of attention and of dense feed-forward parts."""
    experts: Quant
    """Of routed experts."""
    plain: Quant
    """Of embeddings, the head, norms, routers, convolutions and towers, which no method here quantises."""
    flag: str = ""
    """What `--quantization` has to say; "" where the checkpoint says it itself."""


def stored_format(model: ModelSpec) -> str:
    """The format that the model's own checkpoint is in: what its config says, else 16 bits (or 32 where the config says so)."""
    said = _text(model).get("quantization_config") or model.config.get("quantization_config") or model.card.get("native_quantization")
    if not said:
        return plain_format(model)
    table = data_json("serving_formats.json")["methods"]
    method = str(said.get("quant_method", "")).lower()
    row = table.get(method)
    if row is None:
        raise UserError(
            f"{model.name} is stored in “{method}”, of which sizeup knows no bytes.", "--quant bf16, or another of its checkpoints"
        )
    if isinstance(row, str):
        return row
    bits, group = int(said.get("bits", 4)), int(said.get("group_size", 128))
    if method == "fp8":
        return str(row["blocks" if said.get("weight_block_size") else "tensor"])
    if method == "compressed-tensors":
        return _compressed(said) or str(row["unsaid"])
    return str(row["pattern"]).format(bits=bits, group=f"g{group}" if group > 0 else "row")


def _compressed(said: dict[str, Any]) -> str | None:
    """The format of a compressed-tensors checkpoint: the weights of its first group of layers."""
    groups = said.get("config_groups")
    if not groups:
        return None
    weights = next(iter(groups.values())).get("weights") or {}
    acts = next(iter(groups.values())).get("input_activations")
    bits, kind, group = weights.get("num_bits"), weights.get("type"), weights.get("group_size")
    if kind == "float":
        return {8: "ct-fp8-block" if weights.get("strategy") == "block" else "ct-fp8", 4: "ct-nvfp4" if group == 16 else "ct-mxfp4"}.get(
            int(bits or 8)
        )
    if bits == 8:
        return "ct-w8a8" if acts else "ct-w8a16"
    return f"ct-w4a16{'' if weights.get('symmetric', True) else '-asym'}-g{group or 128}"


def plain_format(model: ModelSpec) -> str:
    """The unquantised format: bfloat16, or float16 where the config says so. A 32-bit checkpoint is loaded in 16 bits."""
    said = str(_text(model).get("dtype") or _text(model).get("torch_dtype") or model.config.get("torch_dtype") or "bfloat16")
    return "F16" if said in ("float16", "float32") else "BF16"


def named(wanted: str) -> str:
    """The number format that a quantisation's usual name means ("awq", "fp8"); raises UserError for one that no server loads."""
    table = data_json("serving_formats.json")
    known = {**{name.lower(): name for name in table["loads"]}, **table["names"]}
    found = known.get(wanted.lower())
    if found is None:
        near = close_names(wanted.lower(), known, 2, 0.6)
        raise UserError(f"A checkpoint in {wanted} is nothing that vLLM or SGLang load.", ", ".join(near) or "bf16, fp8, awq, gptq, w4a16")
    return str(found)


def format_of(model: ModelSpec, wanted: str | None, dtype: str = "auto") -> Format:
    """How the model is stored when it is taken in `wanted`; None takes its own checkpoint. `dtype` is the server's own setting.

    Raises UserError for a GGUF file.
    """
    if model.stored == "gguf":
        raise UserError(
            f"{model.name} is a GGUF file, which sizeup accounts for llama.cpp only.", "--engine llama.cpp, or the model's name on the Hub"
        )
    name = stored_format(model) if wanted is None else named(wanted)
    return _made(name, _dtype(dtype) or plain_format(model), stored_format(model) if wanted is None else "")


@functools.lru_cache(maxsize=128)
def _made(name: str, plain: str, own: str) -> Format:
    facts = data_json("serving_formats.json")
    kind, usual = quant(name), quant(plain)
    if name in ("BF16", "F16", "F32"):
        return Format(plain, usual, usual, usual)
    flag = facts["flags"].get(name, "") if own != name else ""
    return Format(name, usual if name in facts["experts_only"] else kind, kind, usual, flag)


def _dtype(name: str) -> str | None:
    return {"bfloat16": "BF16", "float16": "F16", "half": "F16", "float32": "F32", "float": "F32"}.get(name)


def _text(model: ModelSpec) -> dict[str, Any]:
    return text_config(model)


def text_config(model: ModelSpec) -> dict[str, Any]:
    """The language model's part of a config; the whole config where there is no such part."""
    inner = model.config.get("text_config") or model.config.get("llm_config") or model.config.get("language_config")
    return dict(inner) if isinstance(inner, dict) else dict(model.config)
