"""What steps cost in quality and in work, from measurements of others; unknown where none is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sizeup.facts import Source
from sizeup.layers import Moe
from sizeup.mixes import FLOATS, mix
from sizeup.model import ModelSpec
from sizeup.quant_loss import Kept, kept_share

from .evidence import Row, nearest, said
from .form import Form
from .labour import NOTHING, Labour, labour
from .shape import parts_of
from .siblings import left
from .steps import Step

TABLE = {"hidden": "width", "inner": "width", "two_four": "sparsity", "share_layers_all": "share_layers"}
"""Steps whose measurements and work stand under another technique's name."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What is left of the quality, what says so, and the work. Several steps multiply, as if they knew nothing of each other (assumed)."""

    known_share: float
    """Of a task's score, as far as somebody measured something near: the product over those steps."""
    interval: tuple[float, float] | None
    """80 %; None where a loss is unknown or what was measured has none."""
    rows: tuple[Row, ...]
    """Measurements that it rests on."""
    kin: tuple[str, ...]
    """What the losses of formats rest on: "Q4_K_M of Llama 3 8B"."""
    scores: tuple[str, ...]
    """Of a sibling and of the model itself."""
    told: tuple[tuple[str, Source], ...]
    """What sources say in words where they have no figure that fits."""
    unknown: tuple[str, ...]
    """Techniques of which nobody measured something near."""
    labour: Labour

    @property
    def share(self) -> float | None:
        """Of a task's score; None where a step's loss is unknown."""
        return None if self.unknown else self.known_share


def cost(before: Form, after: Form, steps: Sequence[Step]) -> Cost:
    """Of making `after` of `before` in these steps."""
    share, low, high = 1.0, 1.0, 1.0
    bounded = True
    rows: list[Row] = []
    kin: list[str] = []
    scores: list[str] = []
    told: list[tuple[str, Source]] = []
    unknown: list[str] = []
    routed = bool(parts_of(before.model, Moe))
    work = NOTHING
    model = before.model
    for step in steps:
        technique = TABLE.get(step.technique, step.technique)
        if technique == "sibling":
            found: Kept | None = left(model, model := step.apply(before).model)
        elif technique == "cache" or (technique == "quantise" and not requantised(before)):
            found = formats(before, after, technique)
        else:
            found = None
        row = nearest(technique, step.removed, model.parameters, step.pattern, routed) if found is None else None
        if found is not None:
            share, low, high = share * found.share, low * found.lower, high * found.upper
            (scores if technique == "sibling" else kin).extend([found.kin] if found.kin else [])
        elif row is not None:
            rows.append(row)
            told += [heard] if row.share is None and (heard := said(technique)) else []
            share, bounded = share * (row.share or 1.0), False
            unknown += [step.technique] if row.share is None else []
        else:
            unknown.append(step.technique)
            told += [heard] if (heard := said(technique)) else []
        work += _work(technique, step, before.model, after.model, row)
    ends = (low, high) if bounded and not unknown else None
    return Cost(share, ends, tuple(rows), tuple(kin), tuple(scores), tuple(told), tuple(unknown), work)


def formats(before: Form, after: Form, technique: str) -> Kept:
    """What the mix alone, or the cache's types alone, leave of the shape that they are used on."""
    model = after.model
    own = str((model.card.get("native_quantization") or {}).get("quant_method") or "")
    types = (after.k, after.v) if technique == "cache" else ("f16", "f16")
    return kept_share(model.parameters, model.active_parameters, after.label if technique == "quantise" else "F16", *types, own)


def requantised(form: Form) -> bool:
    """Whether a mix would be made of weights that are quantised already: losses were measured from 16 bits alone."""
    return form.model.stored == "gguf" and form.model.mix not in FLOATS


def _work(technique: str, step: Step, large: ModelSpec, small: ModelSpec, row: Row | None) -> Labour:
    if technique == "quantise" and mix(str(step.places["mix"])).needs_importance:
        technique = "calibrated_quantise"
    return labour(technique, small, large, row.healed_tokens if row is not None else None)
