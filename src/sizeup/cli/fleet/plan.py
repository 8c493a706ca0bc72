"""sizeup fleet plan: which models go where on a cluster, with how many replicas, for a load and its goals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sizeup.errors import DOES_NOT_FIT, UserError
from sizeup.operations.kinds import COUNT, NUMBER, SIZE

from ..settings import ask, of
from ..verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.fleet.node import Inventory
    from sizeup.fleet.placing import FleetPlan
    from sizeup.fleet.targets_file import Wishes


def plan(
    asked: Asked,
    load: str | None,
    nodes: str | None,
    on: tuple[str, ...],
    count: tuple[int, ...],
    ram: int | None,
    emit: str | None,
    to: Path | None,
    force: bool,
    **wishes: object,
) -> None:
    """Print the plan, or what is missing, and write what runs it; exit 3 where the load does not fit."""
    from sizeup.api.fleet_plan import fleet_plan_json
    from sizeup.fleet.binding import binding
    from sizeup.fleet.changes import changes
    from sizeup.fleet.layouts import Layouts
    from sizeup.fleet.lost import lost, secure
    from sizeup.fleet.placing import place
    from sizeup.render.fleet_plan import fleet_plan

    wanted, cluster = wished(asked, load, **wishes), looked_at(asked, nodes, on, count, ram)  # type: ignore[arg-type]
    known = Layouts()
    found = place(wanted.targets, cluster, wanted.spare, known)
    told = binding(found), changes(found, known), lost(found, known), secure(found, known)
    wrote = hand_over(found, emit, to, force) if emit is not None and found.possible else {}
    if asked.json:
        asked.say_json({**fleet_plan_json(found, *told), **({"emitted": wrote} if wrote else {})})
    else:
        asked.say(fleet_plan(asked.page, found, *told, why=asked.why is not None))
        for path, run in wrote.items():
            asked.say(f"  {asked.page.texts('emit.wrote', path=path)}: {run}\n")
    if not found.possible:
        raise SystemExit(DOES_NOT_FIT)


def hand_over(plan: FleetPlan, emit: str, to: Path | None, force: bool) -> dict[str, str]:
    """Folder written -> what is typed there. Raises UserError without a folder."""
    from sizeup.fleet import artefacts
    from sizeup.fleet.handed import handed

    if to is None:
        raise UserError("Several files go to a folder.", "--to FOLDER")
    # All of them are made before any is written.
    files = handed(plan, emit)
    for folder, emitted in files.items():
        artefacts.write(emitted, to / folder, force)
    return {str(to / folder): emitted.run for folder, emitted in files.items()}


def wished(
    asked: Asked,
    load: str | None,
    model: str | None,
    users: float | None,
    requests_per_s: float | None,
    prompt_tokens: int,
    answer_tokens: int,
    ttft: str,
    tpot: str,
    availability: str | None,
    quant: str | None,
    engine: str | None,
    context: int | None,
    cache_type: str,
    expert_parallel: bool,
) -> Wishes:
    """The targets: of a file, or the one that the options say."""
    from sizeup.fleet.target import Target
    from sizeup.fleet.targets_file import Wishes, available, seconds
    from sizeup.fleet.targets_file import load as read

    world = ask(asked).world
    if load is not None:
        if model is not None:
            raise UserError("--load names models, and --model names another one.", "one of the two")
        wishes = read(load, world.model)
        return wishes if availability is None else Wishes(wishes.targets, available(availability))
    if model is None:
        raise UserError("Nothing says which model is to be served.", "--model qwen3:8b --users 100")
    target = Target(
        world.model(model),
        users,
        requests_per_s,
        prompt_tokens,
        answer_tokens,
        seconds(ttft),
        seconds(tpot),
        quant,
        engine,
        context,
        cache_type,
        expert_parallel,
    )
    return Wishes((target,), available(availability or "none"))


def looked_at(asked: Asked, nodes: str | None, on: tuple[str, ...], count: tuple[int, ...], ram: int | None) -> Inventory:
    """The cluster of a file, or so many described machines."""
    from sizeup.fleet import nodes_file, saved
    from sizeup.fleet.described import described

    if (nodes is None) == (not on):
        raise UserError("A plan is for one cluster: a file of nodes, or described machines.", '--on "4x h100-sxm" --count 3')
    if nodes is not None:
        return nodes_file.read(nodes) if nodes.endswith(".toml") else saved.load(nodes)
    if count and len(count) != len(on):
        raise UserError(
            f"--count is said {len(count)} times and --on {len(on)} times.", '--on "4x h100-sxm" --count 3 --on "8x l40s" --count 1'
        )
    counts = count or (1,) * len(on)
    world = ask(asked).world
    return described([(name, world.machine(name, ram), each) for name, each in zip(on, counts, strict=True)])


command = Verb(
    "fleet plan",
    plan,
    [
        Option(["--model"], "fplan_model", metavar="MODEL"),
        Option(["--users"], "fplan_users", type=of(NUMBER), metavar="N"),
        Option(["--requests-per-s"], "fplan_rate", type=of(NUMBER), metavar="R"),
        Option(["--prompt-tokens"], "fplan_prompt", type=of(COUNT), default=1000, metavar="N"),
        Option(["--answer-tokens"], "fplan_answer", type=of(COUNT), default=250, metavar="N"),
        Option(["--ttft"], "fplan_ttft", default="2s", metavar="TIME"),
        Option(["--tpot"], "fplan_tpot", default="50ms", metavar="TIME"),
        Option(["--availability"], "fplan_availability", metavar="none|1-node"),
        Option(["--quant"], "fplan_quant", metavar="NAME|any"),
        Option(["--engine"], "fplan_engine", metavar="NAME"),
        Option(["--context"], "fplan_context", type=of(COUNT), metavar="TOKENS"),
        Option(["--cache-type"], "fplan_cache", default="auto", metavar="auto|fp8"),
        Option(["--expert-parallel"], "fplan_experts", is_flag=True),
        Option(["--load"], "fplan_load", metavar="FILE.toml"),
        Option(["--nodes"], "fplan_nodes", metavar="FILE"),
        Option(["--on"], "fplan_on", multiple=True, metavar="MACHINE"),
        Option(["--count"], "fplan_count", type=of(COUNT), multiple=True, metavar="N"),
        Option(["--emit"], "fplan_emit", metavar="TARGET"),
        Option(["--to"], "fplan_to", type=click.Path(path_type=Path), metavar="FOLDER"),
        Option(["--force"], "fplan_force", is_flag=True),
        Option(["--ram"], "fplan_ram", type=of(SIZE), metavar="SIZE"),
    ],
)
