"""Every technique as a step: what is asked of it, the form that it makes, and how strong it is beside published measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sizeup.engines.llamacpp.tensors import blocks
from sizeup.errors import UserError
from sizeup.model import ModelSpec
from sizeup.quant import quant
from sizeup.units import show_bytes

from . import cache, depth, experts, heads, sparse, vocabulary, width
from .form import Form, quantised
from .siblings import checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The techniques that were asked for; None or 0 leaves one out."""

    sibling: ModelSpec | None = None
    layers: int | None = None
    hidden: int | None = None
    inner: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    share_kv: int | None = None
    experts: int | None = None
    active_experts: int | None = None
    vocabulary: int | None = None
    tie: bool = False
    quant: str | None = None
    kv_type: str | None = None
    share_layers: int | str | None = None
    rank: int | None = None
    sparsity: str | float | None = None
    adapters: int | None = None
    adapter_rank: int = 16


class Step(NamedTuple):
    """One technique at one strength."""

    technique: str
    places: dict[str, Any]
    """What its words say: how many are left of how many."""
    apply: Callable[[Form], Form]
    removed: float = 0.0
    """The share that goes, as published measurements count it."""
    pattern: str = ""


def steps(form: Form, asked: Asked) -> tuple[Step, ...]:
    """The steps in the order that they are done in: another model, its shape, its formats, what is left out of the weights.

    Raises UserError for what the model does not have, or for what would not make it smaller.
    """
    found = [one for make in MAKERS if (one := make(form, asked)) is not None]
    if asked.sibling is not None and len(found) > 1:
        # Numbers of layers and heads are the sibling's from then on.
        found = [found[0], *steps(found[0].apply(form), replace(asked, sibling=None))]
    return tuple(found)


def applied(form: Form, done: Sequence[Step]) -> Form:
    """The form that these steps make of this one."""
    for step in done:
        form = step.apply(form)
    return form


def _shaped(technique: str, change: Callable[[ModelSpec], ModelSpec], places: dict[str, Any], removed: float = 0.0) -> Step:
    return Step(technique, places, lambda form: replace(form, model=change(form.model)), removed)


def _sibling(form: Form, asked: Asked) -> Step | None:
    if asked.sibling is None:
        return None
    other = checked(form.model, asked.sibling)
    # A file has formats of its own; a published model is taken in those of the one that it stands for.
    mix = None if other.stored == "gguf" else form.quant or form.model.mix or "BF16"
    return Step("sibling", {"name": other.name.rpartition("/")[2]}, lambda form: replace(form, model=other, quant=mix))


def _layers(form: Form, asked: Asked) -> Step | None:
    if not asked.layers:
        return None
    have, count = form.model.layers, asked.layers
    return _shaped("depth", lambda model: depth.fewer_layers(model, count), {"left": count, "of": have}, 1 - count / have)


def _hidden(form: Form, asked: Asked) -> Step | None:
    return _narrowed(form, asked.hidden, width.narrower, "hidden", form.model.hidden)


def _inner(form: Form, asked: Asked) -> Step | None:
    have = max((getattr(block.feed, "width", 0) for _, block in blocks(form.model)), default=0)
    return _narrowed(form, asked.inner, width.thinner, "inner", have)


def _narrowed(form: Form, count: int | None, change: Callable[[ModelSpec, int], ModelSpec], technique: str, have: int) -> Step | None:
    if not count:
        return None
    # Published measurements count the weights that went.
    removed = 1 - change(form.model, count).parameters / form.model.parameters
    return _shaped(technique, lambda model: change(model, count), {"left": count, "of": have}, removed)


def _heads(form: Form, asked: Asked) -> Step | None:
    return _headed(form, asked.heads, heads.fewer_heads, "heads", "heads")


def _kv_heads(form: Form, asked: Asked) -> Step | None:
    return _headed(form, asked.kv_heads, heads.fewer_kv_heads, "kv_heads", "kv_heads")


def _headed(form: Form, count: int | None, change: Callable[[ModelSpec, int], ModelSpec], technique: str, field: str) -> Step | None:
    if not count:
        return None
    have = max((getattr(part, field, 0) for _, block in blocks(form.model) for part in block.mixers), default=0)
    return _shaped(technique, lambda model: change(model, count), {"left": count, "of": have}, 1 - count / have if have else 0.0)


def _share_kv(form: Form, asked: Asked) -> Step | None:
    if not asked.share_kv:
        return None
    count = asked.share_kv

    def apply(form: Form) -> Form:
        return replace(form, model=cache.shared_keys(form.model, count), shared_keys=count)

    return Step("share_kv", {"count": count}, apply, 1 - 1 / count)


def _experts(form: Form, asked: Asked) -> Step | None:
    if not asked.experts:
        return None
    have, count = experts.mixture(form.model, "--experts").experts, asked.experts
    return _shaped("experts", lambda model: experts.fewer_experts(model, count), {"left": count, "of": have}, 1 - count / have)


def _active_experts(form: Form, asked: Asked) -> Step | None:
    if not asked.active_experts:
        return None
    have, count = experts.mixture(form.model, "--active-experts").used, asked.active_experts
    return _shaped("active_experts", lambda model: experts.fewer_active(model, count), {"left": count, "of": have}, 1 - count / have)


def _vocabulary(form: Form, asked: Asked) -> Step | None:
    if not asked.vocabulary:
        return None
    have, count = form.model.vocabulary, asked.vocabulary
    return _shaped("vocabulary", lambda model: vocabulary.fewer_tokens(model, count), {"left": count, "of": have}, 1 - count / have)


def _tie(form: Form, asked: Asked) -> Step | None:
    if not asked.tie:
        return None
    return _shaped("tie", vocabulary.tied, {}, 1 - vocabulary.tied(form.model).parameters / form.model.parameters)


def _quant(form: Form, asked: Asked) -> Step | None:
    if not asked.quant:
        return None
    mix = asked.quant.upper()
    there, here = quantised(form, mix).weight_bytes, form.weight_bytes
    if there >= here:
        raise UserError(
            f"{form.model.name} takes {show_bytes(there)} as {mix} and {show_bytes(here)} as it is.", "a mix of fewer bits, such as Q4_K_M"
        )
    return Step("quantise", {"mix": mix}, lambda form: quantised(form, mix))


def _kv_type(form: Form, asked: Asked) -> Step | None:
    if not asked.kv_type:
        return None
    k, _, v = asked.kv_type.lower().partition("/")
    if not form.cache_row_bytes:
        raise UserError(f"{form.model.name} keeps no keys and values.", "--quant Q4_K_M")
    if quant(k).block_bytes * quant("f16").block >= quant("f16").block_bytes * quant(k).block:
        raise UserError(f"A cache of {k} is no smaller than one of f16.", "--kv-type q8_0")
    return Step("cache", {"type": asked.kv_type.lower()}, lambda form: replace(form, k=k, v=v or k))


def _share_layers(form: Form, asked: Asked) -> Step | None:
    if not asked.share_layers:
        return None
    count = asked.share_layers
    return Step("share_layers_all" if count == "all" else "share_layers", {"count": count}, lambda form: replace(form, shared=count))


def _rank(form: Form, asked: Asked) -> Step | None:
    rank = asked.rank
    return Step("rank", {"rank": rank}, lambda form: replace(form, rank=rank)) if rank else None


def _sparsity(form: Form, asked: Asked) -> Step | None:
    if not asked.sparsity:
        return None
    wanted = sparse.parse(str(asked.sparsity))
    if wanted == sparse.TWO_FOUR:
        return Step("two_four", {}, lambda form: replace(form, sparsity=wanted), 0.5, sparse.TWO_FOUR)
    return Step("sparsity", {"share": float(wanted)}, lambda form: replace(form, sparsity=wanted), float(wanted), "unstructured")


def _adapters(form: Form, asked: Asked) -> Step | None:
    if not asked.adapters:
        return None
    if asked.adapters < 1 or asked.adapter_rank < 1:
        raise UserError("An adapter is of rank 1 or more, and there is at least one.", "--adapters 10 --adapter-rank 16")
    count, rank = asked.adapters, asked.adapter_rank
    return Step("adapters", {"count": count, "rank": rank}, lambda form: replace(form, adapters=count, adapter_rank=rank))


MAKERS: tuple[Callable[[Form, Asked], Step | None], ...] = (
    _sibling, _layers, _hidden, _inner, _heads, _kv_heads, _share_kv, _experts, _active_experts, _vocabulary, _tie,
    _quant, _kv_type, _share_layers, _rank, _sparsity, _adapters,
)  # fmt: skip
"""In the order that steps are done in."""
