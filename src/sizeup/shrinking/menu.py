"""What is shown when nobody asks for a technique: each at the strengths that people use, or that somebody measured."""

from __future__ import annotations

from collections.abc import Iterator

from sizeup.engines.llamacpp.tensors import blocks
from sizeup.layers import Attention, Moe
from sizeup.mixes import mixes

from .depth import removable
from .form import Form
from .low_rank import kinds
from .shape import parts_of
from .siblings import smaller
from .steps import Asked

MIXES = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K")
SHARE = 0.25
"""Of layers, heads and experts: the strength that most have been measured at."""
BLOCK = 256
"""Widths are multiples of this: the longest block that rows are stored in."""
SIBLINGS = 2
KEPT_TOKENS = 64_000
"""A vocabulary for one script and its neighbours (assumed)."""


def menu(form: Form) -> Iterator[Asked]:
    """Every technique that this model can take, one at a time."""
    model = form.model
    yield from (Asked(quant=mix) for mix in MIXES if mix not in (model.mix, form.quant))
    yield from (Asked(kv_type=kind) for kind in ("q8_0", "q4_0"))
    yield from (Asked(layers=count) for share in (SHARE, 2 * SHARE) if (count := removable(model, share)))
    yield from narrowed(form)
    if feeds := parts_of(model, Moe):
        for share in (SHARE, 2 * SHARE):
            if (count := round(feeds[0].experts * (1 - share))) >= feeds[0].used:
                yield Asked(experts=count)
        if feeds[0].used > 1:
            yield Asked(active_experts=feeds[0].used // 2)
    yield from headed(form)
    yield from (Asked(sibling=one) for one in smaller(model)[:SIBLINGS])
    if model.vocabulary > KEPT_TOKENS * 5 // 4:
        yield Asked(vocabulary=KEPT_TOKENS)
    if not model.head.tied:
        yield Asked(tie=True)
    yield Asked(sparsity="0.5")
    yield Asked(sparsity="2:4")
    if found := [kind for kind in kinds(form.dense, model.architecture) if kind.break_even > 1]:
        # Of the kind that holds most weights: the one worth factorising.
        most = max(found, key=lambda kind: kind.inputs * kind.outputs * kind.matrices)
        yield Asked(rank=int(most.break_even * (1 - SHARE)) // 32 * 32 or 1)
    yield Asked(share_layers=2)
    yield Asked(adapters=10)


def narrowed(form: Form) -> Iterator[Asked]:
    """A quarter less inside the feed-forward parts, and of the residual."""
    widths = {getattr(block.feed, "width", 0) for _, block in blocks(form.model)}
    if len(widths) == 1 and (inner := int(widths.pop() * (1 - SHARE)) // BLOCK * BLOCK):
        yield Asked(inner=inner)
    if hidden := int(form.model.hidden * (1 - SHARE)) // BLOCK * BLOCK:
        yield Asked(hidden=hidden)


def headed(form: Form) -> Iterator[Asked]:
    """A quarter of the heads with their groups, half of the keys and values, pairs of layers that share them."""
    found = [part for part in parts_of(form.model, Attention) if part.caches]
    if not found:
        return
    heads, kv_heads = found[0].heads, found[0].kv_heads
    if kv_heads >= 4:
        yield Asked(heads=heads * 3 // 4)
    if kv_heads > 1 and not kv_heads % 2:
        yield Asked(kv_heads=kv_heads // 2)
    yield Asked(share_kv=2)


def every_mix(form: Form) -> Iterator[Asked]:
    """Every mix of llama.cpp but the one that it is stored in."""
    yield from (Asked(quant=mix) for mix in mixes() if mix not in (form.model.mix, form.quant))
