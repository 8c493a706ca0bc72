"""prove and rehearse: the embedded engine itself is asked on this machine; a server does it only when it was started for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .kinds import COUNT, NUMBER
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import HERE, MODEL_ARGUMENT, settings

if TYPE_CHECKING:
    from sizeup.plan import Measurement, Plan


class Proved(NamedTuple):
    """What the engine says, beside what was predicted; `number` is its row in the store."""

    plan: Plan
    found: Measurement
    number: int
    rehearsed: bool
    met: bool = True

    def to_json(self) -> dict[str, Any]:
        from sizeup.api import measurement_json, proof_json

        told = measurement_json(self.found, self.plan.breakdown.as_reported()) if self.rehearsed else proof_json(self.found)
        return {**told, "number": self.number}


def prove(ask: Ask, values: Values) -> Proved:
    """What the engine would allocate, to the byte, without the model's weights."""
    from sizeup import search
    from sizeup.ghost.prove import prove as proof

    plan = _plan(ask, values)
    found = proof(plan)
    return Proved(plan, found, search.remember(plan, found), False)


def rehearse(ask: Ask, values: Values) -> Proved:
    """The engine really running a full-size model with made-up weights."""
    from sizeup import search
    from sizeup.ghost.rehearse import rehearse as rehearsal

    plan = _plan(ask, values)
    found = rehearsal(plan, prompt_tokens=values["prompt_tokens"], decode_tokens=values["decode_tokens"], seconds=values["seconds"])
    return Proved(plan, found, search.remember(plan, found), True)


def _plan(ask: Ask, values: Values) -> Plan:
    from sizeup import search

    given = {"gpu_layers": 0, **settings(values)}
    spec, box = ask.world.model(values["model"], values["assume"]), ask.world.machine()
    return search.fit(spec, box, engine=values["engine"], quant=values["quant"], context_tokens=values["context"], **given)[0]


TIMES = (
    Parameter("prompt_tokens", COUNT, 256, shown="TOKENS", least=1, most=65536),
    Parameter("decode_tokens", COUNT, 32, shown="TOKENS", least=1, most=4096),
    Parameter("seconds", NUMBER, 60.0, shown="S", least=1, most=600),
)
PROVE = Operation("prove", (MODEL_ARGUMENT, *HERE), prove, runs=True, tool=False)
REHEARSE = Operation("rehearse", (MODEL_ARGUMENT, *TIMES, *HERE), rehearse, runs=True, tool=False)
