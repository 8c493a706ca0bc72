"""Why a plan is as it is: a sentence for its method, one for each concession."""

from __future__ import annotations

from sizeup.training_flops import token_flops

from .result import Training


def reasons(training: Training, better_fits: bool | None) -> tuple[str, ...]:
    """English sentences; `better_fits` tells whether a plan that learns more fits too, None when the method was asked for."""
    return (_method(training, better_fits), *_concessions(training))


def _method(training: Training, better_fits: bool | None) -> str:
    recipe = training.recipe
    if recipe.method == "full":
        if recipe.dtype == "bf16":
            return "Full fine-tuning in bf16 alone takes half the memory; updates below bf16's steps are lost."
        return "Full fine-tuning learns the most."
    if recipe.quantised:
        if better_fits is False:
            return "A base in few bits with adapters is what fits; it learns as LoRA does and takes more time a step."
        return "A base in few bits with adapters takes the least memory and more time a step."
    if better_fits is False:
        return "Full fine-tuning does not fit; adapters learn less and forget less."
    return "Adapters take less memory than full fine-tuning; they learn less and forget less."


def _concessions(training: Training) -> list[str]:
    recipe, split = training.recipe, training.split
    found = []
    if recipe.checkpointing:
        flops = token_flops(training.model, recipe.sequence_tokens)
        more = round(100 * float((flops.blocks + flops.mixing) / flops.model))
        found.append(f"Activations are computed again for the backward pass, {more} % more arithmetic.")
    if split.data > 1:
        spread = (
            f"Each of {split.data} devices holds the whole model (DDP).",
            f"Optimizer states are spread over {split.data} devices (ZeRO 1).",
            f"Optimizer states and gradients are spread over {split.data} devices (ZeRO 2).",
            f"Weights, gradients and optimizer states are spread over {split.data} devices (ZeRO 3, FSDP).",
        )
        found.append(spread[split.zero])
    if recipe.optimizer.endswith("8bit"):
        found.append("Optimizer states are kept in 8 bits.")
    if split.offload:
        found.append("What rests lies in host memory, and every step moves it: this is slow.")
    return found
