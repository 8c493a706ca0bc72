"""sizeup fleet status: what of ours is served on a cluster."""

from __future__ import annotations

from ..verb import Asked, Option, Verb


def status(asked: Asked, ray: str) -> None:
    """Print every application that `fleet up` started there."""
    from sizeup.api.fleet import served_json
    from sizeup.fleet.serve_told import status as ask
    from sizeup.render.fleet import served

    found = ask(ray)
    asked.say_json([served_json(one) for one in found]) if asked.json else asked.say(served(asked.page, found))


command = Verb("fleet status", status, [Option(["--ray"], "fleet_ray", default="auto", metavar="HOST:PORT|auto")])
