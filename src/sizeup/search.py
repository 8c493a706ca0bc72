"""From a model and a machine to plans: which quantisation, where each layer lies, what it takes, whether it fits.

The search asks the engine's own accounting for every candidate; it knows no byte rule itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from . import paces, store
from .crossing import last_fitting
from .engine import Engine
from .engines import engine as find_engine
from .errors import Refused, UserError
from .facts import data_json
from .hardware import Machine
from .memory import make_settings
from .model import ModelSpec
from .plan import Breakdown, Claim, Measurement, Plan, SpeedEstimate
from .points import Point
from .throughput import PROMPT_TOKENS, Run, reached, run_of

CONTEXT_STEP = 256
"""Contexts are tried in steps of this many tokens; llama.cpp pads to it anyway."""


def fit(
    model: ModelSpec | str,
    machine: Machine | str | None = None,
    *,
    engine: str = "llama.cpp",
    quant: str | None = None,
    context_tokens: int | None = None,
    **settings: Any,
) -> list[Plan]:
    """Plans for running `model` on `machine`, best first; those that do not fit come last, the nearest first.

    `quant` None tries the recommended mixes, or keeps what a file stores. `context_tokens` None takes 8,192 or the
    model's own limit. Other keywords are the engine's settings; those given are never changed.
    """
    spec, box = _read(model), resolve_machine(machine)
    chosen = find_engine(engine)
    context = context_tokens if context_tokens is not None else min(8192, spec.context_tokens or 8192)
    given = chosen.on(make_settings(chosen.Settings, engine, {"context_tokens": context, **settings}), box, settings)
    fixed = set(settings)
    plans = [place(spec, box, chosen, mix, given, fixed) for mix in candidates(spec, quant)]
    order = {id(plan): index for index, plan in enumerate(plans)}
    # A quantisation that the name itself says is the one to answer for, also when it does not fit.
    meant = plans[0] if spec.mix else None
    return sorted(plans, key=lambda plan: (not plan.fits, plan is not meant, order[id(plan)] if plan.fits else shortfall(plan)))


def candidates(model: ModelSpec, quant: str | None) -> list[str | None]:
    """The mixes to try, preferred first: the stored one, the given one, or the recommended ones."""
    if quant is not None:
        return [quant]
    if model.stored == "gguf":
        return [None]
    table = data_json("recommended_mixes.json")
    native = table["native"].get((model.card.get("native_quantization") or {}).get("quant_method"))
    # A tag of Ollama or of a GGUF repository names its quantisation; that one is meant before any other.
    first = [model.mix] if model.mix else []
    return [*dict.fromkeys([*first, *(native or table["order"])])]


def place(model: ModelSpec, machine: Machine, engine: Engine, quant: str | None, settings: Any, fixed: set[str]) -> Plan:
    """The fastest placement that fits: all on the devices, then experts in RAM, then fewer layers, then RAM alone.

    Settings named in `fixed` were given by the user and stay. When nothing fits, the placement with the least shortfall.
    """
    best: Plan | None = None
    for option in _placements(model, machine, engine, quant, settings, fixed):
        if option.fits:
            return with_speed(option)
        if best is None or shortfall(option) < shortfall(best):
            best = option
    assert best is not None
    return with_speed(best)


def _placements(model: ModelSpec, machine: Machine, engine: Engine, quant: str | None, settings: Any, fixed: set[str]) -> Iterator[Plan]:
    def plan(**changes: Any) -> Plan:
        return make_plan(
            model, machine, engine, quant, replace(settings, **{k: v for k, v in changes.items() if k not in fixed}), timed=False
        )

    if "gpu_layers" not in fixed and any(machine.pool(device.pool) for device in machine.devices):
        yield plan(gpu_layers="all")
        # Moving layers off the cards frees them and fills RAM, so only the cards decide how many must move.
        if _has_experts(model) and "cpu_moe_layers" not in fixed:
            moved = _least(1, model.layers, lambda n: cards_fit(plan(gpu_layers="all", cpu_moe_layers=n)))
            if moved is not None:
                yield plan(gpu_layers="all", cpu_moe_layers=moved)
        fewer = _least(1, model.layers, lambda n: cards_fit(plan(gpu_layers=model.layers + 1 - n)))
        if fewer is not None:
            yield plan(gpu_layers=model.layers + 1 - fewer)
    yield plan()
    if "repack" not in fixed:
        yield plan(repack=False)


def _least(low: int, high: int, works: Callable[[int], bool]) -> int | None:
    """The smallest number from low to high that works, when every larger one works too; None when none does."""
    if low > high or not works(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return low


def make_plan(
    model: ModelSpec, machine: Machine, engine: Engine, quant: str | None, settings: Any, why: str = "", timed: bool = True
) -> Plan:
    """One plan from exact settings: the engine accounts, the machine's pools take it in. `timed` False leaves its speeds out."""
    breakdown = settle(engine.account(model, quant, settings), machine)
    free = {name: (pool.free_bytes if (pool := machine.pool(name)) else 0) - breakdown.needed_bytes(name) for name in breakdown.by_pool()}
    label = quant or model.mix or "as stored"
    speed = Run(machine, engine, model, quant, settings, breakdown).estimate() if timed else SpeedEstimate(None, None)
    return Plan(model, machine, engine.name, label, settings, breakdown, speed, free, engine.command(model, quant, settings), why)


def with_speed(plan: Plan, depth_tokens: int | None = None) -> Plan:
    """The plan with its speeds; `depth_tokens` is what its context holds while it decodes, None an empty context."""
    run = run_of(plan)
    speed = run.estimate()
    if depth_tokens is not None:
        speed = replace(speed, decode=run.decode(depth_tokens, int(plan.settings.sequences)))
    return replace(plan, speed=speed)


def settle(breakdown: Breakdown, machine: Machine) -> Breakdown:
    """The engine's pools on this machine: with unified memory the host's and the device's claims share one pool.

    Cards of other machines that are joined to it keep their own.
    """
    if not machine.nodes and (machine.pool("ram") or not machine.pool("unified")):
        return breakdown
    claims = (claim if machine.pool(claim.pool) else dataclasses.replace(claim, pool="unified") for claim in breakdown.claims)
    return dataclasses.replace(breakdown, claims=tuple(_as_lent(claim, machine) for claim in claims))


def _as_lent(claim: Claim, machine: Machine) -> Claim:
    """What is computed on another machine's card was never held against the engine."""
    if claim.part != "compute" or not any(device.node and device.pool == claim.pool for device in machine.devices):
        return claim
    return dataclasses.replace(claim, within=max(claim.within, data_json("networks.json")["compute_within"]["share"]))


def cards_fit(plan: Plan) -> bool:
    """Whether everything outside of host memory fits."""
    return all(free >= 0 for pool, free in plan.free_bytes.items() if pool != "ram")


def shortfall(plan: Plan) -> int:
    """Bytes missing over all pools; 0 when the plan fits."""
    return sum(-free for free in plan.free_bytes.values() if free < 0)


def longest_context(plan: Plan) -> int | None:
    """The most context tokens this plan could have, all else equal; None when not even the smallest fits.

    Solved on the lines that every part makes of the context, and so exact: one step more would not fit.
    """
    engine = find_engine(plan.engine)

    def rooms(steps: int) -> dict[str, int] | None:
        try:
            longer = replace(plan.settings, context_tokens=steps * CONTEXT_STEP)
            return make_plan(plan.model, plan.machine, engine, plan.asked_quant, longer, timed=False).free_bytes
        except (Refused, UserError):
            return None

    limit = (plan.model.context_tokens or 1_048_576) // CONTEXT_STEP
    return last_fitting(max(limit, 1), rooms) * CONTEXT_STEP or None


def nearest(model: ModelSpec | str, plan: Plan) -> list[Plan]:
    """What would fit instead, one change at a time: a smaller quantisation, a smaller cache, less context."""
    spec = _read(model)
    engine = find_engine(plan.engine)
    quant = plan.asked_quant
    found: list[Plan] = []

    def offer(why: str, mix: str | None, **changes: Any) -> bool:
        try:
            option = place(spec, plan.machine, engine, mix, replace(plan.settings, **changes), set(changes))
        except (Refused, UserError):
            return False
        if option.fits:
            found.append(dataclasses.replace(option, why=why))
        return option.fits

    offer("kv_q8_0", quant, k="q8_0", v="q8_0", flash_attention="auto")
    if spec.stored != "gguf":
        by_quality = data_json("recommended_mixes.json")["by_quality"]
        after = by_quality.index(plan.quant) + 1 if plan.quant in by_quality else 0
        next((mix for mix in by_quality[after:] if offer("smaller_quant", mix)), None)
    shorter = longest_context(plan)
    if shorter is not None:
        offer("less_context", quant, context_tokens=shorter)
    return found


def _has_experts(model: ModelSpec) -> bool:
    return model.active_parameters < model.parameters and any(group.block.idle_parameters(model.hidden) for group in model.groups)


def _read(model: ModelSpec | str) -> ModelSpec:
    if isinstance(model, ModelSpec):
        return model
    from .readers import read

    return read(model)


def resolve_machine(machine: Machine | str | None) -> Machine:
    """The machine itself, or the one of this name; None is the machine we run on."""
    if isinstance(machine, Machine):
        return machine
    from .probe import machine as probe

    return probe(machine)


def remember(plan: Plan, found: Measurement) -> int:
    """Store what an engine did beside what was predicted, and learn this machine's pace from it; returns the row's number."""
    number = store.keep(found, plan.breakdown.as_reported())
    if found.layers_run or plan.machine.name != "this machine" or plan.machine.cpu is None:
        return number
    for point in found.points or (Point(found.prompt_tokens, decode_tokens_per_s=found.decode_tokens_per_s),):
        # Lessons are of one sequence: what several read in a step is not told apart here.
        if not point.decode_tokens_per_s or point.sequences > 1:
            continue
        # Half the decoded tokens were in the cache on average; beside the prompt that is nothing.
        lesson = reached(plan, point.decode_tokens_per_s, point.depth_tokens)
        if lesson is not None:
            paces.learn(plan.machine.cpu.name, lesson[0], plan.model.name, plan.quant, lesson[1], found.date, point.depth_tokens)
    return number


def speed(
    model: ModelSpec | str,
    machine: Machine | str | None = None,
    *,
    engine: str = "llama.cpp",
    quant: str | None = None,
    backend: str | None = None,
    prompt_tokens: int = PROMPT_TOKENS,
    depth_tokens: int = 0,
    batch: int = 1,
    gpu_layers: int | str | None = None,
    flash_attention: bool | str = True,
    **settings: Any,
) -> SpeedEstimate:
    """How fast `model` runs on `machine`, as llama-bench would measure it: `.prefill`, `.decode`, `.load_s`.

    `prompt_tokens` are read, and tokens decoded, over a context that holds `depth_tokens` already; `batch` sequences decode side by
    side and their rates add up. `gpu_layers` None takes the fastest placement that fits. `backend` ("cuda", "vulkan", "rocm",
    "metal", "cpu") None is the devices' usual one. A speed is None where a bandwidth is not known.
    Raises UserError for counts that make no sense, and what reading the model or naming the machine raises.
    """
    for name, value, least in (("prompt_tokens", prompt_tokens, 1), ("depth_tokens", depth_tokens, 0), ("batch", batch, 1)):
        if value < least:
            raise UserError(f"{name} must be at least {least}, not {value}.", f"{name}={least}")
    spec, box, chosen = _read(model), resolve_machine(machine), find_engine(engine)
    kind = None if backend is None else _backend(backend)
    if kind == "cpu":
        gpu_layers = 0
    context = (depth_tokens + prompt_tokens + CONTEXT_STEP) * batch
    given = {"context_tokens": context, "sequences": batch, "flash_attention": flash_attention, **settings}
    if gpu_layers is not None:
        given["gpu_layers"] = gpu_layers
    mix = quant if quant is not None or spec.stored == "gguf" else candidates(spec, None)[0]
    plan = place(spec, box, chosen, mix, chosen.on(make_settings(chosen.Settings, engine, given), box, settings), set(given))
    run = run_of(plan)._replace(backend=kind)
    return replace(run.estimate(), prefill=run.prefill(prompt_tokens, depth_tokens), decode=run.decode(depth_tokens, batch))


def _backend(name: str) -> str:
    """The kind of backend that a name means, however its makers write it ("CUDA 12.4", "Vulkan (RADV)", "HIP")."""
    kinds = data_json("speed_rates.json")["backends"]
    found = next((kind for word, kind in kinds.items() if word in name.lower()), None)
    if found is None:
        raise UserError(f"No backend is called “{name}”.", ", ".join(sorted(set(kinds.values()))))
    return str(found)
