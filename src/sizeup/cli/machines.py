"""sizeup machines MODEL: which machines suit a model, bought or rented."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from sizeup.errors import DOES_NOT_FIT, Unavailable, UserError

from .settings import Count, model_argument, read_model
from .verb import Asked, Option, Verb

if TYPE_CHECKING:
    from sizeup.live_prices import Live


class Amount(click.ParamType):  # type: ignore[type-arg]
    """A number that may carry its unit: 2000, $2,000, 1.5k, 450W."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, (int, float)):
            return float(value)
        found = re.fullmatch(r"\$?([0-9][0-9,]*(?:\.[0-9]+)?)\s*(k?)\s*(?:W|USD|tok/s)?", value.strip(), re.IGNORECASE)
        if not found:
            raise UserError(f"“{value}” is not an amount.", "a number such as 2000")
        return float(found[1].replace(",", "")) * (1000 if found[2] else 1)


def machines(asked: Asked, model: str, rent: bool, buy: bool, limit: int, live_prices: bool, **wished: Any) -> None:
    """Print machines that run a model for so many people; exit 3 when none meets every wish."""
    from sizeup import markets, render
    from sizeup.api import machines_json

    if rent and buy:
        raise UserError("--rent and --buy leave nothing over.", "one of the two, or neither for both")
    if live_prices and asked.offline:
        raise UserError("--live-prices asks the network, which --offline forbids.", "one of the two")
    if limit < 1:
        raise UserError(f"--limit = {limit} is below 1.", "--limit 10")
    wishes = markets.Wishes(
        wished["users"], wished["context"], wished["slowest"], wished["budget"], wished["watts"], True if rent else False if buy else None
    )
    spec = read_model(model, None)
    live = read_live(asked) if live_prices else None
    survey = markets.survey(
        spec, wishes, wished["quant"], wished["engine"], () if live is None or isinstance(live, Unavailable) else live.prices
    )
    offers, kept_out = markets.chosen(survey, limit), markets.excluded(survey)
    if asked.json:
        asked.say_json(machines_json(offers, kept_out, live))
    else:
        asked.say(render.machines(asked.page, spec, wishes, offers, kept_out, len(survey), live))
    if not any(not offer.misses for offer in offers):
        raise SystemExit(DOES_NOT_FIT)


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


command = Verb(
    "machines",
    machines,
    [
        model_argument(),
        Option(["--users"], type=Count(), default=1, metavar="N"),
        Option(["--context"], type=Count(), default=8192, metavar="TOKENS"),
        Option(["--quant"], metavar="MIX"),
        Option(["--slowest"], "slowest_each", type=Amount(), metavar="TOK/S"),
        Option(["--budget"], "usd", type=Amount(), metavar="USD"),
        Option(["--watts"], "most_watts", type=Amount(), metavar="W"),
        Option(["--rent"], is_flag=True),
        Option(["--buy"], is_flag=True),
        Option(["--live-prices"], is_flag=True),
        Option(["--limit"], "limit_machines", type=Count(), default=10, metavar="N"),
        Option(["--engine"], default="llama.cpp", metavar="NAME"),
    ],
)
