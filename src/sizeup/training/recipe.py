"""What a training run is asked to do: the fields of `sizeup.train`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sizeup.errors import UserError, close_names

SPELLINGS: dict[str, dict[Any, Any]] = {
    "dtype": {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "mixed": "amp"},
    "adapter_dtype": {"auto": "fp32", "": "fp32", "float32": "fp32", "bf16": "base"},
    "kbit_prep": {"peft": True, "none": False, "": True, None: True},
    "checkpointing": {"on": True, "off": False},
    "accumulate": {"on": True, "off": False},
    "optimizer": {"adamw8bit-sim": "adamw8bit", "adamw_8bit": "adamw8bit", "adamw_torch": "adamw", "paged_adamw": "paged-adamw"},
    "targets": {"": "all-linear"},
    "padded": {"padded": True, "none": False},
    "attention": {"flash2": "flash", "flash_attention_2": "flash"},
}
"""Other ways to say a setting, as configurations and tables write them."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run on one device."""

    method: str = "qlora"
    """"full", "lora", "rslora", "dora", "qlora", "lora8bit", "freeze", "prompt"."""
    dtype: str = "bf16"
    """"bf16" or "fp16" all through, "fp32" all through, "amp": autocast to 16 bits over fp32 weights that are trained,
    "bf16-master": 16-bit weights and gradients with an fp32 copy and fp32 states in the optimizer (DeepSpeed, Megatron)."""
    optimizer: str = "adamw"
    micro_batch: int = 1
    sequence_tokens: int = 2048
    checkpointing: bool = True
    attention: str = "flash"
    """"flash" and "sdpa" take the kernel that CUDA picks; "efficient", "math", "eager" ask for one."""
    rank: int = 16
    targets: str | tuple[str, ...] = "all-linear"
    adapter_dtype: str = "fp32"
    """"fp32" as PEFT makes adapters, "base" for the base model's."""
    kbit_prep: bool = True
    """peft.prepare_model_for_kbit_training: what is not quantised becomes fp32."""
    accumulate: bool = False
    """Gradients of earlier micro-batches are there during the step."""
    loss: str = "hf"
    """"hf" makes all logits in fp32, "chunked" a piece at a time (Liger's rule), "trl" as TRL's SFTTrainer does."""
    dropout: float = 0.0
    padded: bool = False
    """The batch carries a padding mask."""
    double_quant: bool = True
    keep_outputs: bool = False
    """The caller keeps the logits through backward and step, as plain loops do and Trainer does not."""
    input_gradients: bool = False
    """enable_input_require_grads()."""
    trained_layers: int = 2
    """For "freeze": the last so many blocks, the final norm and an output projection of its own are trained."""
    virtual_tokens: int = 20
    """For "prompt": learned vectors before the sequence."""
    tower: str = ""
    """Towers for pictures and sound: "none" is loaded, "frozen", "trained"; "" is what transformers' class for the checkpoint loads."""
    device: str = "cuda"
    """"cuda", or "cpu", whose attention is one kernel for all formats and masks."""

    @property
    def autocast(self) -> bool:
        return self.dtype == "amp"

    @property
    def adapted(self) -> bool:
        """The base model is frozen, but for the blocks that "freeze" leaves."""
        return self.method != "full"

    @property
    def mastered(self) -> bool:
        return self.dtype == "bf16-master"

    @property
    def ranked(self) -> bool:
        """Adapters of low rank beside the targets."""
        return self.method in ("lora", "rslora", "dora", "qlora", "lora8bit")

    @property
    def quantised(self) -> bool:
        return self.method in ("qlora", "lora8bit")

    @property
    def prepared(self) -> bool:
        return self.quantised and self.kbit_prep

    @property
    def base_width(self) -> int:
        """Bytes of a base weight that is not quantised."""
        return 4 if self.dtype == "fp32" or (self.autocast and (not self.adapted or self.method == "freeze")) or self.prepared else 2

    @property
    def adapter_width(self) -> int:
        return 4 if self.adapter_dtype != "base" or self.dtype == "fp32" else 2


def make_recipe(given: dict[str, Any]) -> Recipe:
    """A recipe from keywords; an unknown one is an error that names the nearest."""
    known = [item.name for item in dataclasses.fields(Recipe)]
    values = {}
    for name, value in given.items():
        name = "padded" if name == "mask" else name
        if name not in known:
            near = close_names(name, known, 1, 0.4)
            raise UserError(f"Training has no setting “{name}”.", near[0] if near else ", ".join(known))
        spelled = SPELLINGS.get(name, {})
        values[name] = spelled[value] if isinstance(value, (str, type(None))) and value in spelled else value
    return Recipe(**values)
