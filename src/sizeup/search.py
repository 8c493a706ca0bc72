"""From a model and a machine to plans: which quantisation, where each layer lies, what it takes, whether it fits.

The search asks the engine's own accounting for every candidate; it knows no byte rule itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from . import paces, store
from .choice import Choice
from .crossing import last_fitting
from .engine import Engine
from .engines import engine as find_engine
from .errors import Refused, UserError
from .facts import data_json
from .hardware import Machine
from .memory import make_settings
from .model import ModelSpec
from .pareto import VARIED, Search, front
from .plan import Measurement, Plan, SpeedEstimate
from .points import Point
from .throughput import PROMPT_TOKENS, reached, run_of
from .trial import make_plan as make_plan
from .trial import shortfall as shortfall
from .trial import with_speed as with_speed

CONTEXT_STEP = 256
"""Contexts are tried in steps of this many tokens; llama.cpp pads to it anyway."""


def fit(
    model: ModelSpec | str,
    machine: Machine | str | None = None,
    *,
    engine: str = "llama.cpp",
    quant: str | None = None,
    context_tokens: int | None = None,
    users: int | None = None,
    **settings: Any,
) -> list[Plan]:
    """Plans for running `model` on `machine`, best first; those that do not fit come last, the nearest first.

    The first is the recommended one (`why` "recommended"), then one that is faster and one that keeps more quality where there are
    such, then one for every further mix. `quant` None tries the recommended mixes, or keeps what a file stores. `context_tokens`
    None takes 8,192 or the model's own limit. `users` converse at the same time, each with that context. Other keywords are the
    engine's settings; those given are never changed.
    """
    spec, box, chosen = read_model(model), resolve_machine(machine), find_engine(engine)
    found = searched(spec, box, chosen, quant, context_tokens, users, settings)
    quants = found.quants
    # A quantisation that the name itself says is the one to answer for, also when it does not fit.
    named = spec.mix is not None and quants[0] in (None, spec.mix)
    meant = quants[:1] if named else quants
    best = found.best(lambda choice: choice.trial.quant in meant)
    if best is not None and not chosen.work(spec, best.trial.quant, best.trial.settings):
        # Nobody knows a pace under this engine, so nothing weighs against quality but what the engine prefers.
        preferred = (found.best(lambda choice, mix=mix: choice.trial.quant == mix) for mix in quants)  # type: ignore[misc]
        best = next(choice for choice in preferred if choice is not None)
    if best is None:
        plans = [trial.plan() for trial in found.all_short()]
        return sorted(plans, key=lambda plan: (not plan.fits and plan.asked_quant not in meant, shortfall(plan)))
    # What was asked for by name is no recommendation of ours.
    return told(best, found, "asked" if quant is not None or named else "recommended")


def exactly(
    model: ModelSpec,
    machine: Machine,
    *,
    engine: str = "llama.cpp",
    quant: str | None = None,
    context_tokens: int | None = None,
    users: int | None = None,
    **settings: Any,
) -> Plan:
    """The plan of these very settings, whether it fits or not; arguments as for `fit`, and nothing is searched.

    Unsaid, the mix is the first recommended one, and all layers lie on the cards where there are any. Raises Refused when the engine
    would not start.
    """
    chosen = find_engine(engine)
    if machine.devices and hasattr(chosen.Settings(), "gpu_layers"):
        settings = {"gpu_layers": "all", **settings}
    mix, wish = candidates(model, quant, chosen)[0], wished(model, machine, chosen, context_tokens, users, settings)
    if (spread := getattr(chosen, "spread", None)) is not None:
        plans = [make_plan(model, machine, chosen, mix, replace(wish, **ways), timed=False) for ways in spread(model, wish, set(settings))]
        wish = min(plans, key=shortfall).settings if plans else wish
    return make_plan(model, machine, chosen, mix, wish)


def searched(
    model: ModelSpec,
    machine: Machine,
    engine: Engine,
    quant: str | None,
    context: int | None,
    users: int | None,
    settings: dict[str, Any],
    varied: bool = True,
    around: bool = True,
) -> Search:
    """The search that these wishes mean; `varied` False tries placements only, `around` False fewer of them. Raises UserError for wishes that contradict each other."""
    given = wished(model, machine, engine, context, users, settings)
    if users is not None:
        settings = {**settings, "sequences": users}
    fixed = set(settings) if varied else {*settings, *VARIED}
    return Search(model, machine, engine, candidates(model, quant, engine), given, fixed, around)


def wished(model: ModelSpec, machine: Machine, engine: Engine, context: int | None, users: int | None, settings: dict[str, Any]) -> Any:
    """The engine's settings for these wishes: 8,192 tokens or the model's own limit unless said, for each of so many users."""
    if context is None:
        context = min(8192, model.context_tokens or 8192)
    if users is not None:
        if users < 1:
            raise UserError(f"{users} users ask nothing.", "--users 4")
        if settings.get("sequences", users) != users:
            raise UserError("--users says how many sequences there are; --sequences says another number.", "one of the two")
        context, settings = context * users, {**settings, "sequences": users}
    return engine.on(make_settings(engine.Settings, engine.name, {"context_tokens": context, **settings}), machine, settings)


def frontier(
    model: ModelSpec | str,
    machine: Machine | str | None = None,
    *,
    engine: str = "llama.cpp",
    quant: str | None = None,
    contexts: Sequence[int] | None = None,
    users: int | None = None,
    **settings: Any,
) -> list[Choice]:
    """Every way to run `model` that no other beats in quality kept, speed, wait, context and room together, the most worth first.

    `contexts` None tries preference.json's up to the model's own limit; other arguments as for `fit`.
    """
    spec, box, chosen = read_model(model), resolve_machine(machine), find_engine(engine)
    limit = spec.context_tokens or 1 << 40
    tried = contexts or [count for count in data_json("preference.json")["contexts"] if count <= limit] or [limit]
    return front(one for context in tried for one in searched(spec, box, chosen, quant, context, users, settings).all())


def told(best: Choice, found: Search, why: str = "recommended") -> list[Plan]:
    """The recommended plan, or the one that was asked for by name, one that is faster, one that is better, and for every further mix the plan that is worth most."""
    first = {why: best, "faster": found.faster(best), "better": found.better(best)}
    named = {why: choice for why, choice in first.items() if choice is not None}
    seen = {choice.trial.quant for choice in named.values()}
    rest = [found.best(lambda c, q=quant: c.trial.quant == q) for quant in found.quants if quant not in seen]  # type: ignore[misc]
    more = sorted((choice for choice in rest if choice is not None), key=lambda choice: -choice.worth)
    return [*(choice.trial.plan(why) for why, choice in named.items()), *(choice.trial.plan() for choice in more)]


def candidates(model: ModelSpec, quant: str | None, engine: Engine | None = None) -> list[str | None]:
    """The mixes to try, preferred first: the given one, or those that the engine would choose among (llama.cpp's when None)."""
    if quant is None:
        return (engine or find_engine("llama.cpp")).quants(model)
    # Some engines know a format by several names.
    named = getattr(engine, "named", None)
    return [quant if named is None else str(named(quant))]


def place(model: ModelSpec, machine: Machine, engine: Engine, quant: str | None, settings: Any, fixed: set[str]) -> Plan:
    """The fastest placement that fits, of exact settings otherwise; when nothing fits, the one with the least shortfall.

    Settings named in `fixed` were given by the user and stay.
    """
    found = Search(model, machine, engine, [quant], settings, fixed | set(VARIED))
    best = found.best()
    return best.trial.plan() if best is not None else found.least_short(quant).plan()


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

    # Each sequence has a context of its own, unless they share one cache.
    each = 1 if getattr(plan.settings, "unified_cache", False) else int(getattr(plan.settings, "sequences", 1))
    limit = (plan.model.context_tokens or 1_048_576) * each // CONTEXT_STEP
    return last_fitting(max(limit, 1), rooms) * CONTEXT_STEP or None


def read_model(model: ModelSpec | str) -> ModelSpec:
    """The model itself, or the one of this name or path."""
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
    learn(plan, found)
    return number


def learn(plan: Plan, found: Measurement) -> None:
    """Learn this machine's pace from what an engine did with a plan; nothing from another machine, or from a thinned model."""
    if found.layers_run or plan.machine.name != "this machine" or plan.machine.cpu is None:
        return
    for point in found.points or (Point(found.prompt_tokens, decode_tokens_per_s=found.decode_tokens_per_s),):
        # Lessons are of one sequence: what several read in a step is not told apart here.
        if not point.decode_tokens_per_s or point.sequences > 1:
            continue
        # Half the decoded tokens were in the cache on average; beside the prompt that is nothing.
        lesson = reached(plan, point.decode_tokens_per_s, point.depth_tokens)
        if lesson is not None:
            paces.learn(plan.machine.cpu.name, lesson[0], plan.model.name, plan.quant, lesson[1], found.date, point.depth_tokens)


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
    spec, box, chosen = read_model(model), resolve_machine(machine), find_engine(engine)
    kind = None if backend is None else _backend(backend)
    if kind == "cpu":
        gpu_layers = 0
    context = (depth_tokens + prompt_tokens + CONTEXT_STEP) * batch
    given = {"context_tokens": context, "sequences": batch, **settings}
    if hasattr(chosen.Settings(), "flash_attention"):
        given = {"flash_attention": flash_attention, **given}
    if gpu_layers is not None:
        given["gpu_layers"] = gpu_layers
    mix = candidates(spec, quant, chosen)[0]
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
