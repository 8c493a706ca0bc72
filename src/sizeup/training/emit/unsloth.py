"""A script for Unsloth: FastLanguageModel, and TRL's SFTTrainer as Unsloth patches it."""

from __future__ import annotations

import json
from typing import Any

from sizeup.errors import UserError

from .trl import lora_settings, sft_settings
from .wanted import Emitted, Wanted, header

METHODS = ("full", "lora", "rslora", "qlora", "lora8bit")
FILE = "unsloth_run.py"
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""What Unsloth adapts by itself; it knows no word for all of them."""


def emit(found: Wanted) -> Emitted:
    """unsloth_run.py, for one device. Raises UserError for what Unsloth has no way for."""
    found.only("Unsloth", METHODS, ("chunked",), ("data",))
    recipe = found.recipe
    if found.split.data > 1:
        found.notes.append("Every device runs the script whole (DDP): torchrun --nproc_per_node.")
    if recipe.device == "cpu":
        raise UserError("Unsloth does not train on a processor.", "--emit trl")
    found.notes.append("Unsloth's own kernels and checkpointing take less than the plan, which is of transformers' code.")
    run = (
        f"python {FILE} --data train.jsonl"
        if found.split.data == 1
        else f"torchrun --nproc_per_node {found.split.data} {FILE} --data train.jsonl"
    )
    lines = [*header(found, "unsloth", run), *_script(found)]
    return Emitted({FILE: "\n".join(lines) + "\n"}, run, tuple(found.notes))


def model_settings(found: Wanted) -> dict[str, Any]:
    """Arguments of FastLanguageModel.from_pretrained."""
    recipe = found.recipe
    return {
        "max_seq_length": recipe.sequence_tokens,
        "load_in_4bit": recipe.method == "qlora",
        "load_in_8bit": recipe.method == "lora8bit",
        "load_in_16bit": recipe.ranked and not recipe.quantised,
        "full_finetuning": recipe.method == "full",
        "use_gradient_checkpointing": recipe.checkpointing,
    }


def adapter_settings(found: Wanted) -> dict[str, Any]:
    """Arguments of FastLanguageModel.get_peft_model."""
    recipe, lora = found.recipe, lora_settings(found)
    targets = lora["target_modules"]
    return {
        "r": lora["r"],
        "lora_alpha": lora["lora_alpha"],
        "lora_dropout": lora["lora_dropout"],
        "target_modules": LINEAR if targets == "all-linear" else targets,
        "use_rslora": lora["use_rslora"],
        "use_gradient_checkpointing": recipe.checkpointing,
    }


def _script(found: Wanted) -> list[str]:
    def call(start: str, settings: dict[str, Any]) -> list[str]:
        return [*start.splitlines(), *(f"    {name}={_literal(value)}," for name, value in settings.items()), ")"]

    lines = [
        "import argparse", "", "from unsloth import FastLanguageModel  # before trl, which it patches",
        "from datasets import load_dataset", "from trl import SFTConfig, SFTTrainer", "",
        "parser = argparse.ArgumentParser()", 'parser.add_argument("--data", required=True, help="JSON lines with text or messages")',
        f'parser.add_argument("--model", default={json.dumps(found.model, ensure_ascii=False)})',
        'parser.add_argument("--output", default="output")', "args = parser.parse_args()", "",
    ]  # fmt: skip
    lines += call("model, tokenizer = FastLanguageModel.from_pretrained(\n    args.model,", model_settings(found))
    if found.recipe.ranked:
        lines += call("model = FastLanguageModel.get_peft_model(\n    model,", adapter_settings(found))
    lines += call("config = SFTConfig(\n    output_dir=args.output,", sft_settings(found))
    return [
        *lines, "trainer = SFTTrainer(", "    model=model,", "    args=config,",
        '    train_dataset=load_dataset("json", data_files=args.data, split="train"),', "    processing_class=tokenizer,", ")",
        "trainer.train()", "trainer.save_model(args.output)",
    ]  # fmt: skip


def _literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (str, list)) else repr(value).replace("'", '"')
