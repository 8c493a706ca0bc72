"""How long a step of a server takes: a fixed time, bytes over bandwidth or FLOPs over arithmetic, and what ranks tell each other.

Three numbers were fitted to one release on one kind of card (data/serving_pace.json, with their error); anywhere else the interval is
assumed and wide. Time to the first token is of a server without load: queues are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...facts import data_json
from ...figure import Number, step
from ...hardware import Device, Machine
from ...model import ModelSpec
from ...plan import Speed
from ...work import Work
from .formats import Format
from .work import Cached, work


@step("server_step")
def step_s(fixed: Number, factor: Number, bytes: Number, bytes_per_s: Number, layers: Number, layer_s: Number) -> Number:
    """Seconds of one decoding step on one stage."""
    return fixed + factor * bytes / bytes_per_s + layers * layer_s


def speed(
    machine: Machine,
    model: ModelSpec,
    form: Format,
    ranks: int,
    stages: int,
    kept: Sequence[Cached],
    metric: str,
    tokens: int,
    depth: int,
    sequences: int,
    seen: bool = True,
) -> Speed | None:
    """Tokens per second of all sequences together; None where a bandwidth, or for prompts an arithmetic rate, is not known.

    `seen` False is for a server that was not measured at all.
    """
    facts = data_json("serving_pace.json")
    found = work(model, form, ranks, stages, kept, tokens, depth, sequences)
    middle, bound = 0.0, ("memory", 0.0)
    known = seen
    for part in found[:: int(ranks)]:
        timed = _stage(machine, model, part, int(ranks), metric)
        if timed is None:
            return None
        seconds, why, sure = timed
        known = known and sure
        middle += seconds
        bound = max(bound, (why, seconds), key=lambda pair: pair[1])
    middle += facts["fixed_s"]
    if metric == "prefill":
        band = facts["prefill"]
    else:
        band = facts["decode"]["assumed" if not known else "known" if sequences == 1 else "batch"]
    how = "device" if known and metric == "decode" else "assumed"
    rate = tokens * sequences / middle
    basis = "; ".join(f"{part.pool}: {how}" for part in found)
    return Speed(rate, rate * band["low"], rate * band["high"], f"{bound[0]}:{found[0].pool}", basis)


def _stage(machine: Machine, model: ModelSpec, part: Work, ranks: int, metric: str) -> tuple[float, str, bool] | None:
    """(seconds, what binds, whether such a card was measured) of one rank of a stage, without the fixed time of the step."""
    facts = data_json("serving_pace.json")
    device = _device(machine, part.pool)
    pool = machine.pool(device.pool) if device is not None else None
    if device is None or pool is None or not pool.bytes_per_s:
        return None
    flops = sum(float(share.flops) for share in part.shares) + float(part.mixing_flops)
    if metric == "prefill" and not device.flops_per_s:
        return None
    layer_s = facts["layer_s"] if ranks > 1 else 0.0
    memory = float(step_s(0.0, facts["memory"], float(part.moved_bytes), pool.bytes_per_s, part.layers, layer_s))
    compute = flops / (device.flops_per_s * facts["compute_share"]) if device.flops_per_s else 0.0
    told = _told(machine, model, part, ranks) if metric == "prefill" else 0.0
    # Only dense models were among the runs.
    known = any(name in device.name for name in facts["families"]) and not part.expert_layers
    return (compute + told, "compute", known) if compute > memory else (memory + told, "memory", known)


def _told(machine: Machine, model: ModelSpec, part: Work, ranks: int) -> float:
    """Seconds that ranks take to add up their parts of every layer, twice a layer."""
    if ranks == 1:
        return 0.0
    between = [link.bytes_per_s for link in machine.links if all(end.startswith("vram") for end in link.ends)]
    rate = between[0] if between else data_json("serving_pace.json")["link"]["assumed_bytes_per_s"]
    crossing = 2 * (ranks - 1) / ranks * float(part.tokens) * int(model.hidden) * 2
    return float(2 * part.layers * crossing / rate)


def _device(machine: Machine, pool: str) -> Device | None:
    """The card of a rank: the numbered one among those that a server uses."""
    from .cards import KINDS

    usable = [device for device in machine.devices if device.kind in KINDS and machine.pool(device.pool)]
    number = int(pool.partition(":")[2])
    return usable[number] if number < len(usable) else None
