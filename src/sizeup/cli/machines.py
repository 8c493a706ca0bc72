"""sizeup machines MODEL: which machines suit a model, bought or rented."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sizeup.errors import Unavailable, UserError
from sizeup.operations.machines import MACHINES, Offered, machines_for

from .settings import ask, options, say
from .verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.live_prices import Live


def machines(asked: Asked, live_prices: bool, **values: Any) -> None:
    """Print machines that run a model for so many people; exit 3 when none meets every wish."""
    if live_prices and asked.offline:
        raise UserError("--live-prices asks the network, which --offline forbids.", "one of the two")
    live = (lambda: read_live(asked)) if live_prices else (lambda: None)
    say(asked, machines_for(ask(asked), values, live), tell)


def tell(asked: Asked, answer: Offered) -> None:
    """Print them, with why others are left out."""
    from sizeup import render

    found = (answer.model, answer.wishes, answer.offers, answer.excluded, answer.looked_at, answer.live)
    asked.say(render.machines(asked.page, *found))


def read_live(asked: Asked) -> Live | Unavailable:
    """Today's prices, telling on a terminal how long it takes; or why there are none, which the dated table outlives.

    Raises Unavailable when the package is missing: then the wish can be met, by another command.
    """
    from sizeup.live_prices import gpuhunt_catalogue, live_prices

    catalogue = gpuhunt_catalogue()
    shown = sys.stderr.isatty() and not asked.json

    def waited(seconds: int) -> None:
        if shown:
            sys.stderr.write(f"\r\x1b[K  {asked.page.texts('machines.asking', seconds=seconds)}")
            sys.stderr.flush()

    waited(0)
    try:
        return live_prices(catalogue, waited)
    except Unavailable as error:
        return error
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


command = Verb("machines", machines, [*options(MACHINES.parameters), Option(["--live-prices"], is_flag=True)])
