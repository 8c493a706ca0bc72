"""What would make a plan fit that does not: one change at a time, what costs nothing first, each with the plan that it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .choice import kept_share
from .engines import engine as find_engine
from .errors import Refused, UserError
from .facts import data_json
from .hardware import Machine, Pool
from .model import ModelSpec
from .plan import Plan
from .search import longest_context, place

GIB = 1 << 30

PLACED = {"gpu_layers": 0, "cpu_moe_layers": 0, "tensor_split": None, "repack": True}
"""Where things lie, as the search begins."""


def nearest(model: ModelSpec, plan: Plan) -> list[Plan]:
    """What would fit instead of `plan`, one change at a time, the cheapest first; `why` names the change.

    Free of cost come first, by quality kept and then by speed: other layers, memory that other programs hold, a smaller cache, less
    context, fewer conversations, a smaller mix. Then what has to be bought: more RAM, another card of the same kind. Last what only
    looks like fitting: weights read from the disk again and again.
    """
    free = [option for option in _free(model, plan) if option.fits]
    free.sort(key=lambda option: (-round(kept_share(model, option.asked_quant, option.settings), 3), -_pace(option)))
    return [*free, *(option for option in _bought(plan) if option.fits)]


def _pace(plan: Plan) -> float:
    return plan.speed.decode.tokens_per_s if plan.speed.decode else 0.0


def _free(model: ModelSpec, plan: Plan) -> Iterator[Plan]:
    quant, settings = plan.asked_quant, plan.settings
    yield from _changed(plan, "fewer_layers", plan.machine, quant)
    if (emptied := _emptied(plan)) is not None:
        yield from _changed(plan, "free_memory", emptied, quant)
    if getattr(settings, "device_map", "") == "auto":
        yield from _changed(plan, "max_memory", plan.machine, quant, device_map="fitted")
    if hasattr(settings, "k"):
        yield from _changed(plan, "kv_q8_0", plan.machine, quant, k="q8_0", v="q8_0", flash_attention="auto")
    if hasattr(settings, "kv_cache_dtype"):
        yield from _changed(plan, "kv_fp8", plan.machine, quant, kv_cache_dtype="fp8")
    if getattr(settings, "gpu_memory_utilization", 1.0) is None:
        yield from _changed(plan, "utilization", plan.machine, quant, gpu_memory_utilization=0.95)
    if model.stored != "gguf":
        smaller = (option for mix in _smaller(model, plan) for option in _changed(plan, "smaller_quant", plan.machine, mix) if option.fits)
        yield from [option for option in [next(smaller, None)] if option is not None]
    shorter = longest_context(plan)
    if shorter is not None:
        yield from _changed(plan, "less_context", plan.machine, quant, context_tokens=shorter)
    sequences = int(settings.sequences)
    each = int(settings.context_tokens) // sequences
    for fewer in range(sequences - 1, 0, -1):
        found = list(_changed(plan, "fewer_users", plan.machine, quant, sequences=fewer, context_tokens=each * fewer))
        if found and found[0].fits:
            yield found[0]
            break


def _smaller(model: ModelSpec, plan: Plan) -> list[str | None]:
    """Mixes of the plan's engine that keep less of the quality than the plan's own, the best first."""
    by_quality: list[str | None] = data_json("recommended_mixes.json")["by_quality"]
    if plan.engine != "llama.cpp":
        others = find_engine(plan.engine).quants(model)
        by_quality = sorted(others, key=lambda mix: -kept_share(model, mix, plan.settings))
    return by_quality[by_quality.index(plan.quant) + 1 if plan.quant in by_quality else 0 :]


def _bought(plan: Plan) -> Iterator[Plan]:
    """The least memory that is sold and suffices; another card like the first."""
    ram = plan.machine.pool("ram")
    if ram is not None:
        for size in data_json("preference.json")["memory_sizes_gib"]:
            if size * GIB > ram.bytes:
                option = next(
                    _changed(plan, "more_ram", enlarged(plan.machine, "ram", size * GIB - ram.bytes, grown=True), plan.asked_quant), None
                )
                if option is not None and option.fits:
                    yield option
                    break
    cards = [device for device in plan.machine.devices if device.pool.startswith("vram:") and not device.node]
    if cards:
        yield from _changed(plan, "another_card", another(plan.machine), plan.asked_quant)


def _emptied(plan: Plan) -> Machine | None:
    """The machine when other programs give back exactly what is missing; None when they do not hold so much."""
    machine: Machine = plan.machine
    for name, free in plan.free_bytes.items():
        pool = machine.pool(name)
        if free < 0 and pool is not None:
            held = next((d.others_bytes for d in machine.devices if d.pool == name and d.others_bytes is not None), None)
            if machine.name != "this machine" or -free > (held if held is not None else pool.bytes - pool.free_bytes):
                return None
            machine = enlarged(machine, name, -free)
    return machine


def enlarged(machine: Machine, name: str, more: int, grown: bool = False) -> Machine:
    """The machine with so many bytes more free in one pool; `grown` when they are new."""

    def changed(pool: Pool) -> Pool:
        if pool.name != name:
            return pool
        return replace(pool, free_bytes=pool.free_bytes + more, bytes=pool.bytes + (more if grown else 0))

    return replace(machine, pools=tuple(changed(pool) for pool in machine.pools))


def another(machine: Machine) -> Machine:
    """The machine with one more card like its first."""
    card = next(device for device in machine.devices if device.pool.startswith("vram:"))
    name = f"vram:{len(machine.devices)}"
    pool = machine.pool(card.pool)
    assert pool is not None
    twin = replace(pool, name=name)
    return replace(machine, pools=(*machine.pools, twin), devices=(*machine.devices, replace(card, pool=name, others_bytes=0, address="")))


def _changed(plan: Plan, why: str, machine: Machine, quant: str | None, **changes: Any) -> Iterator[Plan]:
    """The plan with these settings on this machine, placed anew; nothing when the engine refuses it."""
    engine = find_engine(plan.engine)
    placed = {name: value for name, value in PLACED.items() if hasattr(plan.settings, name)}
    try:
        settings = replace(plan.settings, **placed, **changes)
        if machine is not plan.machine:
            settings = engine.on(settings, machine, {"cpu_features"})
        yield replace(place(plan.model, machine, engine, quant, settings, set(changes)), why=why)
    except (Refused, UserError):
        return
