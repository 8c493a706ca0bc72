"""Write tests/data/transformers_counts.jsonl.xz: parameters of many small and default models, counted by transformers itself.

`python tools/build_transformers_counts.py` in an environment with transformers 5.23.0 and torch. Each model is built on the meta
device (no weights) as its class makes it by default, with a few layers and a small vocabulary, and with each of its flags turned.
Router-bias and scalar buffers are counted: checkpoints store them.
"""

from __future__ import annotations

import json
import lzma
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from build_config_defaults import SOURCE, named
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

TARGET = Path(__file__).resolve().parent.parent / "tests" / "data" / "transformers_counts.jsonl.xz"
STORED_BUFFERS = ("correction_bias", "layer_scalar", "expert_bias")
FLAGS = [
    "attention_bias",
    "attention_k_eq_v",
    "attention_out_bias",
    "bias",
    "conv_bias",
    "enable_bias",
    "lm_head_bias",
    "mamba_conv_bias",
    "mamba_proj_bias",
    "mamba_rms_norm",
    "mlp_bias",
    "multi_query",
    "new_decoder_architecture",
    "norm_bias",
    "parallel_attn",
    "qk_layernorm",
    "qkv_bias",
    "tie_word_embeddings",
    "use_bias",
    "use_conv_bias",
    "use_double_wide_mlp",
    "use_parallel_residual",
    "use_qk_norm",
    "use_qkv_bias",
    "use_sliding_window",
]
HEADS = {"num_attention_heads": 12, "num_key_value_heads": 3, "head_dim": 64, "hidden_size": 1536}


def variants(config: Any) -> Iterator[dict[str, Any]]:
    """What to change of the default config, one model each."""
    layers = "num_hidden_layers" if hasattr(config, "num_hidden_layers") else "n_layer"
    yield {}
    yield {layers: 5, "vocab_size": 1000}
    for flag in FLAGS:
        if isinstance(getattr(config, flag, None), bool):
            yield {layers: 4, flag: not getattr(config, flag)}
    if hasattr(config, "num_key_value_heads") and isinstance(getattr(config, "num_attention_heads", None), int):
        yield {layers: 3} | HEADS


def build(model_type: str, changes: dict[str, Any]) -> tuple[Any, Any]:
    config = AutoConfig.for_model(model_type, **changes)
    with torch.device("meta"):
        model = (AutoModelForCausalLM if model_type in CAUSAL else AutoModel).from_config(config)
    if hasattr(model, "tie_weights"):
        model.tie_weights()
    return config, model


def elements(model: Any) -> int:
    unique = {id(parameter): parameter.numel() for parameter in model.parameters()}
    stored = set(model.state_dict())
    buffers = [buffer.numel() for name, buffer in model.named_buffers() if name in stored and any(word in name for word in STORED_BUFFERS)]
    return sum(unique.values()) + sum(buffers)


def expired(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    transformers.logging.set_verbosity_error()
    signal.signal(signal.SIGALRM, expired)
    words = named() | {"model_type", "architectures"}
    families = json.loads((SOURCE / "data" / "families.json").read_text(encoding="utf-8"))["families"]
    rows = []
    for model_type in [name for row in families for name in (row["model_type"], *row.get("also", ()))]:
        try:
            default = AutoConfig.for_model(model_type)
        except ValueError:  # not in transformers
            continue
        if getattr(default, "text_config", None) is not None or getattr(default, "thinker_config", None) is not None:
            continue
        for changes in variants(default):
            try:
                signal.alarm(60)
                config, model = build(model_type, changes)
            except Exception as error:
                print(model_type, changes, type(error).__name__, file=sys.stderr)
                continue
            finally:
                signal.alarm(0)
            fields = {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if k in words and v is not None}
            fields["architectures"] = [type(model).__name__]
            rows.append({"model_type": model_type, "changes": changes, "config": fields, "parameters": elements(model)})
    head = {"source": f"transformers {transformers.__version__} on torch's meta device", "date": "2026-11-21"}
    text = "\n".join(json.dumps(row, separators=(",", ":")) for row in [head, *rows]) + "\n"
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(lzma.compress(text.encode(), preset=9))
    print(len(rows), "models,", TARGET.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
