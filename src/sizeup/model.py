"""A model as it is described before any engine touches it: a sum of unlike layers, and the tensors it is stored in."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .facts import ASSUMED, Source
from .figure import Number, total
from .layers import Block, Embedding, Head, Tower
from .quant import quant


@dataclass(frozen=True, slots=True)
class Tensor:
    """One stored array. `shape` is in ggml's order: the row length first."""

    name: str
    shape: tuple[int, ...]
    type: str | None = None
    """Name of its number format as stored; None when it is known only from a config."""
    offset: int | None = None
    """Bytes from the start of its file; None when no file was read."""
    file: int = 0
    """Which of the model's files it lies in (split files)."""

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def bytes(self) -> int:
        """Stored bytes; raises ValueError when the type is not known."""
        if self.type is None:
            raise ValueError(f"{self.name} has no stored type")
        return _stored_bytes(self.type, self.shape[0], self.elements)


@functools.lru_cache(maxsize=1 << 14)
def _stored_bytes(type: str, row: int, elements: int) -> int:
    """Blocks repeat: a model's hundreds of tensors have a few dozen sizes."""
    return int(quant(type).tensor_bytes(row, elements // row if row else 0))


@dataclass(frozen=True, slots=True)
class Group:
    """Equal blocks and where they stand: `positions` are block indexes, ascending."""

    block: Block
    positions: tuple[int, ...]

    @property
    def layers(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class ModelSpec:
    """What was read of a model. Layers are the only description; `tensors` are what a file stores or a config implies.

    Not slotted: derived tables (`type_bytes`, …) are cached on the instance, which never changes.
    """

    name: str
    architecture: str
    """The engine-neutral family name as llama.cpp calls it (`llama`, `qwen3moe`, …); "" when no engine has one."""
    model_type: str
    """Hugging Face's `model_type`; "" when read from a GGUF."""
    hidden: int
    vocabulary: int
    context_tokens: int | None
    """The longest context the model was made for; None when nobody says."""
    embedding: Embedding
    head: Head
    groups: tuple[Group, ...]
    towers: tuple[Tower, ...] = ()
    draft_blocks: tuple[Group, ...] = ()
    """Multi-token-prediction blocks shipped with the weights; most engines leave them out."""
    tensors: tuple[Tensor, ...] = field(default=(), hash=False)
    stored: str = "config"
    """"gguf", "safetensors" or "config" (no weights were seen)."""
    mix: str | None = None
    """The quantisation mix of a GGUF file as its label says (`Q4_K_M`); the tensors decide, not the label."""
    file_bytes: tuple[int, ...] = ()
    data_start: tuple[int, ...] = ()
    """Offset of the first tensor byte in each file."""
    path: str | None = None
    hyper: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """Hyper-parameters as the file or config gave them, for engines' special rules and for `--why`."""
    causal: bool = True
    """False for encoders: every token sees every other, nothing is generated, nothing is cached."""
    tokenizer_tokens: int = 0
    """Tokens whose text the file carries; 0 when it carries none."""
    source: Source = ASSUMED
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What is worth knowing of how the weights are stored, and harms nothing."""
    assumed: tuple[str, ...] = ()
    """What had to be guessed, in words; shown wherever a number that rests on it is shown."""
    config: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """The whole config.json as it was read; empty for a model read from a GGUF. Shared: not to be changed."""
    card: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """The catalogue's row (id, licence, dates, Ollama tags, check, …), when there is one."""

    @property
    def named(self) -> str:
        """What is given to engines that read checkpoints: the folder of one that lies here, else the repository's name."""
        if self.path is not None and self.stored == "safetensors" and os.path.isfile(self.path):
            return os.path.dirname(self.path) or "."
        return str(self.path or self.card.get("id") or self.name)

    @property
    def layers(self) -> int:
        """Blocks of the main model, without draft blocks."""
        return sum(group.layers for group in self.groups)

    @functools.cached_property
    def parameters(self) -> int:
        """Unique weights of the main model counted from its layers: tied head once, towers included, draft blocks not."""
        blocks = total(group.layers * group.block.parameters(self.hidden) for group in self.groups)
        return int(
            blocks
            + self.embedding.parameters(self.hidden)
            + self.head.parameters(self.hidden)
            + total(tower.parameters() for tower in self.towers)
        )

    @functools.cached_property
    def active_parameters(self) -> int:
        """Weights that take part in one token: routed experts that it skips, towers and draft blocks are left out."""
        idle = total(group.layers * group.block.idle_parameters(self.hidden) for group in self.groups)
        return int(self.parameters - idle - total(tower.parameters() for tower in self.towers))

    @functools.cached_property
    def stored_parameters(self) -> int:
        """Elements in the tensors that were read or derived."""
        return sum(tensor.elements for tensor in self.tensors)

    def cache_row_bytes(self, k: Any, v: Any) -> Number:
        """Cache bytes that one more token in every ordinary layer takes; windows not considered."""
        return total(group.layers * group.block.cache_bytes(1, k, v) for group in self.groups)
