"""DeepSpeed's JSON: ZeRO stages 1 to 3, offload, 16 bits over an fp32 copy."""

from __future__ import annotations

import json
from typing import Any

from sizeup.errors import UserError
from sizeup.training.check import METHODS

from .wanted import Emitted, Wanted

FILE = "deepspeed.json"


def emit(found: Wanted) -> Emitted:
    """The file alone, for `deepspeed=` of any Trainer or `accelerate launch`."""
    written = file(found)
    command = f"accelerate launch --use_deepspeed --num_processes {found.split.data} --deepspeed_config_file {FILE} YOUR_SCRIPT.py"
    return Emitted(written, command, tuple(found.notes))


def beside(found: Wanted) -> dict[str, str]:
    """The file for another tool's configuration to name, where the plan has a ZeRO stage or moves states to the host."""
    return file(found) if found.split.zero or found.split.offload else {}


def file(found: Wanted) -> dict[str, str]:
    """The file by its name."""
    return {FILE: json.dumps(config(found), indent=2) + "\n"}


def config(found: Wanted) -> dict[str, Any]:
    """The content of the file. Raises UserError for what DeepSpeed has no way for."""
    found.only("deepspeed", METHODS, (found.recipe.loss,))
    split, recipe = found.split, found.recipe
    if recipe.quantised and split.zero == 3:
        found.notes.append("ZeRO 3 gathers weights of 4 and 8 bits only where bnb_4bit_quant_storage is a 16-bit type.")
    zero: dict[str, Any] = {"stage": split.zero or (2 if split.offload else 0), "overlap_comm": True, "contiguous_gradients": True}
    if split.offload:
        place = {"device": split.offload, "pin_memory": split.offload == "cpu"}
        if split.offload == "nvme":
            place["nvme_path"] = "PATH/TO/A/FAST/DISK"
        zero["offload_optimizer"] = place
        if split.zero == 3:
            zero["offload_param"] = dict(place)
    if split.zero == 3:
        zero["stage3_gather_16bit_weights_on_model_save"] = True
    content: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": recipe.micro_batch,
        "gradient_accumulation_steps": found.plan.accumulation,
        "train_batch_size": recipe.micro_batch * found.plan.accumulation * split.data,
        "gradient_clipping": 1.0,
        "zero_optimization": zero,
    }
    if recipe.dtype == "fp32":
        return content
    if found.half == "fp16":
        content["fp16"] = {"enabled": True}
    else:
        content["bf16"] = {"enabled": True}
        if recipe.dtype == "bf16" and recipe.method == "full":
            if split.zero in (1, 2, 3):
                content["bf16"] |= {"bf16_master_weights_and_grads": True, "bf16_optimizer_states": True}
            else:
                raise UserError("DeepSpeed keeps weights in bf16 alone only from ZeRO 1 on.", "--split data=2,zero=1")
    if recipe.dtype == "amp" and recipe.method == "full":
        found.notes.append("DeepSpeed keeps 16-bit weights and an fp32 copy (bf16-master) where the plan has fp32 weights and autocast.")
    return content
