"""A rehearsal: a full-size model with made-up weights really runs on this machine, and tells how fast it is and what it takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sizeup.engines import engine as find_engine
from sizeup.engines.llamacpp.run import conduct, expected_resident, job, measurement
from sizeup.errors import Unavailable
from sizeup.figure import plain
from sizeup.model import Tensor
from sizeup.plan import Measurement, Plan
from sizeup.points import made
from sizeup.search import make_plan
from sizeup.units import show_bytes

from . import cold
from .depths import check
from .disk import filled, parts
from .extrapolate import JOULES, extrapolated, fastest
from .thin import rounds, thinned

TURNS = 2
"""How often each of two thin ghosts runs."""

SECONDS = 60.0
"""Measuring time unless told otherwise; loading and writing come on top."""

Tell = Callable[[str, dict[str, Any]], None]


def rehearse(
    plan: Plan,
    *,
    prompt_tokens: int = 256,
    decode_tokens: int = 32,
    seconds: float = SECONDS,
    max_disk: int | None = None,
    layers: int | None = None,
    path: str | None = None,
    disks: Sequence[Path] = (),
    depths: Sequence[int] = (),
    batches: Sequence[int] = (),
    tell: Tell | None = None,
) -> Measurement:
    """Run the plan's model with made-up weights and return medians with their spread, peak memory and load time.

    A model that memory or disk does not hold runs with fewer layers, twice, and is extrapolated by what a layer adds
    (`layers_run` says how many; the speeds are then of the whole). `layers` asks for that. `path` measures a real file
    in the same way. `disks` are the folders that the ghost may lie in, split over them where no one holds it, at most
    `max_disk` bytes in each; without them it is the user's data folder. `depths` (tokens in the cache before the clock
    starts) and `batches` (sequences decoded together) ask for points that share the time. Raises Unavailable without the
    engine, a GPU or room; UserError for points that the context has no room for; EngineFailed with the engine's log.
    """
    if plain(plan.settings.gpu_layers) != 0:
        raise Unavailable("The embedded engine has no GPU here to rehearse on.", "--gpu-layers 0")
    asked: dict[str, Any] = {"prompt_tokens": prompt_tokens, "decode_tokens": decode_tokens, "vocabulary": plan.model.vocabulary}
    if depths or batches:
        asked |= {"depths": list(depths) or [0], "batches": list(batches) or [1]}
        check(plan, asked)
    if path is not None:
        return _measured(plan, (path,), {**asked, "seconds": seconds}, tell)
    if layers is None and fits(plan, max_disk, disks):
        with filled(plan.model, _tensors(plan), max_disk, _writing(tell), disks) as paths:
            load_cold_s = _cold_load(plan, paths, tell)
            found = _measured(plan, paths, {**asked, "seconds": seconds}, tell)
            return dataclasses.replace(found, load_cold_s=load_cold_s, load_cold_note="" if load_cold_s is not None else "kept")
    few, more = thin_layers(plan, max_disk, layers, disks)
    thin = [_fewer(plan, count) for count in (few, more)]
    asked = {**asked, "seconds": seconds / 2 / TURNS}
    with (
        filled(thin[0].model, _tensors(thin[0]), max_disk, _writing(tell), disks) as a,
        filled(thin[1].model, _tensors(thin[1]), max_disk, _writing(tell), disks) as b,
    ):
        # In turns, so that what else the machine does falls on both alike.
        turns = [[_measured(part, where, asked, tell) for part, where in zip(thin, (a, b), strict=True)] for _ in range(TURNS)]
    return extrapolated(plan, fastest([turn[0] for turn in turns]), fastest([turn[1] for turn in turns]), few, more)


def fits(plan: Plan, max_disk: int | None, disks: Sequence[Path] = ()) -> bool:
    """Whether memory holds the plan and the disks its ghost."""
    if not plan.fits:
        return False
    try:
        parts(plan.model, _tensors(plan), max_disk, disks)
    except Unavailable:
        return False
    return True


def _tensors(plan: Plan) -> tuple[Tensor, ...]:
    return find_engine(plan.engine).tensors(plan.model, plan.asked_quant)


def _file_bytes(plan: Plan) -> int:
    return sum(tensor.bytes for tensor in _tensors(plan))


def _fewer(plan: Plan, layers: int) -> Plan:
    model = thinned(plan.model, layers)
    return make_plan(model, plan.machine, find_engine(plan.engine), plan.asked_quant, plan.settings)


def thin_layers(plan: Plan, max_disk: int | None, most: int | None, disks: Sequence[Path] = ()) -> tuple[int, int]:
    """Two numbers of layers, whole rounds apart, of which the larger fits. Raises Unavailable when not even two rounds do."""
    before, period = rounds(plan.model)
    whole = plan.model.layers
    if before + 2 * period > whole:
        raise Unavailable(
            f"{plan.model.name} does not fit, and its layers do not repeat, so that fewer would tell nothing.", "a smaller --quant"
        )
    most = min(most if most is not None else whole // 2, whole)
    count = before + max(2, (most - before) // period) * period
    while count > before + 2 * period and not fits(_fewer(plan, count), max_disk, disks):
        count -= period
    if not fits(_fewer(plan, count), max_disk, disks):
        size = show_bytes(_file_bytes(_fewer(plan, count)))
        raise Unavailable(
            f"Even {count} of the {whole} layers of {plan.model.name} take {size}, which does not fit here.", "a smaller --quant"
        )
    few = before + max(1, (count - before) // period // 2) * period
    return few, count


def _cold_load(plan: Plan, paths: Sequence[str], tell: Tell | None) -> float | None:
    """Seconds to load the ghost from its disks alone; None where the system does not forget a file."""
    if not all(cold.drop(path) for path in paths):
        return None
    if tell is not None:
        tell("cold", {})
    _, done = conduct({**job(plan), "paths": list(paths), "load_only": True, "max_tokens": 0})
    return float(done["load_s"])


def _writing(tell: Tell | None) -> Callable[[int, int], None] | None:
    return None if tell is None else lambda done, whole: tell("written", {"bytes": done, "of_bytes": whole})


def _measured(plan: Plan, paths: Sequence[str], asked: dict[str, Any], tell: Tell | None) -> Measurement:
    ready, done = conduct({**job(plan), "paths": list(paths), "rehearse": asked, "max_tokens": 0}, tell)
    names = ("prefill_tokens_per_s", "decode_tokens_per_s", "prefill_spread", "decode_spread", "repeats", "cores_used", "energy_note")
    pace: dict[str, Any] = {**{name: done[name] for name in names}, **{name: done.get(name) for name in JOULES}}
    return dataclasses.replace(
        measurement(plan, "rehearsed", ready, done),
        expected_resident_bytes=expected_resident(plan, asked["prompt_tokens"]),
        prompt_tokens=asked["prompt_tokens"],
        **pace,
        energy_counters=tuple(done["energy_counters"]),
        peaks={"ram": done["peaks"]} if done["peaks"] else {},
        points=made(done.get("points")),
    )
