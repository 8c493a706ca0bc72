"""How fast a plan runs: what each device of it moves and computes in a step, over the rates that such a device reaches.

An interval, never a point. (Named so because `sizeup.speed` is a public function of its own, which lives here too.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .engine import Draft, Engine
from .facts import data_json
from .figure import Number, step
from .hardware import Device, Machine
from .model import ModelSpec
from .plan import Breakdown, Plan, Speed, SpeedEstimate
from .rates import kinds
from .reach import Reach, device_of, link_bytes_per_s, reach_of
from .roofline import VECTOR_TOKENS, Terms, load, terms
from .work import Work

PROMPT_TOKENS = 512
"""The prompt that a prefill speed is told for when nobody asks for another: one micro batch, as llama-bench measures."""

STREAMED_FROM_TOKENS = 32
"""From so many tokens on the engine copies host weights to a card for each step (ggml-cuda's offload_op, b11549)."""


class Run(NamedTuple):
    """A model, a machine and how the one runs on the other."""

    machine: Machine
    engine: Engine
    model: ModelSpec
    quant: str | None
    settings: Any
    breakdown: Breakdown
    backend: str | None = None
    """The backend that the devices are used with; None is their usual one."""

    def estimate(self) -> SpeedEstimate:
        """The speeds of a prompt of a micro batch, of an empty context, of a full one, and of loading."""
        context, sequences = int(self.settings.context_tokens), int(self.settings.sequences)
        full = max(context // sequences - 1, 0)
        return SpeedEstimate(
            self.prefill(PROMPT_TOKENS),
            self.decode(0, sequences),
            load_s(self.machine, self.breakdown),
            self.decode(full, sequences),
            self.watts(),
        )

    def decode(self, depth_tokens: int, sequences: int = 1) -> Speed | None:
        """Tokens per second of all sequences together when each holds so many tokens; None where a rate is unknown.

        With a draft model: of rounds in which it proposes tokens and this one checks them in one step.
        """
        if (paced := getattr(self.engine, "paced", None)) is not None:
            own: Speed | None = paced(self.machine, self.model, self.quant, self.settings, "decode", 1, depth_tokens, sequences)
            return own
        if (draft := self.engine.draft(self.settings)) is not None:
            return self._drafted(draft, depth_tokens, sequences)
        work = self.engine.work(self.model, self.quant, self.settings, tokens=1, depth_tokens=depth_tokens, sequences=sequences)
        return self.speed(work, sequences, "decode")

    def _drafted(self, draft: Draft, depth_tokens: int, sequences: int) -> Speed | None:
        guess = self._replace(model=draft.model, quant=draft.quant, settings=draft.settings).decode(depth_tokens, sequences)
        work = self.engine.work(
            self.model, self.quant, self.settings, tokens=draft.tokens + 1, depth_tokens=depth_tokens, sequences=sequences
        )
        check = self.speed(work, sequences, "decode")
        if guess is None or check is None:
            return None
        kept = data_json("host_rates.json")["draft_acceptance"]

        def rate(one: str, accepted: float) -> float:
            seconds = draft.tokens * sequences / getattr(guess, one) + sequences / getattr(check, one)
            return float(sequences * tokens_a_round(accepted, draft.tokens) / seconds)

        middle = rate("tokens_per_s", kept["middle"])
        return Speed(middle, rate("lower", kept["low"]), rate("upper", kept["high"]), check.bound_by, check.basis)

    def prefill(self, prompt_tokens: int, depth_tokens: int = 0) -> Speed | None:
        """Tokens per second of reading a prompt: the engine's micro batches at their mean depth."""
        if (paced := getattr(self.engine, "paced", None)) is not None:
            own: Speed | None = paced(self.machine, self.model, self.quant, self.settings, "prefill", prompt_tokens, depth_tokens, 1)
            return own
        steps = (int(getattr(self.settings, name, prompt_tokens)) for name in ("micro_batch_tokens", "batch_tokens"))
        tokens = max(1, min(prompt_tokens, *steps))
        depth = depth_tokens + (prompt_tokens - tokens) // 2
        work = self.engine.work(self.model, self.quant, self.settings, tokens=tokens, depth_tokens=depth)
        return self.speed(work, tokens, "prefill")

    def parts(self, sequences: int = 1, depth_tokens: int = 0) -> list[tuple[Work, Reach, Terms]]:
        """What a decode step does on each device, what that reaches, and the seconds it takes; for telling. Nothing of an engine
        that has a step model of its own."""
        if hasattr(self.engine, "paced"):
            return []
        work = self.engine.work(self.model, self.quant, self.settings, tokens=1, depth_tokens=depth_tokens, sequences=sequences)
        return self._timed(work, "decode") or []

    def _timed(self, work: Sequence[Work], metric: str) -> list[tuple[Work, Reach, Terms]] | None:
        """Every device's share with its seconds; None where a rate is not known."""
        found: list[tuple[Work, Reach, Terms]] = []
        for part in work:
            device = device_of(self.machine, part.pool)
            host = device is None
            # The host of a model that is all on cards looks up rows, which is no step.
            if host and not part.layers and not part.moved_bytes:
                continue
            reach = self._reach(part, metric)
            # Of a step of many tokens its bytes alone say nothing: whoever's arithmetic nobody knows would be the fastest.
            many = metric == "prefill" or part.tokens > VECTOR_TOKENS
            if reach is None or (many and reach.pace.flops_per_s is None):
                return None
            apart = device is not None and device.node
            if found and not apart and found[-1][1] is reach and found[-1][0][1:] == part[1:]:
                # Equal cards of one machine with equal shares take equal times.
                found.append((part, reach, found[-1][2]))
                continue
            spent = terms(load(part, reach.kinds or kinds()), reach.pace)
            if device is not None and apart:
                spent, reach = self._crossed(part, device, spent, reach)
            if host and metric == "prefill" and (streamed := self._streamed(part)):
                spent, reach = streamed
            found.append((part, reach, spent))
        return found

    def speed(self, work: Sequence[Work], tokens: int, metric: str) -> Speed | None:
        """What so many tokens a step come to when its work on every device is this; None where a rate is unknown."""
        timed, paged = self._timed(work, metric), self._paged(work)
        if not timed or paged is None:
            return None
        assumed = data_json("host_rates.json")["disk_paging"]
        slow, middle, fast = paged / assumed["low"], paged, paged / assumed["high"]
        longest = (paged, "disk:disk")
        for part, reach, spent in timed:
            seconds = float(spent.memory + spent.compute + spent.fixed)
            # Layers run one after another, so the times of all devices add up.
            slow, middle, fast = slow + seconds / reach.low, middle + seconds, fast + seconds / reach.high
            longest = max(longest, *((float(value), f"{name}:{part.pool}") for name, value in spent._asdict().items()))
        basis = "; ".join(f"{part.pool}: {reach.how}" for part, reach, _ in timed)
        return Speed(tokens / middle, tokens / slow, tokens / fast, longest[1], basis)

    def _reach(self, work: Work, metric: str) -> Reach | None:
        label = self.quant or self.model.mix or "as stored"
        flash = getattr(self.settings, "flash_attention", True) is not False
        # Some engines reach other rates on a device than its usual backend does.
        backend = self.backend or getattr(self.engine, "backend", None)
        return reach_of(self.machine, work, metric, label, flash, backend)

    def _crossed(self, part: Work, device: Device, spent: Terms, reach: Reach) -> tuple[Terms, Reach]:
        """The same with what a card of another machine waits for the network."""
        facts = data_json("networks.json")
        rate, _ = link_bytes_per_s(self.machine, device)
        crossing = float(crossing_bytes(part.tokens, self.model.hidden, part.tokens + part.depth_tokens)) / rate
        waits = {name: facts["round_trips"]["count"] * facts["round_trip_s"][name] for name in ("low", "middle", "high")}
        alone = float(spent.memory + spent.compute + spent.fixed)
        whole = alone + crossing + waits["middle"]
        slow = alone / reach.low + crossing / facts["reached_low"]["share"] + waits["high"]
        fast = alone / reach.high + crossing + waits["low"]
        return spent._replace(fixed=spent.fixed + crossing + waits["middle"]), reach._replace(low=whole / slow, high=whole / fast)

    def _streamed(self, part: Work) -> tuple[Terms, Reach] | None:
        """A long prompt's step over host weights: copied to the first card and multiplied there; None when the engine does not."""
        device = device_of(self.machine, "vram:0")
        used = self.settings.gpu_layers != 0 and self.settings.op_offload
        if device is None or device.node or device.pool == "unified" or not used or part.tokens < STREAMED_FROM_TOKENS:
            return None
        there = part._replace(pool="vram:0")
        reach = self._reach(there, "prefill")
        if reach is None or reach.pace.flops_per_s is None:
            return None
        spent = terms(load(there, kinds()), reach.pace)
        link, share = link_bytes_per_s(self.machine, device)
        copied = float(part.weight_bytes) / link
        return spent._replace(memory=spent.memory + copied), reach._replace(low=reach.low * share)

    def _paged(self, work: Sequence[Work]) -> float | None:
        """Seconds a step waits for weights that memory does not hold, read from the disk again; None when that cannot be told."""
        host = next((name for name in ("ram", "unified") if self.machine.pool(name)), "ram")
        pool = self.machine.pool(host)
        missing = self.breakdown.needed_bytes(host) - (pool.free_bytes if pool else 0)
        held = float(self.breakdown.bytes("weights", host))
        if missing <= 0 or held <= 0:
            return 0.0
        disk = next((disk.bytes_per_s for disk in self.machine.disks if disk.bytes_per_s), None)
        if disk is None or not getattr(self.settings, "mmap", False):
            return None
        moved = sum(float(part.weight_bytes) for part in work if part.pool in (host, "ram"))
        return moved * min(missing / held, 1.0) / disk

    def watts(self) -> float | None:
        """The power limit, else the design power, of all devices that hold something; None when one of them does not say."""
        most = [device.power_limit_w or device.watts for device in self.machine.devices if self.breakdown.bytes(pool=device.pool)]
        return sum(watts for watts in most if watts) if most and all(most) else None


def run_of(plan: Plan) -> Run:
    """How a plan's model runs on its machine."""
    from .engines import engine as find_engine

    return Run(plan.machine, find_engine(plan.engine), plan.model, plan.asked_quant, plan.settings, plan.breakdown)


@step("crossing_bytes")
def crossing_bytes(tokens: Number, hidden: Number, cells: Number) -> Number:
    """Bytes between a machine and one that computes some of its layers: activations there and back (F32), and the mask (F16)."""
    return tokens * (2 * 4 * hidden + 2 * cells)


@step("tokens_a_round")
def tokens_a_round(accepted: Number, drafted: Number) -> Number:
    """Tokens that a round of drafting yields on average: each proposal stands only if those before it did, and one more comes for sure."""
    return (1 - accepted ** (drafted + 1)) / (1 - accepted)


def load_s(machine: Machine, breakdown: Breakdown) -> float | None:
    """Seconds to read the weights from a cold disk and copy them to their cards; None when no disk's rate is known.

    A card's link or a network holds it up only where it is slower than the disk (assumed: copies run beside the reading).
    """
    disk = next((disk.bytes_per_s for disk in machine.disks if disk.bytes_per_s), None)
    if disk is None:
        return None
    spent = 0.0
    for pool in breakdown.by_pool():
        device = device_of(machine, pool)
        link = disk if device is None or device.pool == "unified" else link_bytes_per_s(machine, device)[0]
        spent += float(breakdown.bytes("weights", pool)) / min(disk, link)
    return spent


def reached(plan: Plan, tokens_per_s: float, depth_tokens: int) -> tuple[float, int] | None:
    """The share of host bandwidth that a measured decode rate means for this plan at this depth, and the bytes it read a token.

    None where the bandwidth is not known, or several memories were read.
    """
    run = run_of(plan)
    work = run.engine.work(plan.model, plan.asked_quant, plan.settings, depth_tokens=depth_tokens)
    pool = plan.machine.pool(work[0].pool)
    if len(work) != 1 or pool is None or not pool.bytes_per_s:
        return None
    moved = int(work[0].moved_bytes)
    return float(tokens_per_s * moved / pool.bytes_per_s), moved
