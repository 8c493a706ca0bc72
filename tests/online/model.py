"""A small model as a hub holds it."""

from __future__ import annotations

import json

from tests.checkpoints import table

FIELDS = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 4096,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
CONFIG = json.dumps(FIELDS)


def tensors(dtype: str = "BF16") -> dict[str, tuple[str, tuple[int, ...]]]:
    """What a checkpoint of it stores."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {"model.embed_tokens.weight": (dtype, (4096, 256))}
    for layer in range(2):
        for name, shape in {
            "self_attn.q_proj": (256, 256),
            "self_attn.k_proj": (128, 256),
            "self_attn.v_proj": (128, 256),
            "self_attn.o_proj": (256, 256),
            "mlp.gate_proj": (512, 256),
            "mlp.up_proj": (512, 256),
            "mlp.down_proj": (256, 512),
            "input_layernorm": (256,),
            "post_attention_layernorm": (256,),
        }.items():
            found[f"model.layers.{layer}.{name}.weight"] = (dtype, shape)
    return {**found, "model.norm.weight": (dtype, (256,)), "lm_head.weight": (dtype, (4096, 256))}


def safetensors(held: dict[str, tuple[str, tuple[int, ...]]], padding: int = 0) -> bytes:
    """A whole file of these tensors."""
    header = table(held)
    raw = json.dumps(header).encode() + b" " * padding
    data = max(entry["data_offsets"][1] for entry in header.values())
    return len(raw).to_bytes(8, "little") + raw + bytes(data)


def checkpoint(shards: int = 1, padding: int = 0) -> dict[str, bytes]:
    """The files of a repository with the model in so many shards."""
    held = tensors()
    names = list(held)
    found = {"config.json": CONFIG.encode(), "README.md": b"# A model\n"}
    if shards == 1:
        return {**found, "model.safetensors": safetensors(held, padding)}
    weight_map = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = names[number::shards]
        found[file] = safetensors({name: held[name] for name in part}, padding)
        weight_map |= dict.fromkeys(part, file)
    return {**found, "model.safetensors.index.json": json.dumps({"metadata": {}, "weight_map": weight_map}).encode()}
