"""What an example is worked out on: a machine, a model, and how the one runs on the other; each asked once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from sizeup.figure import plain
from sizeup.hardware import Machine, Pool
from sizeup.memory import account
from sizeup.model import ModelSpec
from sizeup.plan import Breakdown, Plan, Speed

Unit = Literal[
    "bytes", "bytes_per_s", "tokens", "count", "parameters", "s", "tokens_per_s", "flops", "flops_per_s", "share", "name", "pool"
]
Value: TypeAlias = int | float | str | tuple[float, float]

MIX = "Q4_K_M"
"""What examples take a model in unless their term is another format."""
CONTEXT_TOKENS = 8192


class Told(NamedTuple):
    """One figure of an example; two numbers are an interval."""

    value: Value
    unit: Unit
    evidence: str = "predicted"
    """"predicted" by a formula; else how a fact is known: "read", "measured", "published", "given", "derived", "assumed"."""


Figures: TypeAlias = dict[str, Told]
Found: TypeAlias = tuple[str, Figures]
"""Which of a kind's sentences says it, and what stands in its places."""


@dataclass(frozen=True)
class Scene:
    """One machine and one model. Not slotted: what was asked once is kept on the instance."""

    machine: Machine
    model: ModelSpec
    language: str = "en"

    @functools.cached_property
    def place(self) -> Pool:
        """Where the model's weights would lie: the first device's memory, else the machine's own."""
        name = self.machine.devices[0].pool if self.machine.devices else self.machine.pools[0].name
        return self.machine.pool(name) or self.machine.pools[0]

    @functools.cached_property
    def plan(self) -> Plan:
        """The best plan in the usual mix and context."""
        from sizeup import search

        return search.fit(self.model, self.machine, quant=self.mix(MIX), context_tokens=self.context(CONTEXT_TOKENS))[0]

    def mix(self, name: str) -> str | None:
        """The mix, unless the model is a file whose own formats decide."""
        return None if self.model.stored == "gguf" else name

    def context(self, tokens: int) -> int:
        """So many tokens, or the model's own limit."""
        return min(tokens, self.model.context_tokens or tokens)

    def account(self, quant: str = MIX, tokens: int = CONTEXT_TOKENS, engine: str = "llama.cpp", **settings: Any) -> Breakdown:
        """What an engine takes for the model, with nothing on cards."""
        return account(self.model, engine, self.mix(quant), context_tokens=self.context(tokens), **settings)

    def weights(self, quant: str = MIX, engine: str = "llama.cpp") -> int:
        """Stored bytes of the weights in this format."""
        return size(self.account(quant, engine=engine).bytes("weights"))

    @functools.cached_property
    def moved_bytes(self) -> int:
        """What a token reads of the plan's weights and empty cache, on all devices."""
        from sizeup.throughput import run_of

        run = run_of(self.plan)
        return sum(
            size(work.moved_bytes) for work in run.engine.work(run.model, run.quant, run.settings, tokens=1, depth_tokens=0, sequences=1)
        )

    def name(self) -> Told:
        return Told(self.model.name.rpartition("/")[2], "name", "given")

    def mixed(self) -> Told:
        """The format that the plan is in."""
        return Told(self.plan.quant if self.model.stored == "gguf" else MIX, "name", "given")

    def free(self) -> Told:
        source = self.place.free_source or self.place.source
        return Told(self.place.free_bytes, "bytes", source.kind)

    def room(self) -> Figures:
        """The place that the weights would lie in, and what is free of it."""
        return {"pool": Told(self.place.name, "pool", "read"), "free": self.free()}

    def rate(self) -> Told | None:
        """What that place can deliver; None where nobody says."""
        return Told(self.place.bytes_per_s, "bytes_per_s", self.place.bandwidth_source.kind) if self.place.bytes_per_s else None


def size(number: Any) -> int:
    """A formula's number as whole bytes."""
    return int(plain(number))


def pace(speed: Speed) -> Told:
    """A rate of tokens as its interval."""
    return Told((speed.lower, speed.upper), "tokens_per_s")


def wait(tokens: int, speed: Speed) -> Told:
    """Least and most seconds for so many tokens."""
    return Told((tokens / speed.upper, tokens / speed.lower), "s")
