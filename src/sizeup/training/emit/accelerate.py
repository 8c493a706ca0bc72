"""Accelerate's YAML: one process a device, plain, over DeepSpeed's file, or with FSDP2."""

from __future__ import annotations

from typing import Any

from sizeup.errors import UserError
from sizeup.training.check import METHODS
from sizeup.yaml_lines import yaml

from . import deepspeed
from .wanted import Emitted, Wanted, header

FILE = "accelerate.yaml"


def emit(found: Wanted) -> Emitted:
    """ZeRO over DeepSpeed, else plain processes."""
    split = found.split
    if not (split.zero or split.offload):
        return _written(found, {"distributed_type": "MULTI_GPU" if split.data > 1 else "NO"}, {})
    kind = {
        "distributed_type": "DEEPSPEED",
        "deepspeed_config": {"deepspeed_config_file": deepspeed.FILE, "zero3_init_flag": split.zero == 3},
    }
    return _written(found, kind, deepspeed.file(found))


def fsdp(found: Wanted) -> Emitted:
    """The same with FSDP2. Raises UserError when there is nothing to shard over."""
    split = found.split
    if split.data < 2:
        raise UserError("FSDP shards over devices, and this plan has one.", "--on with several devices, or --split data=2,zero=3")
    if split.zero == 1:
        found.notes.append("FSDP has no ZeRO 1: gradients are sharded too, as in ZeRO 2.")
    if split.zero == 0:
        found.notes.append("The plan holds whole models (DDP); FSDP shards them and takes less.")
    if split.offload == "nvme":
        raise UserError("FSDP cannot move states to “nvme”.", "offload=cpu")
    config = {
        "fsdp_version": 2,
        "fsdp_reshard_after_forward": split.zero in (0, 3),
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_offload_params": split.offload == "cpu",
        "fsdp_cpu_ram_efficient_loading": True,
        "fsdp_state_dict_type": "SHARDED_STATE_DICT",
        "fsdp_activation_checkpointing": False,
    }
    if found.recipe.checkpointing:
        found.notes.append("Checkpointing is set in the training arguments (gradient_checkpointing), not here: both together clash.")
    return _written(found, {"distributed_type": "FSDP", "fsdp_config": config}, {})


def _written(found: Wanted, kind: dict[str, Any], more: dict[str, str]) -> Emitted:
    found.only("accelerate", METHODS, (found.recipe.loss,))
    mixed = found.half if found.mixed else "no"
    content: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "debug": False,
        **kind,
        "machine_rank": 0,
        "main_training_function": "main",
        "num_machines": 1,
        "num_processes": found.split.data,
        "use_cpu": found.recipe.device == "cpu",
    }
    if kind["distributed_type"] != "DEEPSPEED":
        # DeepSpeed's own file says it, and accelerate refuses to hear it twice.
        content["mixed_precision"] = mixed
    run = f"accelerate launch --config_file {FILE} YOUR_SCRIPT.py"
    text = "\n".join([*header(found, "accelerate", run), *yaml(content)]) + "\n"
    return Emitted({FILE: text, **more}, run, tuple(found.notes))
