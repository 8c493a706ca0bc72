"""A small random model in a folder, with a tokenizer of words, as engines that read checkpoints want it. Needs tokenizers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = 509
MODEL: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "vocab_size": WORDS + 3,
    "tie_word_embeddings": True,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "dtype": "bfloat16",
    "bos_token_id": 1,
    "eos_token_id": 2,
}
CHAT = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


def described(folder: Path) -> Path:
    """The config and the tokenizer: the words w0 to w508."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {word: number for number, word in enumerate(["<unk>", "<s>", "</s>", *(f"w{number}" for number in range(WORDS))])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**said, "chat_template": CHAT}))
    (folder / "config.json").write_text(json.dumps(MODEL))
    return folder


def with_weights(folder: Path) -> Path:
    """The same with random weights in BF16, drawn by numpy: no library that runs models is needed for it."""
    from numpy.random import default_rng

    hidden, inner, head = MODEL["hidden_size"], MODEL["intermediate_size"], MODEL["head_dim"]
    keys = MODEL["num_key_value_heads"] * head
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (MODEL["vocab_size"], hidden), "model.norm.weight": (hidden,)}
    for layer in range(MODEL["num_hidden_layers"]):
        within = {
            "self_attn.q_proj": (hidden, hidden), "self_attn.k_proj": (keys, hidden), "self_attn.v_proj": (keys, hidden),
            "self_attn.o_proj": (hidden, hidden), "mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden),
            "mlp.down_proj": (hidden, inner), "input_layernorm": (hidden,), "post_attention_layernorm": (hidden,),
        }  # fmt: skip
        shapes |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in within.items()}
    draw, header, data = default_rng(1), {}, b""
    for name, shape in shapes.items():
        # BF16 is the upper half of a float32.
        raw = (draw.normal(0, 0.05, shape).astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head_bytes = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    (described(folder) / "model.safetensors").write_bytes(len(head_bytes).to_bytes(8, "little") + head_bytes + data)
    return folder
