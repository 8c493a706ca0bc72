"""What a model has become: its shape, the formats it is stored in, and what is left out of them.

Every technique makes a form from a form. Shapes change the model itself, so that the engine's own accounting and speed answer for
it; encodings (low rank, zeros, shared layers) change what is stored of the shape, and llama.cpp reads none of them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

from sizeup.engines import engine as find_engine
from sizeup.engines.llamacpp.hyper import hyper
from sizeup.engines.llamacpp.tensors import mix_facts
from sizeup.layers import Moe
from sizeup.mixes import assign
from sizeup.model import ModelSpec, Tensor
from sizeup.quant import quant as format_of

from . import low_rank, sharing, sparse
from .adapters import VALUE_BYTES, adapter_parameters, adapters_bytes
from .shape import as_file, matrices, parts_of


@dataclass(frozen=True)
class Form:
    """A model and how it is stored. Not slotted: what is counted is kept."""

    model: ModelSpec
    quant: str | None
    """The mix; None for a file, whose own types decide."""
    k: str = "f16"
    v: str = "f16"
    rank: int = 0
    """Of matrices stored as two; 0 stores them whole."""
    sparsity: float | str = 0.0
    """The share of the blocks' weights that is zero, or "2:4"."""
    shared: int | str = 0
    """Neighbouring layers that share one copy, or "all"; 0 shares none."""
    shared_keys: int = 0
    """Neighbouring layers that share keys and values, which llama.cpp knows of two families alone; 0 shares none."""
    adapters: int = 0
    adapter_rank: int = 0

    @functools.cached_property
    def dense(self) -> tuple[Tensor, ...]:
        """The tensors of the shape itself."""
        return find_engine("llama.cpp").tensors(self.model, self.quant)

    @functools.cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """What a step multiplies with: matrices of low rank as their two factors."""
        return low_rank.factorised(self.dense, self.model.architecture, self.rank) if self.rank else self.dense

    @functools.cached_property
    def weight_bytes(self) -> int:
        """Stored bytes of the weights: zeros and repeated layers left out. Not counted: the file's header, padding, adapters."""
        gone = sharing.repeated(self.model, self.shared) if self.shared else frozenset[int]()
        kept = sharing.stored_once(self.tensors, gone)
        if not self.sparsity:
            return sum(tensor.bytes for tensor in kept)
        pruned = {tensor.name for tensor in matrices(kept, self.model.architecture)}
        return sum(sparse.encoded_bytes(tensor, self.sparsity) if tensor.name in pruned else tensor.bytes for tensor in kept)

    @property
    def stored_bytes(self) -> int:
        """The weights with their adapters."""
        return int(adapters_bytes(self.weight_bytes, self.adapter_parameters, self.adapters))

    @property
    def adapter_parameters(self) -> int:
        """Weights of one adapter; 0 without."""
        return adapter_parameters(self.dense, self.model.architecture, self.adapter_rank) if self.adapters else 0

    @property
    def adapter_moved_bytes(self) -> int:
        """What a token reads of the adapter of its task; 0 without."""
        if not self.adapters:
            return 0
        used = [feed.used / feed.experts for feed in parts_of(self.model, Moe)]
        return VALUE_BYTES * adapter_parameters(self.dense, self.model.architecture, self.adapter_rank, max(used, default=1.0))

    @property
    def cache_row_bytes(self) -> int:
        """Cache bytes that one more token takes; windows not considered."""
        return int(self.model.cache_row_bytes(format_of(self.k), format_of(self.v)))

    @functools.cached_property
    def parameters(self) -> int:
        """Weights that are stored: of two factors both, shared ones once, zeros counted."""
        if not (self.rank or self.shared):
            return self.model.parameters
        gone = sharing.repeated(self.model, self.shared) if self.shared else frozenset[int]()
        kept = sum(tensor.elements for tensor in sharing.stored_once(self.tensors, gone))
        return self.model.parameters - sum(tensor.elements for tensor in self.dense) + kept

    @property
    def label(self) -> str:
        """The mix as people call it."""
        return self.quant or self.model.mix or "as stored"

    @property
    def runnable(self) -> bool:
        """Whether llama.cpp runs it as it is stored."""
        return not (self.rank or self.sparsity or self.shared or self.shared_keys)

    @property
    def worked(self) -> tuple[ModelSpec, str | None]:
        """The model and mix that a step's work is counted from: of low rank a file of the factors."""
        if not self.rank:
            return self.model, self.quant
        return as_file(self.model, self.tensors, hyper(self.model)), None


def quantised(form: Form, mix: str) -> Form:
    """The form stored in this mix; a file's own tensors get the types that the quantiser would give them. Raises NotFound for its name."""
    model = form.model
    if model.stored != "gguf":
        return replace(form, quant=mix)
    types = assign(model.tensors, mix, mix_facts(model))
    typed = tuple(replace(tensor, type=kind) for tensor, kind in zip(model.tensors, types, strict=True))
    return replace(form, model=replace(as_file(model, typed, model.hyper), mix=mix), quant=None)


def published(model: ModelSpec) -> Form:
    """The model as it is: a file as it is stored, a published one in its own 4 bits, else in 16."""
    if model.stored == "gguf":
        return Form(model, None)
    native: Any = (model.card.get("native_quantization") or {}).get("quant_method")
    first = find_engine("llama.cpp").quants(replace(model, mix=None))[0]
    return Form(model, first if native and first and str(native).lower() in first.lower() else "BF16")
