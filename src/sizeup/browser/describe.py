"""A model that sizeup read, as browser engines would download it: a GGUF for wllama, MLC's format for WebLLM."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from ..engines import engine as find_engine
from ..facts import data_json
from ..figure import ceil_div
from ..model import ModelSpec, Tensor
from .limits import Engine
from .model import Model, models

DEFAULT_MIX = "Q4_K_M"
MLC = "q4f16_1"
F16 = "shader-f16"


class Packed(NamedTuple):
    """What a model takes in one of MLC's formats."""

    bytes: int
    largest_tensor_bytes: int


def builds(spec: ModelSpec, quant: str | None, engines: Iterable[Engine]) -> Iterator[Model]:
    """The model for each engine: builds that are known by name, and where none is, what the layers make of it."""
    for one in engines:
        known = [row for row in models() if row.engine == one.id and is_build_of(row, spec)]
        if one.id == "wllama":
            yield gguf(spec, quant)
        elif one.id == "builtin":
            yield from (row for row in models() if row.engine == one.id)
        elif known:
            yield from known
        elif one.id == "webllm":
            yield mlc(spec, MLC)


def gguf(spec: ModelSpec, quant: str | None = None) -> Model:
    """The file that wllama loads: as it lies on disk, or its tensors to the byte in a mix (the header is not counted)."""
    read = spec.stored == "gguf" and bool(spec.file_bytes)
    mix = spec.mix if read else quant or DEFAULT_MIX
    tensors = find_engine("llama.cpp").tensors(spec, None if read else mix)
    whole = sum(spec.file_bytes) if read else sum(tensor.bytes for tensor in tensors)
    return Model(
        id=f"{spec.name}:{mix}" if mix else spec.name,
        engine="wllama",
        name=spec.name,
        kind="chat" if spec.causal else "embedding",
        quant=mix,
        parameters=spec.parameters,
        active_parameters=_fewer(spec),
        bytes=whole,
        precision="exact" if read else "derived",
        # A file that does not exist yet can be written in parts; one that does is what it is.
        largest_file_bytes=max(spec.file_bytes) if read else None,
        largest_tensor_bytes=max((tensor.bytes for tensor in tensors), default=None),
        context_tokens=spec.context_tokens,
        source=spec.source.where,
        date=spec.source.date,
    )


def mlc(spec: ModelSpec, format: str) -> Model:
    """The model in one of MLC's formats, derived from its layers; nobody may have published it so."""
    packed = mlc_packed(spec, format)
    return Model(
        id=f"{spec.name}:{format}",
        engine="webllm",
        name=spec.name,
        kind="chat" if spec.causal else "embedding",
        quant=format,
        parameters=spec.parameters,
        active_parameters=_fewer(spec),
        bytes=packed.bytes,
        precision="derived",
        largest_tensor_bytes=packed.largest_tensor_bytes,
        context_tokens=spec.context_tokens,
        features=(F16,) if "f16" in format else (),
        source=spec.source.where,
        date=spec.source.date,
    )


def mlc_packed(spec: ModelSpec, format: str) -> Packed:
    """Bytes in one of MLC's formats and its largest single array. Not counted: towers, tokenizer, the library of kernels."""
    row = data_json("browser/mlc.json")["formats"][format]
    plain = replace(spec, tensors=()) if spec.stored != "config" else spec
    whole, largest = 0, 0
    for tensor in find_engine("llama.cpp").tensors(plain, "F16"):
        if len(tensor.shape) < 2:
            whole += tensor.elements * row["float_bytes"]
            continue
        groups = int(ceil_div(tensor.shape[0], row["group"])) * (tensor.elements // tensor.shape[0])
        whole += groups * (row["bytes"] + row["scale_bytes"])
        largest = max(largest, groups * row["bytes"] * _joined(tensor))
    return Packed(whole, largest)


def _joined(tensor: Tensor) -> int:
    """MLC stores the gate and the up projection of a feed-forward part as one matrix."""
    return 2 if "ffn_gate" in tensor.name and "inp" not in tensor.name else 1


def _fewer(spec: ModelSpec) -> int | None:
    return spec.active_parameters if spec.active_parameters < spec.parameters else None


def is_build_of(row: Model, spec: ModelSpec) -> bool:
    """Whether a row's name is the model's: its hub name without owner, format and file ending."""
    return family(row.name) == family(str(spec.card.get("id") or spec.name))


FORMATS = r"q\d\w*|int\d|bf16|onnx|gguf|web|gqa|f16|fp16|f32|k_m|it|instruct|chat|hf"
"""Pieces of a name that say how a model is stored or that it was taught to answer: both leave its bytes as they are."""


def family(name: str) -> str:
    """What builds of one model share: its name without owner, format and file ending, in lower case."""
    tail = re.sub(r"\.(task|litertlm|gguf)$", "", name.rpartition("/")[2].lower())
    # llama.cpp's and Google's files write gemma-3-1b as gemma3-1b.
    tail = re.sub(r"^(gemma|qwen|llama|phi)-(?=\d)", r"\1", tail.replace(" ", "-"))
    return re.sub(rf"[-_]({FORMATS})(?=[-_]|$)", "", re.sub(rf"[-_]({FORMATS})(?=[-_]|$)", "", tail))
