"""Models side by side: sizes, what a token of context costs, weights by width, licence and age, and whether they run here."""

from __future__ import annotations

from collections.abc import Sequence

from ..engines import engine as find_engine
from ..errors import SizeupError
from ..facts import Source
from ..figure import plain
from ..hardware import Machine
from ..model import ModelSpec
from ..plan import Plan
from ..quant import quant
from ..search import fit
from .rows import UNKNOWN, Comparison, Row, Value, rows

WEIGHTS = (("weights_16", "BF16"), ("weights_8", "Q8_0"), ("weights_4", "Q4_K_M"))
"""Row -> the mix that stands for this width."""


def compare_models(names: Sequence[str], models: Sequence[ModelSpec], machine: Machine, context_tokens: int | None = None) -> Comparison:
    """Models side by side; `machine` is what their best plans are tried on."""
    found = rows(
        models,
        [
            ("architecture", "text", "", lambda model: Value(model.architecture or model.model_type or None)),
            ("parameters", "parameters", "", lambda model: Value(model.parameters)),
            ("active", "parameters", "", lambda model: Value(model.active_parameters)),
            ("layers", "count", "", lambda model: Value(model.layers)),
            ("context", "tokens", "more", lambda model: Value(model.context_tokens)),
            ("cache_token", "bytes", "less", lambda model: Value(int(plain(model.cache_row_bytes(quant("f16"), quant("f16")))))),
            ("vocabulary", "count", "", lambda model: Value(int(plain(model.vocabulary)))),
            ("towers", "towers", "", _towers),
            *((key, "bytes", "less", lambda model, mix=mix: weights(model, mix)) for key, mix in WEIGHTS),
            ("licence", "text", "", lambda model: _card(model, "license")),
            ("released", "date", "", lambda model: _card(model, "release_date", "hf_created")),
        ],
    )
    plans = [_best(model, machine, context_tokens) for model in models]
    return Comparison("models", tuple(names), (*found, *_here(plans)), tuple(models), machine.name)


def weights(model: ModelSpec, mix: str) -> Value:
    """Bytes of the tensors in a file of this mix; unknown where the quantiser refuses, or the file has types of its own."""
    try:
        tensors = find_engine("llama.cpp").tensors(model, mix)
    except SizeupError:
        return UNKNOWN
    return Value(sum(tensor.bytes for tensor in tensors))


def _towers(model: ModelSpec) -> Value:
    kinds = dict.fromkeys(tower.kind for tower in model.towers)
    return Value(" ".join(kinds)) if kinds else Value(None, none="nothing_else")


def _card(model: ModelSpec, *keys: str) -> Value:
    for key in keys:
        if model.card.get(key):
            return Value(str(model.card[key]), source=Source("published", str(model.card.get("source", "")), ""))
    return UNKNOWN


def _best(model: ModelSpec, machine: Machine, context_tokens: int | None) -> Plan | None:
    try:
        return fit(model, machine, context_tokens=context_tokens)[0]
    except SizeupError:
        return None  # no engine runs it


def _here(plans: Sequence[Plan | None]) -> tuple[Row, ...]:
    """The best plan of each on the machine: whether it fits, its mix, its bytes and its speed."""
    if not any(plans):
        return ()
    speeds = [plan.speed.decode if plan else None for plan in plans]
    return (
        Row("fits_here", "verdict", tuple(Value(plan.fits if plan else None) for plan in plans), "more"),
        Row("quant_here", "text", tuple(Value(plan.quant if plan else None) for plan in plans)),
        Row("cache_here", "bytes", tuple(Value(int(plain(plan.breakdown.bytes("cache"))) if plan else None) for plan in plans), "less"),
        Row("needed_here", "bytes", tuple(Value(needed(plan) if plan else None) for plan in plans), "less"),
        Row("decode_here", "tokens_per_s", tuple(Value(s.tokens_per_s, s.lower, s.upper) if s else UNKNOWN for s in speeds), "more"),
    )


def needed(plan: Plan) -> int:
    """Bytes that must be free, over all pools."""
    return sum(plan.breakdown.needed_bytes(pool) for pool in plan.breakdown.by_pool())
