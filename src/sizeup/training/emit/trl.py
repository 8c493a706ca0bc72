"""A script for TRL's SFTTrainer: SFTConfig, LoraConfig, BitsAndBytesConfig with the plan's settings, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from . import deepspeed
from .wanted import Emitted, Wanted, header

METHODS = ("full", "lora", "rslora", "dora", "qlora", "lora8bit", "prompt")
FILE = "run.py"


def emit(found: Wanted) -> Emitted:
    """run.py, and DeepSpeed's file where the plan has a ZeRO stage or moves states to the host."""
    found.only("TRL", METHODS, ("trl",))
    recipe, split = found.recipe, found.split
    files = deepspeed.beside(found)
    if recipe.quantised and recipe.adapter_dtype != "base" and found.half == "bf16":
        found.notes.append("TRL trains adapters of a quantised base in bf16; the plan has them in fp32.")
    if recipe.dtype == "bf16-master" and not files:
        found.notes.append("Without DeepSpeed there is no 16-bit model with an fp32 copy; the model is loaded in 16 bits.")
    run = f"python {FILE} --data train.jsonl"
    if split.data > 1 or files:
        run = f"accelerate launch --num_processes {split.data} --mixed_precision {found.half if found.mixed else 'no'} {FILE} --data train.jsonl"
    lines = [*header(found, "trl", run), *_script(found, bool(files))]
    return Emitted({FILE: "\n".join(lines) + "\n", **files}, run, tuple(found.notes))


def _script(found: Wanted, sharded: bool) -> list[str]:
    recipe = found.recipe
    imports = ["AutoModelForCausalLM", "AutoTokenizer", *(["BitsAndBytesConfig"] if recipe.quantised else [])]
    peft = _peft_names(found)
    lines = [
        "import argparse", "", "import torch", "from datasets import load_dataset",
        *([f"from peft import {', '.join(peft)}"] if peft else []),
        f"from transformers import {', '.join(imports)}", "from trl import SFTConfig, SFTTrainer", "",
        "parser = argparse.ArgumentParser()",
        'parser.add_argument("--data", required=True, help="JSON lines with text, messages, or prompt and completion")',
        f'parser.add_argument("--model", default={_text(found.model)})',
        'parser.add_argument("--output", default="output")',
        'parser.add_argument("--epochs", type=float, default=1.0)',
        'parser.add_argument("--max-steps", type=int, default=-1)',
        "args = parser.parse_args()", "",
        "config = SFTConfig(", "    output_dir=args.output,", "    num_train_epochs=args.epochs,", "    max_steps=args.max_steps,",
        *(f"    {name}={_literal(value)}," for name, value in sft_settings(found, sharded).items()), ")",
        "model = AutoModelForCausalLM.from_pretrained(", "    args.model,", f"    dtype=torch.{found.weights_dtype},",
        f"    attn_implementation={_text(found.attention)},",
        *(["    quantization_config=BitsAndBytesConfig(", *(f"        {line}," for line in _bits(found)), "    ),"] if recipe.quantised else []),
        ")",
    ]  # fmt: skip
    if recipe.prepared:
        lines.append(f"model = prepare_model_for_kbit_training(model, use_gradient_checkpointing={recipe.checkpointing})")
    lines += _adapters(found)
    lines += [
        "trainer = SFTTrainer(", "    model=model,", "    args=config,",
        '    train_dataset=load_dataset("json", data_files=args.data, split="train"),',
        "    processing_class=AutoTokenizer.from_pretrained(args.model),",
        *(["    peft_config=adapters,"] if recipe.adapted and not _own_peft(found) else []), ")",
    ]  # fmt: skip
    if recipe.quantised and found.half == "fp16":
        lines += [
            "# TRL has made the adapters bf16, which a gradient scaler for fp16 cannot take.", "for parameter in trainer.model.parameters():",
            "    if parameter.requires_grad:", "        parameter.data = parameter.data.float()",
        ]  # fmt: skip
    return [*lines, "trainer.train()", "trainer.save_model(args.output)"]


def sft_settings(found: Wanted, sharded: bool = False) -> dict[str, Any]:
    """The fields of SFTConfig that the plan fixes."""
    recipe = found.recipe
    return {
        "per_device_train_batch_size": recipe.micro_batch,
        "gradient_accumulation_steps": found.plan.accumulation,
        "max_length": recipe.sequence_tokens,
        "packing": False,
        "gradient_checkpointing": recipe.checkpointing,
        **({"gradient_checkpointing_kwargs": {"use_reentrant": False}} if recipe.checkpointing else {}),
        "optim": found.optimizer("trl"),
        "learning_rate": found.plan.learning_rate,
        "lr_scheduler_type": "cosine",
        "bf16": found.mixed and found.half == "bf16",
        "fp16": found.mixed and found.half == "fp16",
        **({"use_cpu": True} if recipe.device == "cpu" else {}),
        **({"deepspeed": deepspeed.FILE} if sharded else {}),
        "logging_steps": 1,
        "report_to": "none",
    }


def lora_settings(found: Wanted) -> dict[str, Any]:
    """The fields of LoraConfig."""
    recipe = found.recipe
    return {
        "r": recipe.rank,
        "lora_alpha": found.alpha,
        "lora_dropout": recipe.dropout,
        "target_modules": found.peft_targets,
        "use_rslora": recipe.method == "rslora",
        "use_dora": recipe.method == "dora",
        "task_type": "CAUSAL_LM",
    }


def _own_peft(found: Wanted) -> bool:
    """Adapters in the base's numbers are made before the trainer, which would make them fp32."""
    return found.recipe.ranked and not found.recipe.quantised and found.recipe.adapter_dtype == "base"


def _peft_names(found: Wanted) -> list[str]:
    recipe = found.recipe
    names = ["PromptTuningConfig"] if recipe.method == "prompt" else ["LoraConfig"] if recipe.ranked else []
    names += ["get_peft_model"] if _own_peft(found) else []
    return names + (["prepare_model_for_kbit_training"] if recipe.prepared else [])


def _adapters(found: Wanted) -> list[str]:
    recipe = found.recipe
    if recipe.method == "prompt":
        return [f'adapters = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens={recipe.virtual_tokens})']
    if not recipe.ranked:
        return []
    lines = ["adapters = LoraConfig(", *(f"    {name}={_literal(value)}," for name, value in lora_settings(found).items()), ")"]
    return [*lines, "model = get_peft_model(model, adapters, autocast_adapter_dtype=False)"] if _own_peft(found) else lines


def _bits(found: Wanted) -> list[str]:
    recipe = found.recipe
    if recipe.method == "lora8bit":
        return ["load_in_8bit=True"]
    storage = [f"bnb_4bit_quant_storage=torch.{found.half_name}"] if found.split.zero == 3 else []
    return [
        "load_in_4bit=True", 'bnb_4bit_quant_type="nf4"', f"bnb_4bit_use_double_quant={recipe.double_quant}",
        f"bnb_4bit_compute_dtype=torch.{found.half_name}", *storage,
    ]  # fmt: skip


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(value: Any) -> str:
    return _text(value) if isinstance(value, str) else repr(value).replace("'", '"')
