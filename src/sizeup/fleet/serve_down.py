"""Applications on a Ray cluster drained and ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from types import ModuleType

from ..errors import NotFound, Unavailable, UserError
from .ray_connect import connected
from .serve_plan import PREFIX, slug
from .serve_told import Served, details, serve_library, told

LOOK_S = 0.5


def down(address: str, name: str | None, wait_s: float, tell: Callable[[Served], None] = lambda one: None) -> Served:
    """Let an application take no further request, wait until those being answered have ended, and end it; its last state before that.

    `name` None means the only one. Where nothing else is served, Ray Serve itself is ended. Raises NotFound, UserError
    where several could be meant, Unavailable after `wait_s`.
    """
    with connected(address):
        serve = serve_library()
        ours = {one.name: one for one in told()}
        asked = name if name is None or name.startswith(PREFIX) else PREFIX + slug(name)
        if not ours:
            raise NotFound("The cluster serves nothing of sizeup.", "sizeup fleet status")
        if asked is None and len(ours) > 1:
            raise UserError(f"The cluster serves {len(ours)} applications of sizeup, and none was named.", ", ".join(ours))
        chosen = ours.get(asked or next(iter(ours)))
        if chosen is None:
            raise NotFound(f"The cluster serves nothing called {asked}.", ", ".join(ours))
        serve.delete(chosen.name, _blocking=False)
        if not gone([chosen.name], wait_s, tell):
            raise Unavailable(f"{chosen.name} still answers after {wait_s:g} s.", "sizeup fleet status; it ends by itself")
        end_empty(serve)
        return chosen


def gone(names: Collection[str], wait_s: float, tell: Callable[[Served], None] = lambda one: None) -> bool:
    """Wait until none of them is left; whether that came within `wait_s`."""
    end = time.monotonic() + wait_s
    while left := [one for one in told() if one.name in names]:
        tell(left[0])
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_S)
    return True


def end_empty(serve: ModuleType) -> None:
    """End Ray Serve itself where it serves nothing any more, so that the next one may listen elsewhere."""
    if not details().get("applications"):
        serve.shutdown()
