"""shrink: what making a model smaller would save and cost, technique by technique, together, or down to a size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .kinds import COUNT, FLAG, LAYERS, MODEL, SIZE
from .operation import Ask, Derived, Operation, derived
from .parameter import Parameter, Values
from .shared import ASSUME, CONTEXT, MACHINE_OPTIONS, MODEL_ARGUMENT

if TYPE_CHECKING:
    from sizeup.api.shrink import ShrinkJson
    from sizeup.shrinking import Shrinkage

COUNTED = (
    "layers", "hidden", "inner", "heads", "kv_heads", "share_kv", "experts", "active_experts", "vocabulary", "rank", "adapters", "adapter_rank",
)  # fmt: skip
"""Techniques whose strength is a count."""
NAMED = ("tie", "quant", "kv_type", "share_layers", "sparsity")


class Shrunk(NamedTuple):
    """Outcomes side by side; not met where nothing reaches the size."""

    found: Shrinkage

    @property
    def met(self) -> bool:
        return self.found.met

    def to_json(self) -> ShrinkJson:
        from sizeup.api.shrink import shrink_json

        return shrink_json(self.found)


def shrink(ask: Ask, values: Values) -> Shrunk | Derived:
    """One model, its techniques, a size to reach."""
    from sizeup.shrinking import shrink as weigh
    from sizeup.shrinking.why import stored_figure

    world = ask.world
    found = weigh(
        world.model(values["model"], values["assume"]),
        world.on(values),
        to=values["to"],
        context_tokens=values["context"],
        source=values["from"],
        every_format=values["formats"],
        sibling=None if values["sibling"] is None else world.model(values["sibling"]),
        **{name: values[name] for name in (*COUNTED, *NAMED)},
    )
    if ask.why is None:
        return Shrunk(found)
    # A part is asked of the plan; everything is what is stored, since that is what shrinking changes.
    plan = found.best.plan
    return derived(ask, plan) if plan is not None and ask.part is not None else derived(ask, stored_figure(found.best.form), whole=True)


SHRINK = Operation(
    "shrink",
    (
        MODEL_ARGUMENT,
        *MACHINE_OPTIONS,
        CONTEXT,
        Parameter("to", SIZE, key="shrink_to", shown="SIZE", least=1),
        Parameter("from", key="shrink_from", shown="MIX"),
        Parameter("quant", key="shrink_quant", shown="MIX"),
        Parameter("formats", FLAG, False, key="shrink_formats"),
        Parameter("kv_type", key="shrink_kv_type", shown="TYPE|K/V"),
        *(Parameter(name, COUNT, key=f"shrink_{name}", shown="N", least=1) for name in COUNTED[:5]),
        Parameter("share_kv", COUNT, key="shrink_share_kv", shown="N", least=2),
        *(Parameter(name, COUNT, key=f"shrink_{name}", shown="N", least=1) for name in COUNTED[6:9]),
        Parameter("tie", FLAG, False, key="shrink_tie"),
        Parameter("share_layers", LAYERS, key="shrink_share_layers", shown="N|all"),
        Parameter("rank", COUNT, key="shrink_rank", shown="N", least=1),
        Parameter("sparsity", key="shrink_sparsity", shown="SHARE|2:4"),
        Parameter("adapters", COUNT, key="shrink_adapters", shown="N", least=1, most=1_000_000),
        Parameter("adapter_rank", COUNT, 16, key="shrink_adapter_rank", shown="N", least=1, most=1_000_000),
        Parameter("sibling", MODEL, key="shrink_sibling", shown="MODEL"),
        ASSUME,
    ),
    shrink,
    explained=True,
)
