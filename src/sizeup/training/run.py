"""What all blocks of one forward pass share."""

from __future__ import annotations

from dataclasses import dataclass, field

from sizeup.figure import Number

from .manner import Manner
from .tape import Tape
from .tensors import Tensor


@dataclass
class Run:
    """One forward pass: the tape, the micro-batch, what all blocks share."""

    tape: Tape
    batch: Number
    tokens: Number
    manner: Manner
    attention: str = "sdpa"
    """"sdpa" picks the kernel as CUDA does; "flash", "efficient", "math", "eager" ask for one."""
    padded: bool = False
    """The batch has a padding mask."""
    half: bool = False
    """16-bit numbers are fp16, not bf16."""
    cpu: bool = False
    """The step runs on a processor, whose kernels are others."""
    shared: dict[str, list[Tensor]] = field(default_factory=dict)
    """What lives as long as the model's forward: positions, cosines and sines, masks."""

    @property
    def rows(self) -> Number:
        return self.batch * self.tokens
