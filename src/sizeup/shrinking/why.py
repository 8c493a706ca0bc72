"""How the stored bytes of a form come about, kind of matrix by kind of matrix."""

from __future__ import annotations

from sizeup.figure import Figure, Number, leaf, total
from sizeup.mixes import block_of
from sizeup.model import Tensor
from sizeup.quant import quant

from . import sharing, sparse
from .adapters import adapters_bytes
from .form import Form
from .shape import matrices


def stored_figure(form: Form) -> Figure:
    """Stored bytes with their derivation; its value is `form.stored_bytes`."""
    gone = sharing.repeated(form.model, form.shared) if form.shared else frozenset[int]()
    kept = sharing.stored_once(form.tensors, gone)
    pruned = {tensor.name for tensor in matrices(kept, form.model.architecture)} if form.sparsity else set[str]()
    kinds: dict[tuple[str, tuple[int, ...], str, bool], list[Tensor]] = {}
    for tensor in kept:
        name = tensor.name if block_of(tensor.name) < 0 else tensor.name.split(".", 2)[2]
        kinds.setdefault((name, tensor.shape, str(tensor.type), tensor.name in pruned), []).append(tensor)
    parts = [
        leaf(name.removesuffix(".weight"), len(alike))
        * _bytes(form, "" if len(alike) > 1 else name.removesuffix(".weight"), alike[0], sparsely)
        for (name, _, _, sparsely), alike in kinds.items()
    ]
    base: Number = total(parts)
    if form.adapters:
        base = adapters_bytes(base, leaf("adapter_parameters", form.adapter_parameters), leaf("adapters", form.adapters))
    assert isinstance(base, Figure)
    return Figure(base.value, "step", (base,), "shrunk_bytes")


def _bytes(form: Form, name: str, tensor: Tensor, sparsely: bool) -> Number:
    if not sparsely:
        return leaf(f"{name} {tensor.type}".strip(), tensor.bytes)
    chosen, kind = sparse.encoding(tensor, form.sparsity), quant(str(tensor.type))
    elements = leaf("places", tensor.elements)
    left = leaf("weights_left", sparse.left(tensor, form.sparsity))
    if chosen == "two_four":
        return sparse.two_four_bytes(elements, kind)
    if chosen == "bitmap":
        return sparse.bitmap_bytes(elements, left, kind)
    if chosen == "csr":
        return sparse.csr_bytes(
            left, leaf("rows", tensor.elements // tensor.shape[0]), leaf("index_bytes", sparse.index_bytes(tensor)), kind
        )
    return leaf(f"{name} {tensor.type}".strip(), tensor.bytes)
