"""What else would do: why this plan is the recommended one, a faster and a better one, and what would make a plan fit."""

from __future__ import annotations

from collections.abc import Sequence

from sizeup.choice import kept_share
from sizeup.page import Page, cells, indented, pad, wrap
from sizeup.plan import Plan

from .names import context, parameters, pool_name, short_device, signed_percent, speed_range
from .tables import EDGE


def recommendation(page: Page, plan: Plan, others: Sequence[Plan], longest_tokens: int | None) -> list[str]:
    """The reason in a sentence, the alternatives with what they cost or win, and the longest context."""
    t = page.texts
    alternatives = [(why, other) for why in ("faster", "better") for other in others if other.fits and other.why == why]
    lines = _text(page, reason(page, plan, dict(alternatives).get("better"))) if plan.why in ("recommended", "asked") else []
    width = max((cells(t(f"option.is_{why}")) for why, _ in alternatives), default=0) + 2
    for why, other in alternatives:
        start = EDGE + pad(t(f"option.is_{why}"), width)
        lines += indented(t("list.comma").join(differs(page, plan, other)), page.width, start)
    rest = [other.quant for other in others if other.fits and other.why not in ("faster", "better")]
    if rest:
        lines += _text(page, t("better.also", quants=t("list.comma").join(rest)))
    if longest_tokens is not None:
        users = int(getattr(plan.settings, "sequences", 1))
        key, each = ("better.context", longest_tokens) if users == 1 else ("better.context_each", longest_tokens // users)
        lines += _text(page, t(key, tokens=f"{each:,}", users=users))
    return lines


def reason(page: Page, plan: Plan, better: Plan | None) -> str:
    """Why a plan is the recommended one: what it keeps, and what a better one would cost."""
    t, where = page.texts, placement(page, plan)
    kept = _percent(kept_share(plan.model, plan.asked_quant, plan.settings))
    gain = _gain(page, plan, better) if better is not None else ""
    if plan.asked_quant is None:
        words = t("reason.stored")
    elif plan.why == "asked":
        words = t("reason.asked", quant=plan.quant, kept=kept)
    elif better is None or not gain:
        words = t("reason.best", quant=plan.quant, kept=kept)
    else:
        more = _percent(kept_share(better.model, better.asked_quant, better.settings))
        words = t("reason.balance", quant=plan.quant, kept=kept, better=better.quant, more=more, percent=gain)
    return words + (t("list.semicolon") + where if where else "")


def differs(page: Page, plan: Plan, other: Plan) -> list[str]:
    """An alternative in words: its mix, its pace beside the plan's, its quality, what else is different."""
    t, decode = page.texts, other.speed.decode
    words = [other.quant]
    if decode is not None:
        gain = _gain(page, plan, other)
        words[0] += f"  {speed_range(page, decode)}" + (f" ({gain})" if gain else "")
    words.append(t("option.keeps", kept=_percent(kept_share(other.model, other.asked_quant, other.settings))))
    words += [t("option.kv", k=other.settings.k) for _ in [0] if getattr(other.settings, "k", "") != getattr(plan.settings, "k", "")]
    where = placement(page, other)
    return [*words, *([where] if where and where != placement(page, plan) else [])]


def _gain(page: Page, plan: Plan, other: Plan) -> str:
    """How much faster or slower another plan decodes; in times where percents are hard to read."""
    now, then = plan.speed.decode, other.speed.decode
    if now is None or then is None:
        return ""
    ratio = then.tokens_per_s / now.tokens_per_s
    return signed_percent(ratio) if ratio < 3 else page.texts("option.times", factor=f"{ratio:.0f}")


def _percent(share: float) -> str:
    """A share of quality, rounded down: 99.6 %."""
    return f"{int(share * 1000) / 10:.1f} %" if share < 1 else "100 %"


def nearest_rows(page: Page, plan: Plan, nearest: Sequence[Plan]) -> list[str]:
    """What does fit: the change in words, the speed beside it."""
    t = page.texts
    lines = [EDGE + page.paint(t("nearest.title"), "strong")]
    for option in nearest:
        words = change(page, plan, option)
        decode = option.speed.decode
        speed = speed_range(page, decode) if decode else ""
        space = page.width - len(EDGE) - 2 - cells(speed) - (2 if speed else 0)
        first, *rest = wrap(words, space)
        lines.append(EDGE + "  " + pad(first, space) + ("  " + speed if speed else ""))
        lines += [EDGE + "  " + line for line in rest]
        # Of a script of several lines only the one that loads the model differs, and it is the longest.
        typed = max(option.command.splitlines(), key=len, default="")
        shown = indented(typed, page.width, EDGE + "    ", EDGE + "      ")
        lines += [page.paint(line, "dim") for line in shown]
    return lines


def change(page: Page, plan: Plan, option: Plan) -> str:
    """What an option changes, in words: its reason with the figures that matter."""
    settings = option.settings
    where = placement(page, option)
    grown = {pool.name: pool for pool in option.machine.pools if pool != plan.machine.pool(pool.name)}
    pools = [(name, pool, plan.machine.pool(name)) for name, pool in grown.items()]
    values = {
        "quant": option.quant,
        "tokens": f"{context(option):,}",
        "k": getattr(settings, "k", ""),
        "v": getattr(settings, "v", ""),
        "model": option.model.name,
        "machine": option.machine.name,
        "parameters": parameters(option.model.parameters) if hasattr(option.model, "parameters") else "",
        "users": getattr(settings, "sequences", 1),
        "freed": page.texts("list.comma").join(
            f"{page.bytes(pool.free_bytes - before.free_bytes)} ({pool_name(page, plan.machine, name)})"
            for name, pool, before in pools
            if before
        ),
        "ram": page.bytes(sum(pool.bytes for name, pool, _ in pools if name == "ram")),
        "card": short_device(option.machine.devices[-1].name) if option.machine.devices else "",
    }
    words = page.texts(f"why.{option.why}", **values) if page.texts.has(f"why.{option.why}") else option.quant
    saved = _needed(plan) - _needed(option)
    if saved > 0 and option.machine == plan.machine:
        words += page.texts("list.comma") + page.texts("nearest.saves", size=page.bytes(saved))
    return words + (page.texts("list.comma") + where if where and where != placement(page, plan) else "")


def _needed(plan: Plan) -> int:
    return sum(plan.breakdown.needed_bytes(pool) for pool in plan.breakdown.by_pool() if pool != "disk")


def placement(page: Page, plan: Plan) -> str:
    """Where the layers lie: all on the cards, some, experts in RAM; "" without cards."""
    if hasattr(plan.settings, "tensor_parallel"):
        ranks, stages = int(plan.settings.tensor_parallel), int(plan.settings.pipeline_parallel)
        return page.texts("place.stages" if stages > 1 else "place.ranks", ranks=ranks, stages=stages) if ranks * stages > 1 else ""
    if not hasattr(plan.settings, "gpu_layers"):
        return ""
    layers, experts = plan.settings.gpu_layers, getattr(plan.settings, "cpu_moe_layers", 0)
    total = plan.model.layers
    if not layers or layers == 0:
        return page.texts("place.ram") if plan.machine.devices else ""
    if layers != "all" and layers <= total:
        return page.texts("place.some", layers=layers, total=total)
    return page.texts("place.experts", layers=total if experts == "all" else experts, total=total) if experts else page.texts("place.all")


def _text(page: Page, words: str) -> list[str]:
    return indented(words, page.width, EDGE)
