"""Plans side by side: the verdict, every part, the room left, the speeds."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import SizeupError
from ..figure import plain
from ..plan import PARTS, Plan, Speed
from ..quality import kept
from ..throughput import PROMPT_TOKENS
from .models import needed
from .rows import UNKNOWN, Comparison, Row, Value, rows


def compare_plans(names: Sequence[str], plans: Sequence[Plan]) -> Comparison:
    """Plans side by side. Parts are exact bytes over all pools; what must be free is at the upper end of the stated bands."""
    head = rows(
        plans,
        [
            ("fits", "verdict", "more", lambda plan: Value(plan.fits)),
            ("quant", "text", "", lambda plan: Value(plan.quant)),
            ("plan_context", "tokens", "more", lambda plan: Value(int(plan.settings.context_tokens))),
            ("gpu_layers", "text", "", _gpu_layers),
        ],
    )
    parts = [
        Row(part, "bytes", tuple(Value(int(plain(plan.breakdown.bytes(part)))) for plan in plans), "less")
        for part in PARTS
        if any(plan.breakdown.bytes(part) for plan in plans)
    ]
    tail = rows(
        plans,
        [
            ("kept", "share", "more", _kept),
            ("needed", "bytes", "less", lambda plan: Value(needed(plan))),
            ("room", "bytes", "more", lambda plan: Value(min(plan.free_bytes.values()))),
            ("prefill", "tokens_per_s", "more", lambda plan: _speed(plan.speed.prefill)),
            ("decode", "tokens_per_s", "more", lambda plan: _speed(plan.speed.decode)),
            ("decode_full", "tokens_per_s", "more", lambda plan: _speed(plan.speed.full)),
            ("first_token", "s", "less", _first_token),
            ("load", "s", "less", lambda plan: Value(plan.speed.load_s)),
        ],
    )
    return Comparison("plans", tuple(names), (*head, *parts, *tail), tuple(plans))


def _gpu_layers(plan: Plan) -> Value:
    """Unknown for an engine that does not place layer by layer."""
    return Value(str(plain(plan.settings.gpu_layers))) if hasattr(plan.settings, "gpu_layers") else UNKNOWN


def _kept(plan: Plan) -> Value:
    """The share of the 16-bit model's quality that mix and cache types keep."""
    try:
        found = kept(plan.model, plan.asked_quant, getattr(plan.settings, "k", "f16"), getattr(plan.settings, "v", "f16"))
    except SizeupError:
        return UNKNOWN
    return Value(found.share, found.lower, found.upper)


def _speed(speed: Speed | None) -> Value:
    return Value(speed.tokens_per_s, speed.lower, speed.upper) if speed else UNKNOWN


def _first_token(plan: Plan) -> Value:
    """Seconds until an answer to a prompt of the usual length begins."""
    found = plan.speed.first_token_s(PROMPT_TOKENS)
    return Value(found[1], found[0], found[2]) if found else UNKNOWN
