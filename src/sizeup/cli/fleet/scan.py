"""sizeup fleet scan --ray ADDRESS: the machines of a cluster and what is free of them."""

from __future__ import annotations

from sizeup.errors import UserError
from sizeup.operations.kinds import NUMBER

from ..settings import of
from ..verb import Asked, Option, Verb


def scan(asked: Asked, ray: str | None, timeout: float, save: str | None) -> None:
    """Print what a cluster has, or write it down for later."""
    from sizeup.api.fleet import inventory_json
    from sizeup.fleet import saved
    from sizeup.fleet.ray_scan import scan as ray_scan
    from sizeup.render.fleet import inventory

    if ray is None:
        raise UserError("Nothing says which cluster to look at.", "--ray auto")
    found = ray_scan(ray, timeout)
    content = inventory_json(found)
    if save is not None:
        saved.save(content, save)
    if asked.json:
        asked.say_json(content)
        return
    asked.say(inventory(asked.page, found))
    if save is not None:
        asked.say(f"  {asked.page.texts('fleet.saved', path=save)}\n")


command = Verb(
    "fleet scan",
    scan,
    [
        Option(["--ray"], "fleet_ray", metavar="HOST:PORT|auto"),
        Option(["--timeout"], "fleet_timeout", type=of(NUMBER), default=60.0, metavar="SECONDS"),
        Option(["--save"], "fleet_save", metavar="FILE"),
    ],
)
