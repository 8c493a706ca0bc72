"""`sizeup.cluster` and `sizeup.plan_fleet`: machines together, and everything that a plan for them tells."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..hardware import Machine
from ..model import ModelSpec
from ..probe import machine as find_machine
from ..readers import read as read_model
from . import nodes_file, saved
from .artefacts import Emitted
from .asked import cluster_of
from .binding import Binding, binding
from .changes import Change, changes
from .described import described
from .handed import handed
from .layouts import Layouts
from .lost import Lost, lost, secure
from .node import Inventory
from .placing import FleetPlan, place
from .target import Target


class FleetAnswer(NamedTuple):
    """A plan with what binds it, what would change it and what a lost node does; `api.fleet_plan.fleet_plan_json` writes it down."""

    plan: FleetPlan
    binding: tuple[Binding, ...]
    changes: tuple[Change, ...]
    lost: tuple[Lost, ...]
    secure: FleetPlan | None
    """The plan that may lose a node, where this one may not."""

    def files(self, name: str) -> dict[str, Emitted]:
        """Folder -> what runs a model's replicas (`name`: "deployment", "sbatch", …), and the log to expect; nothing where it does not fit.

        Raises UserError and Refused for what the program cannot run.
        """
        return handed(self.plan, name) if self.plan.possible else {}


def cluster(what: str | os.PathLike[str] | Mapping[str, Any] | Sequence[tuple[str | Machine, int]]) -> Inventory:
    """Machines together: a file (described nodes in TOML, or what `fleet scan --save` wrote), the content of one, or (machine, how many).

    Asks no scheduler and changes nothing. Raises NotFound, Unreadable for another file, UserError for what it says wrongly.
    """
    if isinstance(what, Mapping):
        return cluster_of(what, lambda name, ram: find_machine(name, ram=ram))
    if isinstance(what, str | os.PathLike):
        return nodes_file.read(os.fspath(what)) if os.fspath(what).endswith(".toml") else saved.load(what)
    machines = [(each if isinstance(each, Machine) else find_machine(each), count) for each, count in what]
    typed = [each.name if isinstance(each, Machine) else each for each, _ in what]
    return described([(name, machine, count) for name, (machine, count) in zip(typed, machines, strict=True)])


def plan_fleet(
    load: ModelSpec | str | Sequence[Target], nodes: Inventory, *, spare: bool = False, until: float = math.inf, **asked: Any
) -> FleetAnswer:
    """Which models go where on a cluster, with how many replicas, so that the load is carried within its goals at the least cost.

    `load` is a model, and the fields of `Target` say what is asked of it (users=100, or requests_per_s=5; prompt_tokens, answer_tokens,
    first_token_s, token_s, quant, engine, …); or several targets. `spare`: any one node may be lost. Bytes of every rank are exact as
    `account`'s; times are likely values, with an interval in the answer. `until` (as `time.monotonic()` counts) ends a search that
    takes longer, with a UserError. Nothing is placed or started.
    """
    if isinstance(load, ModelSpec | str):
        load = [Target(read_model(load) if isinstance(load, str) else load, **asked)]
    known = Layouts(until)
    plan = place(load, nodes, spare, known)
    return FleetAnswer(plan, binding(plan), changes(plan, known), lost(plan, known), secure(plan, known))
