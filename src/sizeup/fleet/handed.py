"""A plan for a cluster as the files that its scheduler runs: a folder for the replicas of each model."""

from __future__ import annotations

import dataclasses

from ..plan import Plan, SpeedEstimate
from .artefacts import Emitted, emit
from .artefacts.wanted import wanted
from .layout import Layout, number_format
from .placing import FleetPlan
from .target import Target


def handed(plan: FleetPlan, name: str) -> dict[str, Emitted]:
    """Folder -> the files of the artefact `name` ("deployment", "sbatch", …). Raises what `emit` raises: Refused where a replica of
    several nodes is asked of what starts one."""
    found = dict[str, Emitted]()
    for placed in plan.placed:
        for part in placed.way.parts:
            layout = part.layout
            nodes = dataclasses.replace(plan.inventory, nodes=layout.on.nodes)
            one = wanted(as_plan(placed.target, layout), part.replicas, nodes, layout.split.nodes)
            # The same model on two kinds of cards, or with two loads, has a folder for each.
            alike = sum(folder == one.name or folder.startswith(f"{one.name}-part-") for folder in found)
            found[f"{one.name}-part-{alike + 1}" if alike else one.name] = emit(one, name)
    return found


def as_plan(target: Target, layout: Layout) -> Plan:
    """One replica as `fit` would answer it; its speeds are those of a load and stand in the plan for the cluster."""
    fits = dict.fromkeys(layout.breakdown.by_pool(), 0)
    return Plan(
        target.model,
        layout.machine,
        layout.engine,
        number_format(target, layout),
        layout.settings,
        layout.breakdown,
        SpeedEstimate(None, None),
        fits,
        layout.command(target),
    )
