"""sizeup fleet scan: the machines of a cluster and what is free of them, from Ray, Kubernetes, Slurm or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sizeup.errors import UserError
from sizeup.operations.kinds import NUMBER

from ..settings import of
from ..verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.fleet.node import Inventory


def scan(asked: Asked, save: str | None, **where: object) -> None:
    """Print what a cluster has, or write it down for later."""
    from sizeup.api.fleet import inventory_json
    from sizeup.fleet import saved
    from sizeup.render.fleet import inventory

    found = looked_at(**where)  # type: ignore[arg-type]
    content = inventory_json(found)
    if save is not None:
        saved.save(content, save)
    if asked.json:
        asked.say_json(content)
        return
    asked.say(inventory(asked.page, found))
    if save is not None:
        asked.say(f"  {asked.page.texts('fleet.saved', path=save)}\n")


def looked_at(
    ray: str | None,
    kubernetes: bool,
    context: str | None,
    server: str | None,
    kubernetes_file: str | None,
    slurm: bool,
    slurm_file: str | None,
    file: str | None,
    inventory: str | None,
    timeout: float,
) -> Inventory:
    """The one cluster that the options name. Raises UserError for none and for several."""
    # Each way loads what it needs and nothing else.
    kubernetes = kubernetes or context is not None or server is not None
    ways = {
        "--ray": ray is not None,
        "--kubernetes": kubernetes,
        "--kubernetes-file": kubernetes_file is not None,
        "--slurm": slurm,
        "--slurm-file": slurm_file is not None,
        "--file": file is not None,
        "--inventory": inventory is not None,
    }
    named = [way for way, given in ways.items() if given]
    if not named:
        raise UserError("Nothing says which cluster to look at.", ", ".join(ways))
    if len(named) > 1:
        raise UserError(f"{named[0]} and {named[1]} name two clusters.", "one of them")
    if ray is not None:
        from sizeup.fleet import ray_scan

        return ray_scan.scan(ray, timeout)
    if kubernetes or kubernetes_file is not None:
        from sizeup.fleet import kubernetes_scan

        return kubernetes_scan.scan(context, server, timeout) if kubernetes_file is None else kubernetes_scan.read(kubernetes_file)
    if slurm or slurm_file is not None:
        from sizeup.fleet import slurm_scan

        return slurm_scan.scan(timeout) if slurm_file is None else slurm_scan.read(slurm_file)
    if file is not None:
        from sizeup.fleet import nodes_file

        return nodes_file.read(file)
    from sizeup.fleet import saved

    assert inventory is not None
    return saved.load(inventory)


SOURCES = [
    Option(["--ray"], "fleet_ray", metavar="HOST:PORT|auto"),
    Option(["--kubernetes"], "fleet_kubernetes", is_flag=True),
    Option(["--context"], "fleet_context", metavar="NAME"),
    Option(["--server"], "fleet_server", metavar="URL"),
    Option(["--kubernetes-file"], "fleet_kubernetes_file", metavar="FILE"),
    Option(["--slurm"], "fleet_slurm", is_flag=True),
    Option(["--slurm-file"], "fleet_slurm_file", metavar="FILE"),
    Option(["--file"], "fleet_file", metavar="FILE"),
    Option(["--inventory"], "fleet_inventory", metavar="FILE"),
    Option(["--timeout"], "fleet_timeout", type=of(NUMBER), default=60.0, metavar="SECONDS"),
]
"""Where a cluster is looked at; exactly one is named."""

command = Verb("fleet scan", scan, [*SOURCES, Option(["--save"], "fleet_save", metavar="FILE")])
