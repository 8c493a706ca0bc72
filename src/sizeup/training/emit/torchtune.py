"""torchtune's YAML for its own recipes and its own models."""

from __future__ import annotations

from typing import Any

from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.yaml_lines import yaml

from .wanted import DATASET, Emitted, Wanted, header

METHODS = ("full", "lora", "dora", "qlora")
FILE = "torchtune.yaml"
MODULES = {"q_proj": "q_proj", "k_proj": "k_proj", "v_proj": "v_proj", "o_proj": "output_proj"}
FOLDER = "PATH/TO/THE/MODEL"


def emit(found: Wanted) -> Emitted:
    """torchtune.yaml for a model that torchtune has a builder for. Raises UserError for all others."""
    found.only("torchtune", METHODS, (found.recipe.loss,))
    found.notes.append("torchtune keeps all logits in 16 bits and takes their loss in eight pieces, unlike the plan.")
    recipe, split = found.recipe, found.split
    row = data_json("training_tools.json")["torchtune_models"].get(found.model.rpartition("/")[2].removesuffix("-Instruct"))
    if row is None:
        raise UserError(f"torchtune has no builder for {found.model}.", "--emit trl")
    if recipe.dtype in ("amp", "bf16-master", "fp16"):
        found.notes.append("torchtune trains in bf16 or fp32 alone, without autocast or an fp32 copy: weights and states take less.")
    if split.zero in (1, 2):
        found.notes.append("torchtune shards weights too (FSDP2, ZeRO 3) on several devices.")
    if split.data > 1 and split.zero == 0:
        found.notes.append("The plan holds whole models (DDP); torchtune shards them (FSDP2).")
    name = f"{'full_finetune' if recipe.method == 'full' else 'lora_finetune'}_{'distributed' if split.data > 1 else 'single_device'}"
    content: dict[str, Any] = {
        "output_dir": "./output",
        "model": _model(found, row),
        "tokenizer": {"_component_": row["tokenizer"], **{key: f"{FOLDER}/{file}" for key, file in row["tokenizer_files"].items()},
                      "max_seq_len": recipe.sequence_tokens},
        "checkpointer": {
            "_component_": "torchtune.training.FullModelHFCheckpointer", "checkpoint_dir": FOLDER, "checkpoint_files": row["checkpoint_files"],
            "recipe_checkpoint": None, "output_dir": "./output", "model_type": row["model_type"],
        },
        "resume_from_checkpoint": False,
        **({"save_adapter_weights_only": False} if recipe.ranked else {}),
        "dataset": {"_component_": "torchtune.datasets.chat_dataset", "source": "json", "data_files": DATASET, "conversation_column": "messages",
                    "conversation_style": "openai", "split": "train", "packed": False},
        "seed": None,
        "shuffle": True,
        "batch_size": recipe.micro_batch,
        "optimizer": {"_component_": found.optimizer("torchtune"), "lr": found.plan.learning_rate},
        **({"lr_scheduler": {"_component_": "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup", "num_warmup_steps": 10}}
           if recipe.ranked else {}),
        "loss": {"_component_": "torchtune.modules.loss.CEWithChunkedOutputLoss"},
        "epochs": 1,
        "max_steps_per_epoch": None,
        "gradient_accumulation_steps": found.plan.accumulation,
        "clip_grad_norm": None,
        "compile": False,
        **({"optimizer_in_bwd": False} if recipe.method == "full" else {}),
        "metric_logger": {"_component_": "torchtune.training.metric_logging.DiskLogger", "log_dir": "./output/logs"},
        "log_every_n_steps": 1,
        "log_peak_memory_stats": True,
        "device": "cpu" if recipe.device == "cpu" else "cuda",
        "dtype": "fp32" if recipe.dtype == "fp32" else "bf16",
        "enable_activation_checkpointing": recipe.checkpointing,
        "enable_activation_offloading": False,
        **({"fsdp_cpu_offload": True} if split.offload == "cpu" and split.data > 1 else {}),
    }  # fmt: skip
    run = f"tune run {f'--nproc_per_node {split.data} ' if split.data > 1 else ''}{name} --config {FILE}"
    fill = [f"# fill in: {FOLDER} (a folder with the checkpoint), dataset.data_files ({DATASET})"]
    text = "\n".join([*header(found, "torchtune", run), *fill, *yaml(content)]) + "\n"
    return Emitted({FILE: text}, run, tuple(found.notes))


def _model(found: Wanted, row: dict[str, Any]) -> dict[str, Any]:
    recipe = found.recipe
    module, _, builder = row["builder"].rpartition(".")
    if recipe.method == "full":
        return {"_component_": row["builder"]}
    if recipe.method == "qlora" and not row["qlora"]:
        raise UserError(f"torchtune has no QLoRA builder for {found.model}.", "--method lora")
    targets = found.peft_targets
    names = list(MODULES) if targets == "all-linear" else targets
    mlp = [name in names for name in ("gate_proj", "up_proj", "down_proj")]
    if targets != "all-linear" and any(mlp) != all(mlp):
        raise UserError("torchtune adapts all three matrices of the MLP or none.", "--targets all-linear")
    return {
        "_component_": f"{module}.{'qlora' if recipe.method == 'qlora' else 'lora'}_{builder}",
        "lora_attn_modules": [MODULES[name] for name in names if name in MODULES],
        "apply_lora_to_mlp": targets == "all-linear" or all(mlp),
        **({} if row["tied"] else {"apply_lora_to_output": False}),
        "lora_rank": recipe.rank,
        "lora_alpha": found.alpha,
        "lora_dropout": recipe.dropout,
        **({"use_dora": True} if recipe.method == "dora" else {}),
    }
