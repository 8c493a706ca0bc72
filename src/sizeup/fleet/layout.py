"""One way to run one replica of a model: engine, quantisation, ranks and stages, with the memory of every rank."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..engines import engine as find_engine
from ..engines.serving.formats import format_of
from ..errors import SizeupError
from ..hardware import Machine
from ..plan import Breakdown
from .alike import Alike
from .paced import Paced
from .ray_placement import ray_card
from .target import Target

HOST = "llama.cpp"
"""What serves on nodes without cards."""


class Split(NamedTuple):
    """How one replica is shared out."""

    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    nodes: int = 1
    """That it spans; each stage lies on one of them."""
    expert_parallel: bool = False
    slots: int = 0
    """Requests at the same time, where that is chosen; 0 where the memory says it."""

    @property
    def cards(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel

    def ranks(self) -> tuple[tuple[str, int], ...]:
        """As they are typed."""
        return ("--tensor-parallel", self.tensor_parallel), ("--pipeline-parallel", self.pipeline_parallel)


class Rejected(NamedTuple):
    """A way that does not do, and why."""

    on: str
    engine: str
    quant: str
    split: Split
    why: str
    """"memory", "refused", "first_token", "between_tokens" or "unknown" (no bandwidth of the card)."""
    told: str
    """The engine's own sentence, or "" where a goal is not met."""
    value: float = 0.0
    """Seconds of one request alone, where a goal is not met; bytes that a rank would need, where memory is short."""
    mistake: SizeupError | None = None
    """Where what was asked for means nothing to this engine."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """One way to run one replica."""

    on: Alike
    engine: str
    quant: str | None
    split: Split
    settings: Any
    machine: Machine
    """Its ranks' cards, or the node."""
    breakdown: Breakdown
    paced: Paced
    ram_bytes: int
    """Of the host, on each of its nodes."""
    whole: bool
    """It takes a node for itself: replicas on one processor would share its memory's rate."""
    capacity: float
    """Load that one replica takes within the goals and the planned utilisation."""

    @property
    def cards_each(self) -> int:
        """On each of its nodes."""
        return 0 if self.whole else self.split.cards // self.split.nodes

    @property
    def cards(self) -> int:
        return 0 if self.whole else self.split.cards

    @property
    def usd_per_hour(self) -> float | None:
        """Of its cards, at the median price; None where none is known. Nodes without cards have no price here."""
        rate = self.on.usd_per_card_hour
        return None if rate is None else rate.middle * self.cards

    def command(self, target: Target) -> str:
        """What starts it."""
        return find_engine(self.engine).command(target.model, self.quant, self.settings)

    def ray_command(self, target: Target, replicas: int) -> str:
        """What starts all replicas on a Ray cluster; "" for what `sizeup fleet up` does not serve: SGLang, llama.cpp without a file, and a
        format that only another checkpoint has."""
        settings = self.settings
        if self.whole and target.model.path:
            model, told = target.model.path, list[object](["--sequences", settings.sequences])
        elif self.engine == "vLLM" and shlex.split(self.command(target))[2] == target.model.named:
            model = target.model.named
            told = [word for option, ranks in self.split.ranks() if ranks > 1 for word in (option, ranks)]
            told += [] if self.quant is None else ["--quant", self.quant]
            told += [] if settings.kv_cache_dtype == "auto" else ["--kv-type", settings.kv_cache_dtype]
            told += ["--set", "expert_parallel=true"] if settings.expert_parallel else []
            told += ["--cards", card] if self.on.card is not None and (card := ray_card(self.on.card.name)) else []
        else:
            return ""
        words = ["sizeup", "fleet", "up", model, "--ray", "auto", "--replicas", replicas, "--context", settings.context_tokens, *told]
        return shlex.join(str(word) for word in words)

    def rank_bytes(self) -> list[dict[str, int]]:
        """Bytes by part, of every rank (or of every pool of a host)."""
        pools = dict.fromkeys(claim.pool for claim in self.breakdown.claims)
        parts = dict.fromkeys(claim.part for claim in self.breakdown.claims)
        return [{part: int(bytes) for part in parts if (bytes := self.breakdown.bytes(part, pool))} for pool in pools]


def number_format(target: Target, layout: Layout) -> str:
    """What the weights are stored in, by name."""
    if layout.quant:
        return layout.quant
    if layout.engine == HOST:
        return target.model.mix or "as stored"
    return format_of(target.model, None).linear.name
