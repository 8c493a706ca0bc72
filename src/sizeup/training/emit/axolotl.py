"""Axolotl's YAML."""

from __future__ import annotations

from typing import Any

from sizeup.yaml_lines import yaml

from . import deepspeed
from .wanted import DATASET, Emitted, Wanted, header

METHODS = ("full", "lora", "rslora", "dora", "qlora", "lora8bit")
FILE = "axolotl.yaml"
LIGER = "axolotl.integrations.liger.LigerPlugin"


def emit(found: Wanted) -> Emitted:
    """axolotl.yaml, and DeepSpeed's file where the plan has a ZeRO stage or moves states to the host."""
    found.only("axolotl", METHODS, ("chunked", "hf"))
    recipe, split = found.recipe, found.split
    files = deepspeed.beside(found)
    if recipe.padded:
        found.notes.append("Padding masks come with the data.")
    content: dict[str, Any] = {"base_model": found.model, **_numbers(found), **_adapters(found)}
    if recipe.loss == "chunked":
        content |= {"plugins": [LIGER], "liger_fused_linear_cross_entropy": True}
    content |= {
        "datasets": [{"path": DATASET, "type": "chat_template"}],
        "output_dir": "./output",
        "sequence_len": recipe.sequence_tokens,
        "sample_packing": False,
        "micro_batch_size": recipe.micro_batch,
        "gradient_accumulation_steps": found.plan.accumulation,
        "num_epochs": 1,
        "optimizer": found.optimizer("axolotl"),
        "learning_rate": found.plan.learning_rate,
        "lr_scheduler": "cosine",
        "gradient_checkpointing": recipe.checkpointing,
        **({"gradient_checkpointing_kwargs": {"use_reentrant": False}} if recipe.checkpointing else {}),
        "attn_implementation": found.attention,
        **({"deepspeed": deepspeed.FILE} if files else {}),
    }
    run = f"axolotl train {FILE}" + (f" --launcher accelerate -- --num_processes {split.data}" if split.data > 1 else "")
    text = "\n".join([*header(found, "axolotl", run), f"# fill in: datasets[0].path ({DATASET})", *yaml(content)]) + "\n"
    return Emitted({FILE: text, **files}, run, tuple(found.notes))


def _numbers(found: Wanted) -> dict[str, Any]:
    """`bf16` is autocast over a model in bf16, `bfloat16` the model alone; without any of them all is fp32."""
    recipe = found.recipe
    if recipe.dtype == "amp" and recipe.base_width == 4:
        found.notes.append(
            "Axolotl loads the weights in 16 bits under autocast; the plan has them in fp32, which takes more and keeps small updates."
        )
    chosen = found.half if found.mixed else {"bf16": "bfloat16", "fp16": "float16"}.get(recipe.dtype, "")
    return {**{name: name == chosen for name in ("bf16", "fp16", "bfloat16", "float16")}, "tf32": False}


def _adapters(found: Wanted) -> dict[str, Any]:
    recipe = found.recipe
    if not recipe.ranked:
        return {}
    if recipe.quantised and not recipe.kbit_prep:
        found.notes.append("Axolotl prepares a quantised base itself (norms in fp32); the plan does not.")
    targets = found.peft_targets
    return {
        "adapter": "qlora" if recipe.method == "qlora" else "lora",
        "load_in_4bit": recipe.method == "qlora",
        "load_in_8bit": recipe.method == "lora8bit",
        "lora_r": recipe.rank,
        "lora_alpha": found.alpha,
        "lora_dropout": recipe.dropout,
        **({"lora_target_linear": True} if targets == "all-linear" else {"lora_target_modules": targets}),
        "peft_use_dora": recipe.method == "dora",
        "peft_use_rslora": recipe.method == "rslora",
        "peft_autocast_adapter_dtype": recipe.adapter_dtype != "base",
        **({"bnb_config_kwargs": {"bnb_4bit_use_double_quant": recipe.double_quant}} if recipe.method == "qlora" else {}),
    }
