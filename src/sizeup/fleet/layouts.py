"""Ways to run one replica of a model on nodes that are alike: which are tried, and what is wrong with those that do not do."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from typing import Any

from .. import search
from ..engines import engine as find_engine
from ..engines.serving.engine import ServingEngine
from ..engines.serving.formats import format_of
from ..engines.vllm.refusals import block_rows, check_split
from ..errors import NotFound, Refused, TooSmall, UserError
from ..facts import data_json
from ..hardware import Machine
from ..layers import Moe
from ..model import ModelSpec
from ..plan import Breakdown, ServingBreakdown
from ..throughput import run_of
from .alike import Alike
from .layout import HOST, Layout, Rejected, Split
from .network import crossing
from .paced import Host, Paced, Serving, capacity
from .target import ANY, FACTS, Target

SERVING = ("vLLM", "SGLang")
HOST_QUANT = "Q8_0"
"""What a model without a file of its own is served as on processors: the eight bits that lose next to nothing."""


class Layouts:
    """Ways that were looked at; what costs time to know is known once, however often goals and fleets are changed."""

    def __init__(self, until: float = math.inf) -> None:
        self.until = until
        self._servers: dict[object, tuple[Any, Machine, Breakdown, Paced] | Rejected] = {}
        self._checked: dict[object, Layout | Rejected] = {}
        self._kept: list[object] = []

    def in_time(self) -> None:
        """Raises UserError once nobody waits for the answer any more (`until`, as `time.monotonic` counts)."""
        if time.monotonic() > self.until:
            raise UserError("The plan takes longer than it may.", "fewer models, or fewer kinds of nodes")

    def of(self, target: Target, on: Alike) -> tuple[list[Layout], list[Rejected]]:
        """Every way that can serve at least one request within the goals, and the others with their reasons."""
        found, rejected = [], list[Rejected]()
        able = engines(target, on)
        if not able:
            told = "A plan has llama.cpp on nodes without such cards, and other servers on nodes with them."
            rejected.append(Rejected(on.name, find_engine(target.engine or HOST).name, target.quant or "", Split(), "refused", told))
        for engine in able:
            try:
                tried = quants(target, engine)
            except (UserError, NotFound) as error:  # a file of another engine, a name of no format
                rejected.append(Rejected(on.name, engine, target.quant or "", Split(), "refused", error.message, mistake=error))
                continue
            for quant in tried:
                for split in splits(target, on, quant) if engine in SERVING else hosted():
                    layout = self._layout(target, on, engine, quant, split)
                    if isinstance(layout, Rejected):
                        rejected.append(layout)
                    else:
                        found.append(layout)
        return found, rejected

    def _layout(self, target: Target, on: Alike, engine: str, quant: str | None, split: Split) -> Layout | Rejected:
        made, key = self._made(target, on, engine, quant, split)
        if isinstance(made, Rejected):
            return made
        goals = (key, target.first_token_s, target.token_s, target.users is None)
        if goals not in self._checked:
            self._checked[goals] = checked(target, on, engine, quant, split, made)
        known = self._checked[goals]
        # The same servers on nodes of which there are more or fewer now.
        return known if isinstance(known, Rejected) else dataclasses.replace(known, on=on)

    def _made(
        self, target: Target, on: Alike, engine: str, quant: str | None, split: Split
    ) -> tuple[tuple[Any, Machine, Breakdown, Paced] | Rejected, object]:
        lengths = (target.prompt_tokens, target.answer_tokens, target.length)
        # A node without cards has no cache of that type.
        cache = target.cache_type if engine in SERVING else ""
        key = (id(target.model), on.likeness, engine, quant, split, lengths, cache, on.network if split.nodes > 1 else "")
        if key not in self._servers:
            self.in_time()
            self._kept.append((target.model, on))  # what an id stands for stays
            try:
                self._servers[key] = (served if engine in SERVING else hosting)(target, on, engine, quant, split)
            except TooSmall as error:
                worst = max(int(error.breakdown.bytes(pool=pool)) for pool in error.breakdown.by_pool())
                self._servers[key] = Rejected(on.name, engine, quant or "", split, "memory", error.message, worst)
            except (Refused, UserError, NotFound) as error:
                mistake = None if isinstance(error, Refused) else error
                self._servers[key] = Rejected(on.name, engine, quant or "", split, "refused", error.message, mistake=mistake)
        return self._servers[key], key


def engines(target: Target, on: Alike) -> list[str]:
    """Those that the nodes can run; the one asked for where it is said."""
    found = list(SERVING) if on.card is not None else [HOST]
    if target.engine is None:
        return found
    named = find_engine(target.engine).name
    if named not in (*SERVING, HOST):
        raise UserError(f"{named} is no server that a plan for a cluster knows.", "vllm, sglang, llama.cpp")
    return [named] if named in found else []


def quants(target: Target, engine: str) -> list[str | None]:
    """Number formats to try: the checkpoint's own unless another one, or any, is asked for."""
    chosen = find_engine(engine)
    if engine == HOST:
        if target.model.stored == "gguf":
            return [None]
        return chosen.quants(target.model) if target.quant == ANY else [target.quant or target.model.mix or HOST_QUANT]
    tried = chosen.quants(target.model)
    if target.quant == ANY:
        return tried
    return tried[:1] if target.quant is None else [*search.candidates(target.model, target.quant, chosen)]


def splits(target: Target, on: Alike, quant: str | None) -> Iterator[Split]:
    """Ranks within the fastest link times stages: in one node, and across nodes where each gives as many of its cards as it can."""
    facts = data_json(FACTS)
    tried = [ranks for ranks in range(1, min(on.cards, on.domain) + 1) if not ranks & (ranks - 1) or shared(target.model, ranks)]
    full = [ranks for ranks in tried if on.cards % ranks == 0]
    routed, form = experts(target.model), format_of(target.model, quant)
    for ranks in tried:
        asked = target.expert_parallel or block_rows(target.model, form, ranks) is not None
        whole = asked and ranks > 1 and routed > 0 and routed % ranks == 0
        inside = on.cards // ranks
        for stages in range(1, min(inside, int(facts["most_stages"])) + 1):
            yield Split(ranks, stages, 1, whole)
        if ranks in (tried[-1], full[-1]):
            for nodes in range(2, min(int(facts["most_stages"]), len(on.nodes)) + 1):
                yield Split(ranks, nodes * inside, nodes, whole)


def shared(model: ModelSpec, ranks: int) -> bool:
    """Whether vLLM and SGLang share a model among so many ranks: heads, the padded vocabulary and inner values come out even."""
    try:
        check_split(model, ranks, 1)
    except Refused:
        return False
    return True


def hosted() -> Iterator[Split]:
    """A node by itself, with more and more slots."""
    for slots in data_json(FACTS)["host_slots"]:
        yield Split(slots=slots)


def experts(model: ModelSpec) -> int:
    """Routed experts of a layer; 0 for a dense model."""
    return max((int(group.block.feed.experts) for group in model.groups if isinstance(group.block.feed, Moe)), default=0)


def served(target: Target, on: Alike, name: str, quant: str | None, split: Split) -> tuple[Any, Machine, Breakdown, Paced] | Rejected:
    """A server on cards: its memory by rank with the longest request, its places with the mean one."""
    engine, machine = find_engine(name), on.ranks(split.cards)
    assert isinstance(engine, ServingEngine)
    given = {
        "tensor_parallel": split.tensor_parallel,
        "pipeline_parallel": split.pipeline_parallel,
        "expert_parallel": split.expert_parallel,
        "kv_cache_dtype": target.cache_type,
    }
    settings = engine.on(engine.Settings(context_tokens=target.length, **given), machine, given)
    breakdown = engine.account(target.model, quant, settings)
    mean = dataclasses.replace(settings, context_tokens=target.mean_tokens)
    held = engine.account(target.model, quant, mean)
    assert isinstance(held, ServingBreakdown)
    replica = engine.replica(machine, target.model, quant, settings, max(1, int(held.max_concurrency)) if held.pool else None)
    if replica is None:
        return Rejected(on.name, name, quant or "", split, "unknown", "")
    speed = engine.paced(machine, target.model, quant, settings, "decode", 1, target.mean_tokens, 1)
    slower = (speed.tokens_per_s / speed.upper, speed.tokens_per_s / speed.lower) if speed is not None else (1.0, 1.0)
    over = crossing(on.network, split.nodes - 1, int(target.model.hidden))
    return settings, machine, breakdown, Serving(replica, slower, over)


def hosting(target: Target, on: Alike, name: str, quant: str | None, split: Split) -> tuple[Any, Machine, Breakdown, Paced] | Rejected:
    """llama.cpp on a node by itself, with so many slots of the longest request."""
    plan = search.fit(target.model, on.machine, engine=name, quant=quant, context_tokens=target.length, users=split.slots)[0]
    if not plan.fits:
        needed = max((plan.breakdown.needed_bytes(pool) for pool in plan.breakdown.by_pool()), default=0)
        return Rejected(on.name, name, quant or "", split, "memory", "", needed)
    paced = Host(run_of(plan), split.slots, target)
    return (plan.settings, on.machine, plan.breakdown, paced) if paced.known else Rejected(on.name, name, quant or "", split, "unknown", "")


def checked(
    target: Target, on: Alike, engine: str, quant: str | None, split: Split, made: tuple[Any, Machine, Breakdown, Paced]
) -> Layout | Rejected:
    """The server with the load that it takes within the goals; why it takes none where it does not."""
    settings, machine, breakdown, paced = made
    serves = capacity(paced, target)
    if serves <= 0:
        alone = paced.at_users(target, 1) if target.users is not None else paced.at_rate(target, 1e-6)
        late = alone.token_s > target.token_s
        value = alone.token_s if late else alone.first_p90_s
        return Rejected(on.name, engine, quant or "", split, "between_tokens" if late else "first_token", "", value)
    whole = engine == HOST
    each = int(data_json(FACTS)["host_bytes_per_rank"]["bytes"]) * split.cards // split.nodes
    return Layout(on, engine, quant, split, settings, machine, breakdown, paced, 0 if whole else each, whole, serves)
