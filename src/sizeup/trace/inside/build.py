"""The model that a step trains, as transformers and PEFT make it, on tensors without numbers."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from sizeup.training.recipe import Recipe

from .quantised import quantise

DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
"""Names that configs have for their number of layers."""
NUMBERS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32, "amp": torch.bfloat16}


@dataclass
class Built:
    """The model in training mode, and what is trained of it."""

    model: Any
    trained: list[Any]
    head: Any
    """The output projection: what comes from it on are logits."""
    parameters: int
    """Elements of the model's own weights, before adapters."""


def read_config(content: dict[str, Any], layers: int | None) -> Any:
    """The config, its text part cut to so many layers: the lists with one entry a layer are cut too."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(content), encoding="utf-8")
        whole = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    part = whole.get_text_config(decoder=True)
    fields = part.to_dict()
    depth = next(name for name in DEPTHS if name in fields)
    all_layers = fields[depth]
    if layers is None or layers == all_layers:
        return whole
    fields = {key: value[:layers] if isinstance(value, list) and len(value) == all_layers else value for key, value in fields.items()}
    fields[depth] = layers
    cut = type(part).from_dict(fields)
    for name, value in vars(whole).items():
        if value is part:
            setattr(whole, name, cut)
            return whole
    return cut


def make(whole: Any, number: Any, attention: str | None, tower: str) -> Any:
    """The model that the library's own classes load of such a checkpoint; with `tower` "none" the text model alone, where it has a
    class. Without a word on attention the library takes scaled_dot_product_attention wherever its class can."""
    part = whole.get_text_config(decoder=True)
    settings = {"dtype": number, "attn_implementation": attention}
    if part is whole or (tower == "none" and type(part) in transformers.MODEL_FOR_CAUSAL_LM_MAPPING):
        return transformers.AutoModelForCausalLM.from_config(part, **settings)
    if type(whole) in transformers.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return transformers.AutoModelForImageTextToText.from_config(whole, **settings)
    return transformers.AutoModelForMultimodalLM.from_config(whole, **settings)


def outside(model: Any) -> dict[str, Any]:
    """The parameters of towers and what joins them to the text model, by name; none where the model is all text."""
    text = {id(p) for part in (model.get_decoder(), model.get_output_embeddings(), model.get_input_embeddings()) for p in part.parameters()}
    return {name: p for name, p in model.named_parameters() if id(p) not in text}


def build(content: dict[str, Any], recipe: Recipe, targets: list[str], device: str, layers: int | None, eager: bool) -> Built:
    """Model, adapters, checkpointing. Raises ValueError where the libraries have no such model or no such adapter."""
    from transformers.initialization import no_init_weights

    config = read_config(content, layers)
    amp_full = recipe.dtype == "amp" and recipe.method in ("full", "freeze")
    number = torch.float32 if amp_full else NUMBERS[recipe.dtype]
    with torch.device(device), no_init_weights():
        model = make(config, number, "eager" if eager or recipe.attention == "eager" else None, recipe.tower)
    model.tie_weights()  # which no_init_weights leaves out
    model.config.get_text_config(decoder=True).use_cache = False
    parameters = sum(p.numel() for p in model.parameters())
    head = model.get_output_embeddings()
    aside = outside(model) if recipe.tower != "none" else {}
    if recipe.tower == "frozen":
        for parameter in aside.values():
            parameter.requires_grad_(False)
    model = adapted(model, recipe, targets, device, aside)
    if recipe.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False, "preserve_rng_state": False})
    if recipe.input_gradients:
        model.enable_input_require_grads()
    model.train()
    return Built(model, [p for p in model.parameters() if p.requires_grad], head, parameters)


def adapted(model: Any, recipe: Recipe, targets: list[str], device: str, aside: dict[str, Any]) -> Any:
    """The model as its method trains it; `aside` are the parameters of towers, by name."""
    import peft

    if recipe.quantised:
        quantise(model, device, recipe.double_quant, NUMBERS[recipe.dtype] if recipe.dtype != "fp32" else torch.bfloat16)
        if recipe.kbit_prep:
            model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if recipe.method == "freeze":
        freeze(model, recipe.trained_layers)
        for parameter in aside.values():
            parameter.requires_grad_(recipe.tower == "trained")
    if recipe.method == "prompt":
        asked: Any = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=recipe.virtual_tokens)
    elif recipe.ranked:
        asked = peft.LoraConfig(
            r=recipe.rank,
            lora_alpha=2 * recipe.rank,
            lora_dropout=recipe.dropout,
            target_modules=targets[0] if targets == ["all-linear"] else targets,
            task_type="CAUSAL_LM",
            exclude_modules=sorted({name.rpartition(".")[0] for name in aside}) if recipe.tower == "frozen" else None,
            init_lora_weights=False,
            use_rslora=recipe.method == "rslora",
            use_dora=recipe.method == "dora",
        )
    else:
        return model
    with torch.device(device):
        return peft.get_peft_model(model, asked, autocast_adapter_dtype=recipe.adapter_dtype != "base")


def blocks(model: Any) -> Any:
    """The list of decoder blocks: the longest list of modules."""
    return max((m for m in model.modules() if isinstance(m, torch.nn.ModuleList)), key=len)


def freeze(model: Any, trained_layers: int) -> None:
    """All but the last blocks, the final norm and an output projection of its own."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    stack = blocks(model.get_decoder())
    for parameter in (p for block in list(stack)[-trained_layers:] for p in block.parameters()):
        parameter.requires_grad_(True)
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    if head is not None and head.weight is not embedding.weight:
        for parameter in head.parameters():
            parameter.requires_grad_(True)
    inner = model.get_decoder()
    for name in ("norm", "ln_f", "final_layernorm", "final_layer_norm"):
        for parameter in getattr(inner, name, torch.nn.Identity()).parameters():
            parameter.requires_grad_(True)
