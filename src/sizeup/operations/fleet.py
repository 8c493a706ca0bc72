"""fleet_plan: which models go where on a cluster, and the files that run them. The cluster comes with the question: nobody is asked for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sizeup.errors import UserError

from .kinds import CLUSTER, COUNT, FLAG, LOAD, MACHINE, MODEL, NUMBER, SIZE
from .operation import Ask, Operation
from .parameter import Parameter, Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sizeup.api.fleet_plan import FleetPlanJson
    from sizeup.fleet.answer import FleetAnswer
    from sizeup.fleet.artefacts import Emitted
    from sizeup.fleet.node import Inventory
    from sizeup.fleet.targets_file import Wishes


class Fleet(NamedTuple):
    """The plan, and the files that were asked for, by folder."""

    found: FleetAnswer
    files: Mapping[str, Emitted] | None = None

    @property
    def met(self) -> bool:
        return self.found.plan.possible

    def to_json(self) -> FleetPlanJson:
        from sizeup.api.fleet_plan import fleet_plan_json

        return fleet_plan_json(self.found, self.files)


def fleet_plan(ask: Ask, values: Values) -> Fleet:
    """The cheapest plan that carries the load, or what is missing."""
    from sizeup.fleet.answer import plan_fleet

    wanted, cluster = wished(ask, values), looked_at(ask, values)
    found = plan_fleet(wanted.targets, cluster, spare=wanted.spare, until=ask.until)
    return Fleet(found, found.files(values["emit"]) if values["emit"] is not None else None)


def wished(ask: Ask, values: Values) -> Wishes:
    """The targets: of a load, or the one that the other parameters say."""
    from sizeup.fleet.target import Target
    from sizeup.fleet.targets_file import Wishes, available, seconds

    if values["load"] is not None:
        if values["model"] is not None:
            raise UserError("--load names models, and --model names another one.", "one of the two")
        wishes = ask.world.load(values["load"])
        return wishes if values["availability"] is None else Wishes(wishes.targets, available(values["availability"]))
    if values["model"] is None:
        raise UserError("Nothing says which model is to be served.", "--model qwen3:8b --users 100")
    target = Target(
        ask.world.model(values["model"]),
        values["users"],
        values["requests_per_s"],
        values["prompt_tokens"],
        values["answer_tokens"],
        seconds(values["ttft"]),
        seconds(values["tpot"]),
        values["quant"],
        values["engine"],
        values["context"],
        values["cache_type"],
        values["expert_parallel"],
    )
    return Wishes((target,), available(values["availability"] or "none"))


def looked_at(ask: Ask, values: Values) -> Inventory:
    """The cluster that is named, its nodes joined by the network that is."""
    found = named(ask, values)
    if values["network"] is None:
        return found
    from sizeup.fleet.network import known

    network = known(values["network"])
    return replace(found, nodes=tuple(replace(node, network=network) for node in found.nodes))


def named(ask: Ask, values: Values) -> Inventory:
    """The cluster of a document, or so many described machines."""
    from sizeup.fleet.described import MOST_NODES, described

    nodes, on, count = values["nodes"], values["on"], values["count"]
    if (nodes is None) == (not on):
        raise UserError("A plan is for one cluster: a file of nodes, or described machines.", '--on "4x h100-sxm" --count 3')
    if nodes is not None:
        return ask.world.cluster(nodes)
    if count and len(count) != len(on):
        raise UserError(
            f"--count is said {len(count)} times and --on {len(on)} times.", '--on "4x h100-sxm" --count 3 --on "8x l40s" --count 1'
        )
    counts = count or (1,) * len(on)
    machines = [(name, ask.world.machine(name, values["ram"]), each) for name, each in zip(on, counts, strict=True)]
    return described(machines, ask.world.most_nodes or MOST_NODES)


FLEET_PLAN = Operation(
    "fleet_plan",
    (
        Parameter("model", MODEL, key="fplan_model", shown="MODEL"),
        Parameter("users", NUMBER, key="fplan_users", shown="N"),
        Parameter("requests_per_s", NUMBER, key="fplan_rate", shown="R"),
        Parameter("prompt_tokens", COUNT, 1000, key="fplan_prompt", shown="N"),
        Parameter("answer_tokens", COUNT, 250, key="fplan_answer", shown="N"),
        Parameter("ttft", default="2s", key="fplan_ttft", shown="TIME"),
        Parameter("tpot", default="50ms", key="fplan_tpot", shown="TIME"),
        Parameter("availability", key="fplan_availability", shown="none|1-node"),
        Parameter("quant", key="fplan_quant", shown="NAME|any"),
        Parameter("engine", key="fplan_engine", shown="NAME"),
        Parameter("context", COUNT, key="fplan_context", shown="TOKENS"),
        Parameter("cache_type", default="auto", key="fplan_cache", shown="auto|fp8"),
        Parameter("expert_parallel", FLAG, False, key="fplan_experts"),
        Parameter("load", LOAD, key="fplan_load", shown="FILE.toml"),
        Parameter("nodes", CLUSTER, key="fplan_nodes", shown="FILE"),
        Parameter("on", MACHINE, key="fplan_on", shown="MACHINE", many=True),
        Parameter("count", COUNT, key="fplan_count", shown="N", many=True),
        Parameter("network", key="fplan_network", shown="NAME"),
        Parameter("emit", key="fplan_emit", shown="TARGET"),
        Parameter("ram", SIZE, key="fplan_ram", shown="SIZE"),
    ),
    fleet_plan,
)
