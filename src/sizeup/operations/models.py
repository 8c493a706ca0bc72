"""models: which models of the catalogue suit a machine and a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sizeup.errors import UserError

from .kinds import COUNT, NUMBER
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import CONTEXT_8192, ENGINE, MACHINE_OPTIONS, MODEL_OPTIONAL, QUANT

if TYPE_CHECKING:
    from sizeup.api.ranking import MachineRankingJson, PlacedJson
    from sizeup.hardware import Machine
    from sizeup.recommend import Choice, Ranking


class Ranked(NamedTuple):
    """The best models for a machine."""

    machine: Machine
    ranking: Ranking
    met: bool = True

    def to_json(self) -> MachineRankingJson:
        from sizeup.api import machine_json
        from sizeup.api.ranking import ranking_json

        return {"machine": machine_json(self.machine), **ranking_json(self.ranking)}


class Placed(NamedTuple):
    """One model with everything behind its place."""

    machine: Machine
    choice: Choice
    task: str
    met: bool = True

    def to_json(self) -> PlacedJson:
        from sizeup.api import machine_json
        from sizeup.api.ranking import choice_json, results_json

        return {"machine": machine_json(self.machine), **choice_json(self.choice), "results": results_json(self.choice.model)}


def models(ask: Ask, values: Values) -> Ranked | Placed:
    """The best models of the catalogue for a machine, or one of them with what its place rests on."""
    if ask.why and values["model"] is None:
        raise UserError("--why of a ranking needs a model.", "--why Qwen/Qwen3-8B")
    machine = ask.world.on(values)
    wished = {name: values[name] for name in ("quant", "license", "language", "modality", "newer_than")}
    return ranked(
        machine,
        values["limit"],
        values["engine"],
        values["model"],
        task=values["for"],
        context_tokens=values["context"],
        slowest_tokens_per_s=values["slowest"],
        **wished,
    )


def ranked(machine: Machine, limit: int = 10, engine: str = "llama.cpp", model: str | None = None, **wishes: Any) -> Ranked | Placed:
    """The ranking of a machine, or one model as it sees it; `wishes` are the fields of `Wishes`."""
    from sizeup.recommend import one, ranking
    from sizeup.wishes import Wishes

    wanted = Wishes(**wishes)
    if model is not None:
        return Placed(machine, one(model, machine, wanted), wanted.task)
    return Ranked(machine, ranking(machine, wanted, limit, engine))


MODELS = Operation(
    "models",
    (
        MODEL_OPTIONAL,
        *MACHINE_OPTIONS,
        Parameter("for", default="chat", key="task", shown="TASK"),
        Parameter("limit", COUNT, 10, shown="N", least=1, most=10_000),
        CONTEXT_8192,
        Parameter("slowest", NUMBER, shown="TOK/S"),
        QUANT,
        Parameter("license", shown="permissive|NAME"),
        Parameter("language", shown="CODE"),
        Parameter("modality", shown="vision|audio"),
        Parameter("newer_than", shown="DATE"),
        ENGINE,
    ),
    models,
    explained=True,
)
