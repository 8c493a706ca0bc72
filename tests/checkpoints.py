"""Small safetensors checkpoints written by hand: true headers, and holes of the file system for data."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sizeup.errors import SizeupError
from sizeup.readers.safetensors import read_header

BITS = {
    "BF16": 16,
    "F16": 16,
    "F32": 32,
    "F64": 64,
    "I64": 64,
    "I32": 32,
    "U8": 8,
    "BOOL": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F4": 4,
    "C64": 64,
}
Shapes = Mapping[str, tuple[str, tuple[int, ...]]]

LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 256,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}


def llama(dtype: str = "BF16", layers: int = 2) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The tensors of the small model above, as a checkpoint names and lays them."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {"model.embed_tokens.weight": (dtype, (256, 64))}
    for layer in range(layers):
        for name, shape in {
            "self_attn.q_proj": (64, 64),
            "self_attn.k_proj": (32, 64),
            "self_attn.v_proj": (32, 64),
            "self_attn.o_proj": (64, 64),
            "mlp.gate_proj": (160, 64),
            "mlp.up_proj": (160, 64),
            "mlp.down_proj": (64, 160),
            "input_layernorm": (64,),
            "post_attention_layernorm": (64,),
        }.items():
            found[f"model.layers.{layer}.{name}.weight"] = (dtype, shape)
    return {**found, "model.norm.weight": (dtype, (64,)), "lm_head.weight": (dtype, (256, 64))}


def table(tensors: Shapes, metadata: object = None) -> dict[str, Any]:
    """The header of these tensors, one after the other."""
    found: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    at = 0
    for name, (dtype, shape) in tensors.items():
        bits = BITS[dtype]
        for side in shape:
            bits *= side
        found[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + bits // 8]}
        at += bits // 8
    return found


def save(path: Path, header: Mapping[str, Any] | bytes, data: int | None = None) -> Path:
    """A file with this header; `data` bytes follow it (all that its tensors need when not given)."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    if data is None:
        assert not isinstance(header, bytes)
        data = max((entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"), default=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        file.truncate(8 + len(raw) + data)
    return path


def save_sharded(folder: Path, tensors: Shapes, count: int) -> Path:
    """The tensors dealt over `count` shards, with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(tensors)
    listed = {}
    for number in range(count):
        file = f"model-{number + 1:05}-of-{count:05}.safetensors"
        mine = {name: tensors[name] for name in names[number::count]}
        save(folder / file, table(mine, {"format": "pt"}))
        listed |= dict.fromkeys(mine, file)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": listed}, indent=2))
    return index


def save_config(folder: Path, **more: object) -> Path:
    """The small model's config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**LLAMA, **more}))
    return folder


GOOD = table({"a": ("BF16", (4, 8)), "b": ("F32", (3,))}, {"format": "pt"})


def measured(path: Path, reader: object = read_header) -> tuple[object, int]:
    """What reading gives, an error included, and the peak of memory."""
    tracemalloc.start()
    try:
        try:
            found: object = reader(path)  # type: ignore[operator]
        except SizeupError as error:
            found = error
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
