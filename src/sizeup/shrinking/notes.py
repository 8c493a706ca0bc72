"""What a table's figures do not say: which engine reads an encoding, what a batch changes, what a file would not give back."""

from __future__ import annotations

from typing import Any, NamedTuple

from sizeup.layers import Moe
from sizeup.model import ModelSpec
from sizeup.work import experts_read

from . import low_rank
from .adapters import copies_bytes
from .cost import requantised
from .form import Form
from .shape import parts_of
from .steps import Step
from .vocabulary import scripts

EXPLAINED = (
    "sparsity",
    "two_four",
    "share_layers",
    "share_layers_all",
    "active_experts",
    "share_kv",
    "kv_heads",
    "tie",
    "vocabulary",
)
"""Steps with one thing to say, whatever the model."""


BATCH = 32
"""Tokens of a batch that is told of."""


class Note(NamedTuple):
    """A message key under `shrink.note_` and the values of its places."""

    key: str
    places: dict[str, Any]


def notes(step: Step, before: Form, after: Form) -> tuple[Note, ...]:
    """What is to be said of one step alone."""
    name = step.technique
    found = [Note(name, {})] if name in EXPLAINED else []
    if name == "experts":
        found.append(Note("experts", coverage(before.model, after.model)))
    if name == "rank":
        kinds = low_rank.kinds(before.dense, before.model.architecture)
        whole = [kind.name for kind in kinds if kind.break_even <= after.rank]
        found.append(Note("rank", {"kinds": ", ".join(f"{kind.name} {kind.break_even:,}" for kind in kinds)}))
        found += [Note("rank_whole", {"names": ", ".join(whole)})] if whole else []
    if name == "adapters":
        found.append(Note("adapters", {"bytes": int(copies_bytes(before.stored_bytes, after.adapters)), "count": after.adapters}))
    if name == "quantise" and requantised(before):
        found.append(Note("requantised", {}))
    if name == "vocabulary" and (lost := lost_scripts(before.model, after.model.vocabulary)):
        found.append(Note("scripts", {"scripts": ", ".join(f"{script} {share:.0%}" for script, share in lost.items())}))
    if fallen := fallbacks(before, after):
        found.append(Note("fallback", {"names": ", ".join(fallen)}))
    return tuple(found)


def coverage(before: ModelSpec, after: ModelSpec) -> dict[str, int]:
    """Experts of one layer that a batch reads, before and after."""
    whole, left = (parts_of(model, Moe)[0] for model in (before, after))
    read = (round(float(experts_read(feed.experts, feed.used, BATCH))) for feed in (whole, left))
    return {"used": left.used, "batch": BATCH, "before": next(read), "after": next(read)}


def lost_scripts(model: ModelSpec, kept: int) -> dict[str, float]:
    """Scripts of a file's last tokens by their share; empty for a model whose tokenizer is not at hand."""
    if model.stored != "gguf" or model.path is None or not model.tokenizer_tokens:
        return {}
    from sizeup.datasets.vocabulary import vocabulary

    texts = vocabulary(model.path).get("tokens") or []
    return scripts([text for text in texts if isinstance(text, str)], kept)


def fallbacks(before: Form, after: Form) -> list[str]:
    """Kinds of matrices that a narrower shape stores in a larger format, since rows are no multiple of the block."""
    if before.quant != after.quant or before.model.hidden == after.model.hidden:
        return []
    was = {tensor.name: tensor.type for tensor in before.dense}
    changed = [tensor.name.split(".")[-2] for tensor in after.dense if was.get(tensor.name) not in (None, tensor.type)]
    return list(dict.fromkeys(changed))
