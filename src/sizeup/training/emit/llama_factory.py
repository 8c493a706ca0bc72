"""LLaMA-Factory's YAML."""

from __future__ import annotations

from typing import Any

from sizeup.yaml_lines import yaml

from . import deepspeed
from .wanted import Emitted, Wanted, header

METHODS = ("full", "freeze", "lora", "rslora", "dora", "qlora", "lora8bit")
FILE = "llama_factory.yaml"
DATASET = "YOUR_DATASET"


def emit(found: Wanted) -> Emitted:
    """llama_factory.yaml, and DeepSpeed's file where the plan has a ZeRO stage or moves states to the host."""
    found.only("LLaMA-Factory", METHODS, ("chunked", "hf"))
    recipe, split = found.recipe, found.split
    files = deepspeed.beside(found)
    if recipe.ranked and recipe.adapter_dtype == "base":
        found.notes.append("LLaMA-Factory trains adapters in fp32 with autocast; the plan has them in the base's numbers.")
    if recipe.quantised and not recipe.kbit_prep:
        found.notes.append("upcast_layernorm stays off, as the plan keeps norms in 16 bits.")
    if recipe.attention == "flash":
        found.notes.append("flash_attn: sdpa takes PyTorch's own flash kernel.")
    content: dict[str, Any] = {
        "model_name_or_path": found.model,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora" if recipe.ranked else recipe.method,
        **_adapters(found),
        "dataset": DATASET,
        "template": "default",
        "cutoff_len": recipe.sequence_tokens,
        "packing": False,
        "output_dir": "./output",
        "per_device_train_batch_size": recipe.micro_batch,
        "gradient_accumulation_steps": found.plan.accumulation,
        "learning_rate": found.plan.learning_rate,
        "lr_scheduler_type": "cosine",
        "num_train_epochs": 1.0,
        "optim": found.optimizer("llama-factory"),
        "bf16": found.half == "bf16" and recipe.dtype != "fp32",
        "fp16": found.half == "fp16" and recipe.dtype != "fp32",
        **({"pure_bf16": True} if recipe.dtype == "bf16" else {}),
        "disable_gradient_checkpointing": not recipe.checkpointing,
        "flash_attn": "disabled" if recipe.attention == "eager" else "sdpa",
        "enable_liger_kernel": recipe.loss == "chunked",
        **({"deepspeed": deepspeed.FILE} if files else {}),
        "logging_steps": 1,
        "report_to": "none",
    }
    run = f"llamafactory-cli train {FILE}"
    if split.data > 1:
        run = f"FORCE_TORCHRUN=1 NPROC_PER_NODE={split.data} {run}"
    fill = f"# fill in: dataset ({DATASET}), a name in your data/dataset_info.json; template, the model's chat template"
    text = "\n".join([*header(found, "llama-factory", run), fill, *yaml(content)]) + "\n"
    return Emitted({FILE: text, **files}, run, tuple(found.notes))


def _adapters(found: Wanted) -> dict[str, Any]:
    recipe = found.recipe
    if recipe.method == "freeze":
        return {"freeze_trainable_layers": recipe.trained_layers}
    if not recipe.ranked:
        return {}
    targets = found.peft_targets
    settings: dict[str, Any] = {
        "lora_rank": recipe.rank,
        "lora_alpha": found.alpha,
        "lora_dropout": recipe.dropout,
        "lora_target": "all" if targets == "all-linear" else ",".join(targets),
        "use_rslora": recipe.method == "rslora",
        "use_dora": recipe.method == "dora",
    }
    if recipe.quantised:
        settings |= {"quantization_bit": 4 if recipe.method == "qlora" else 8, "quantization_method": "bnb"}
        settings |= {"double_quantization": recipe.double_quant} if recipe.method == "qlora" else {}
    return settings
