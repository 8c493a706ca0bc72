"""What a torch without CUDA has to be told before a step on fake CUDA tensors runs as it would on a GPU."""

from __future__ import annotations

from typing import Any

CAPABILITY = (9, 0)
"""What transformers is told when it asks which grouped product the device has."""


def claim(torch: Any) -> Any:
    """Answer the questions that PyTorch and transformers ask of a CUDA device. Returns what has to stay alive.

    `torch.autocast("cuda")` switches itself off where it finds no device. `aten::silu_backward` is written as other
    operations and has a kernel of its own on CUDA: without one in the build the dispatcher would take it apart, and the
    trace would show temporaries that no GPU allocates.
    """
    import torch.cuda.amp.common as common

    common.amp_definitely_not_available = lambda: False
    torch.cuda.is_bf16_supported = lambda including_emulation=True: True
    torch.cuda.get_device_capability = lambda device=None: CAPABILITY
    torch.cuda.current_device = lambda: 0
    torch.cuda.synchronize = lambda device=None: None
    kernels = torch.library.Library("aten", "IMPL")
    kernels.impl("silu_backward", lambda gradient, x: torch.empty_like(gradient), "CUDA")
    return kernels


def patch_modules(torch: Any) -> None:
    """`Module.to` and its like without swapping tensors, which fake ones refuse; and masks as running code decides them."""
    torch.nn.Module._apply = _apply

    from transformers import masking_utils

    # Running code looks at the positions' values, finds one sequence a row and makes no mask. It takes a fake tensor for a
    # compiler's and would make one always.
    masking_utils.find_packed_sequence_indices = lambda *args, **rest: None


def _apply(module: Any, function: Any, recurse: bool = True) -> Any:
    import torch

    for child in module.children():
        _apply(child, function)
    for name, parameter in list(module._parameters.items()):
        if parameter is None:
            continue
        with torch.no_grad():
            made = function(parameter)
        if made.dtype != parameter.dtype or made.device != parameter.device:
            module._parameters[name] = torch.nn.Parameter(made, requires_grad=parameter.requires_grad)
    for name, buffer in list(module._buffers.items()):
        if buffer is not None:
            module._buffers[name] = function(buffer)
    return module
