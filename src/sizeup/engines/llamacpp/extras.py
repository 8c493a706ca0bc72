"""What may come beside the model: a vision projector, LoRA adapters, a draft model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ...errors import UserError
from ...figure import plain
from ...model import ModelSpec
from ...plan import Breakdown, Claim
from .settings import Settings

Account = Callable[[ModelSpec, str | None, Settings], Breakdown]


def extra_claims(model: ModelSpec, settings: Settings, account: Account) -> Iterator[Claim]:
    """Claims of the parts "projector", "adapter" and "draft". Not counted: a projector's own compute buffer."""
    pool = "ram" if settings.gpu_layers == 0 else "vram:0"
    if settings.projector is not None:
        yield Claim("projector", pool, stored_bytes(settings.projector))
    for adapter in settings.adapters:
        yield Claim("adapter", pool, stored_bytes(adapter))
    if settings.draft is not None:
        if plain(settings.draft.vocabulary) != plain(model.vocabulary):
            raise UserError(
                f"The draft model has {settings.draft.vocabulary:,} tokens and {model.name} has {model.vocabulary:,}; they cannot work together.",
                "a smaller model of the same family",
            )
        alone = replace(settings, draft=None, draft_tokens=0, projector=None, adapters=(), cpu_moe_layers=0)
        for claim in account(settings.draft, None, alone).claims:
            if claim.part not in ("process", "overhead"):
                yield replace(claim, part="draft", label=claim.part)


def stored_bytes(thing: Any) -> int:
    """Bytes of a file's tensors, or the number itself."""
    if isinstance(thing, ModelSpec):
        return sum(tensor.bytes for tensor in thing.tensors)
    if isinstance(thing, int) and not isinstance(thing, bool) and thing >= 0:
        return thing
    raise UserError(f"{thing!r} is neither a model nor a number of bytes.", "sizeup.read(path)")
