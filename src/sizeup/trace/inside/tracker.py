"""Every storage that a step makes, from its first operation to its last reference: live bytes by part, at every moment.

An operation's results are charged when they are first seen, in cells of the CUDA allocator, and released when their
storage dies, which Python's own reference counts decide as they do in a real step.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sizeup.figure import round_up
from sizeup.trace.depth import PARTS, Moment
from sizeup.training.kernels import flash_workspace
from sizeup.training.tensors import CELL


class Entry:
    """One storage: its bytes in the allocator's cells, its part, and the reference that tells of its end."""

    __slots__ = ("bytes", "end", "part")

    def __init__(self, bytes: int, part: str) -> None:
        self.bytes, self.part = bytes, part
        self.end: Any = None


class Tracker(TorchDispatchMode):  # type: ignore[misc]
    """Charges storages on `device` ("cuda", or "cpu" where that stands for it)."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device
        self.entries: dict[int, Entry] = {}
        self.live = dict.fromkeys(PARTS, 0)
        self.total = 0
        self.phase = ""
        """Outside a phase nothing is recorded; what is made counts as a buffer."""
        self.behind = False
        """The forward has come to the output projection: what it makes from here on are logits."""
        self.moments: list[Moment] = []

    def begin(self, phase: str) -> None:
        """A phase begins; its first moment is what is there before it."""
        self.phase, self.behind = phase, False
        self.note(f"{phase} begins")

    def end(self) -> None:
        self.phase = ""

    @property
    def part(self) -> str:
        """What a tensor is that appears now. In backward only a checkpointed forward that runs again records gradients."""
        if self.phase == "forward":
            return "logits" if self.behind else "activations"
        return "activations" if self.phase == "backward" and torch.is_grad_enabled() else "buffers"

    def charge(self, storage: Any, part: str) -> bool:
        """Count a storage, or move it to another part; whether it is new."""
        key = storage._cdata
        found = self.entries.get(key)
        if found is not None:
            return False
        entry = Entry(int(round_up(storage.nbytes(), CELL)), part)

        def gone(_: Any) -> None:
            if self.entries.get(key) is entry:
                del self.entries[key]
            self.live[entry.part] -= entry.bytes
            self.total -= entry.bytes

        entry.end = weakref.ref(storage, gone)
        self.entries[key] = entry
        self.live[part] += entry.bytes
        self.total += entry.bytes
        return True

    def name(self, tensor: Any, part: str) -> None:
        """Say what a tensor is, whether it has been seen or not."""
        storage = tensor.untyped_storage()
        if self.charge(storage, part):
            return
        entry = self.entries[storage._cdata]
        self.live[entry.part] -= entry.bytes
        self.live[part] += entry.bytes
        entry.part = part

    def watch(self, model: Any, adapted: bool, inside: Callable[[Any], list[Any]]) -> None:
        """Name the model's tensors, and every gradient when it arrives. `inside` finds what a parameter carries beside its values."""
        for parameter in model.parameters():
            self.name(parameter, "adapter" if adapted and parameter.requires_grad else "weights")
            for tensor in inside(parameter):
                self.name(tensor, "weights")
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(lambda p: self.name(p.grad, "gradients"))
        for buffer in model.buffers():
            self.name(buffer, "buffers")

    def note(self, event: str, workspace: int = 0) -> None:
        """Record this moment."""
        if self.phase:
            parts = (*(self.live[part] for part in PARTS[:-1]), self.live["buffers"] + workspace)
            self.moments.append(Moment(self.phase, event, self.total, self.total + workspace, parts))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        workspace = kernel_workspace(func, args)
        results = func(*args, **(kwargs or {}))
        grew = False
        for tensor in (results,) if isinstance(results, torch.Tensor) else tree_leaves(results):
            if isinstance(tensor, torch.Tensor) and tensor.device.type == self.device:
                grew |= self.charge(tensor.untyped_storage(), self.part)
        if grew or workspace:
            self.note(str(func), workspace)
        return results


def kernel_workspace(func: Any, args: Any) -> int:
    """What a CUDA kernel allocates inside itself, which no trace can see: FlashAttention-2's backward, and the softmax's."""
    aten = torch.ops.aten
    if func is aten._scaled_dot_product_flash_attention_backward.default:
        query, key, value = args[1:4]
        batch, heads, tokens, dim = query.shape
        return int(flash_workspace(batch, tokens, heads, dim, value.shape[-1], heads != key.shape[1]))
    if func is aten._softmax_backward_data.default:
        return int(args[0].numel() * max(args[0].element_size(), args[1].element_size()))
    return 0
