"""Less than a minute that tells this machine's own rates: small ghosts run on the embedded engine, and the formula is solved for them.

One ghost per number format is large enough to come from memory and has few wide layers: it tells the rates of reading and
multiplying. Others are made to show one cost each (`shots`): dot products, layers, experts, the cache, attention.
"""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from sizeup.calibration import Calibration, rates
from sizeup.engines import engine
from sizeup.errors import Unavailable
from sizeup.hardware import Machine
from sizeup.plan import Measurement
from sizeup.roofline import Load, load
from sizeup.search import make_plan
from sizeup.work import Work

from .disk import filled
from .rehearse import rehearse
from .shots import Shot, shots
from .solve import Ghosts, Seen, solved

DECODE_TOKENS = 24
"""Behind each prompt."""
SECONDS = 0.4
"""Measuring time of each run; loading its ghost comes on top."""

LEAST_RUNS, MOST_RUNS = 3, 5
"""How often each ghost runs, in turns with the others: until its two fastest agree. The median counts, as people see the machine: on
shared ones the fastest is a moment's luck."""

AGREE = 0.05
"""How far the two fastest may lie apart, as a share."""

ROOMY = 2
"""How many times all ghosts free memory holds where they stay between their runs."""

Tell = Callable[[str, int, int], None]


def calibrate(machine: Machine, tell: Tell | None = None) -> Calibration:
    """This machine's rates, measured now. `tell` hears what is measured next, how many are done and how many there are.

    Raises Unavailable without the embedded engine or a processor's name; EngineFailed with its log.
    """
    if machine.cpu is None:
        raise Unavailable("This machine's processor has no name to keep a measurement under.", "sizeup machine")
    asked = shots()
    runs = _measured(machine, asked.named(), tell)
    seen = {name: _seen(machine, shot, runs[name]) for name, shot in asked.named().items()}
    wide, short = (_by_kind(seen.pop(f"{sort} {kind}") for kind in kinds) for sort, kinds in (("wide", asked.wide), ("short", asked.short)))
    pace = solved(Ghosts(wide, short, **seen))
    return Calibration(
        cpu=machine.cpu.name,
        threads=max(1, min(machine.cpu.cores, int(machine.cpu.usable + 0.5))),
        date=datetime.date.today().isoformat(),
        noise=max(_apart(runs[f"wide {kind}"]) for kind in asked.wide),
        **rates(pace),
    )


def _by_kind(seen: Iterable[Seen]) -> dict[str, Seen]:
    """By the class of format that most of a ghost is made of, as the host keeps it."""
    return {max(one.one.reads, key=lambda part: float(part.bytes)).kind: one for one in seen}


def _measured(machine: Machine, asked: Mapping[str, Shot], tell: Tell | None) -> dict[str, list[Measurement]]:
    """Runs of every ghost, all in turns, so that no burst of other work falls on one alone.

    Each is written once where memory holds them all beside what it must hold; otherwise before each of its runs, so that none is read
    from the disk while it is timed.
    """
    held = next((pool.free_bytes for name in ("ram", "unified") if (pool := machine.pool(name))), 0)
    kept = held > ROOMY * sum(tensor.bytes for shot in asked.values() for tensor in shot.model.tensors)
    runs: dict[str, list[Measurement]] = {name: [] for name in asked}
    done = 0
    with ExitStack() as files:
        paths: dict[str, str] = {}
        for turn in range(MOST_RUNS):
            for name, shot in asked.items():
                if turn >= LEAST_RUNS and _apart(runs[name]) <= AGREE:
                    continue
                if tell is not None:
                    tell(name, done, max(done + 1, len(asked) * min(LEAST_RUNS, MOST_RUNS)))
                if name not in paths:
                    (paths[name],) = files.enter_context(filled(shot.model, shot.model.tensors))
                runs[name].append(_run(machine, shot, paths[name]))
                done += 1
                if not kept:
                    files.close()
                    paths.clear()
    return runs


def _run(machine: Machine, shot: Shot, path: str) -> Measurement:
    plan = make_plan(shot.model, machine, engine("llama.cpp"), None, _settings(machine, shot), timed=False)
    # As a file of the user's: nobody waits for its cold load.
    return rehearse(plan, path=path, prompt_tokens=shot.prompt_tokens, decode_tokens=DECODE_TOKENS, seconds=SECONDS * shot.lasting)


def _settings(machine: Machine, shot: Shot) -> Any:
    llama = engine("llama.cpp")
    return llama.on(llama.Settings(context_tokens=shot.prompt_tokens + 256), machine, ())


def _apart(runs: Sequence[Measurement]) -> float:
    """How far the two fastest runs lie apart, as a share; of one run its own spread."""
    rates = sorted((run.decode_tokens_per_s or 0.0 for run in runs), reverse=True)
    return 1 - rates[1] / rates[0] if len(rates) > 1 and rates[0] else runs[0].decode_spread


def _seen(machine: Machine, shot: Shot, runs: Sequence[Measurement]) -> Seen:
    """What a ghost took beside what its decode step moves and what the mean micro batch of its prompt computes."""
    llama, settings = engine("llama.cpp"), _settings(machine, shot)
    micro = min(shot.prompt_tokens, settings.micro_batch_tokens)
    one = llama.work(shot.model, None, settings, depth_tokens=shot.prompt_tokens + DECODE_TOKENS // 2)
    batch = llama.work(shot.model, None, settings, tokens=micro, depth_tokens=(shot.prompt_tokens - micro) // 2)
    decode = statistics.median(run.decode_tokens_per_s or 1.0 for run in runs)
    prefill = statistics.median(run.prefill_tokens_per_s or 1.0 for run in runs)
    return Seen(_load(one), _load(batch), 1 / decode, micro / prefill)


def _load(work: Sequence[Work]) -> Load:
    (part,) = work
    formats = {share.format for share in part.shares}
    return load(part, {name: name for name in (*formats, *(f"{name}+" for name in formats))})
