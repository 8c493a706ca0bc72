"""Settings that training tools know, read from the tools themselves: src/sizeup/data/training_tools.json.

Run where transformers, trl, peft, accelerate, deepspeed, axolotl, llamafactory, torchtune and unsloth are installed, or unpacked on
the path, without their heavy dependencies: python -m tools.training_tools DATE. Names of optimizers are kept by hand.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.metadata
import importlib.util
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "src" / "sizeup" / "data" / "training_tools.json"


def main(date: str) -> None:
    content = json.loads(FILE.read_text())
    for tool, (package, keys) in known().items():
        version = importlib.metadata.version(package)
        content["tools"][tool] = {
            "version": version,
            "date": date,
            "source": f"{package} {version}, its own schema",
            "keys": sorted(set(keys)),
        }
    content["torchtune_models"] = torchtune_models()
    text = json.dumps(content, indent=1, ensure_ascii=False)
    FILE.write_text(re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda found: "[" + " ".join(found[1].split()) + "]", text) + "\n")


def known() -> dict[str, tuple[str, list[str]]]:
    """Tool -> its package and the settings that its schema has."""
    from accelerate.commands.config.config_args import ClusterConfig
    from axolotl.utils.schemas.config import AxolotlInputConfig
    from deepspeed.runtime.precision_config import DeepSpeedBF16Config, DeepSpeedFP16Config
    from deepspeed.runtime.zero.config import DeepSpeedZeroConfig
    from deepspeed.runtime.zero.offload_config import DeepSpeedZeroOffloadOptimizerConfig, DeepSpeedZeroOffloadParamConfig
    from llamafactory.hparams import DataArguments, FinetuningArguments, ModelArguments, TrainingArguments
    from peft import LoraConfig, PromptTuningConfig
    from transformers import BitsAndBytesConfig
    from trl import SFTConfig

    def fields(*classes: Any) -> list[str]:
        return [field.name for each in classes for field in dataclasses.fields(each)]

    def models(*classes: Any) -> list[str]:
        return [name for each in classes for key, field in each.model_fields.items() for name in (key, field.alias) if name]

    bits = list(inspect.signature(BitsAndBytesConfig.__init__).parameters)
    zero = models(DeepSpeedZeroConfig, DeepSpeedZeroOffloadOptimizerConfig, DeepSpeedZeroOffloadParamConfig)
    constants = Path(inspect.getfile(DeepSpeedZeroConfig)).parents[1] / "constants.py"
    top = re.findall(r"""^[A-Z_0-9]+ = ["']([a-z_0-9]+)["']""", constants.read_text(), re.MULTILINE)
    questions = Path(inspect.getfile(ClusterConfig)).with_name("cluster.py").read_text()
    accelerate = [*fields(ClusterConfig), *re.findall(r'"((?:fsdp|deepspeed|zero3)_[a-z0-9_]+)"', questions)]
    return {
        "trl": ("trl", [*fields(SFTConfig, LoraConfig, PromptTuningConfig), *bits]),
        "axolotl": ("axolotl", [*models(AxolotlInputConfig), "liger_fused_linear_cross_entropy", "path", "type", *bits, "use_reentrant"]),
        "llama-factory": ("llamafactory", fields(ModelArguments, DataArguments, TrainingArguments, FinetuningArguments)),
        "deepspeed": ("deepspeed", [*top, *zero, *models(DeepSpeedBF16Config, DeepSpeedFP16Config), "zero_optimization", "bf16", "fp16"]),
        "accelerate": ("accelerate", accelerate),
        "torchtune": ("torchtune", torchtune_keys()),
        "unsloth": ("unsloth", unsloth_keys()),
    }


def unsloth_keys() -> list[str]:
    """Arguments of FastLanguageModel, read from the source: importing it wants a GPU."""
    folder = Path(str(importlib.metadata.distribution("unsloth").locate_file("unsloth"))) / "models"
    found = []
    for name, function in (("loader.py", "from_pretrained"), ("llama.py", "get_peft_model")):
        for node in ast.walk(ast.parse((folder / name).read_text())):
            if isinstance(node, ast.FunctionDef) and node.name == function:
                found += [argument.arg for argument in node.args.args]
    return found


def torchtune_configs() -> list[Any]:
    """Every config of torchtune's own recipes for text models."""
    from omegaconf import OmegaConf

    folder = Path(importlib.util.find_spec("recipes").origin or "").parent / "configs"
    paths = sorted(path for path in folder.rglob("*.yaml") if re.search(r"(lora|full)(_single_device)?\.yaml$", path.name))
    return [OmegaConf.to_container(OmegaConf.load(path)) for path in paths if "vision" not in str(path)]


def torchtune_keys() -> list[str]:
    def keys(content: dict[str, Any]) -> list[str]:
        return [name for key, value in content.items() for name in [key, *(keys(value) if isinstance(value, dict) else [])]]

    return [name for config in torchtune_configs() for name in keys(config)] + TORCHTUNE_MORE


TORCHTUNE_MORE = [
    "source",
    "data_files",
    "conversation_column",
    "conversation_style",
    "split",
    "use_dora",
    "fsdp_cpu_offload",
    "save_adapter_weights_only",
]
"""Arguments of chat_dataset, of the LoRA builders and of the distributed recipes that no shipped config sets."""


def torchtune_models() -> dict[str, Any]:
    """Model name without "-Instruct" -> its builder, tokenizer and checkpoint files."""
    import torchtune.models as models

    found = {}
    for config in torchtune_configs():
        checkpointer, component = config["checkpointer"], config["model"]["_component_"]
        if "HFCheckpointer" not in checkpointer["_component_"]:
            continue
        module, _, builder = component.rpartition(".")
        builder = builder.removeprefix("q").removeprefix("lora_") if "lora_" in builder else builder
        tokenizer = {k: v for k, v in config["tokenizer"].items() if k in ("path", "merges_file")}
        folder = checkpointer["checkpoint_dir"].rstrip("/")
        name = folder.rpartition("/")[2].removesuffix("-Instruct").replace("Meta-Llama", "Llama")
        qlora = importlib.import_module(module.replace("torchtune.models", models.__name__))
        found[name] = {
            "builder": f"{module}.{builder}",
            "tokenizer": config["tokenizer"]["_component_"],
            "tokenizer_files": {key: value.removeprefix(folder).lstrip("/") for key, value in tokenizer.items()},
            "model_type": checkpointer["model_type"],
            "checkpoint_files": checkpointer["checkpoint_files"],
            "tied": not any(
                argument == "apply_lora_to_output" for argument in inspect.signature(getattr(qlora, f"lora_{builder}")).parameters
            ),
            "qlora": hasattr(qlora, f"qlora_{builder}"),
        }
    return found


if __name__ == "__main__":
    main(sys.argv[1])
