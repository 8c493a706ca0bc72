"""sizeup machines MODEL: which machines suit a model, bought or rented."""

from __future__ import annotations

import re
from typing import Any

import click

from sizeup.errors import DOES_NOT_FIT, UserError

from .settings import Count, model_argument, read_model
from .verb import Asked, Option, Verb


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


def machines(asked: Asked, model: str, rent: bool, buy: bool, limit: int, **wished: Any) -> None:
    """Print machines that run a model for so many people; exit 3 when none meets every wish."""
    from sizeup import markets, render
    from sizeup.api import machines_json

    if rent and buy:
        raise UserError("--rent and --buy leave nothing over.", "one of the two, or neither for both")
    if limit < 1:
        raise UserError(f"--limit = {limit} is below 1.", "--limit 10")
    wishes = markets.Wishes(
        wished["users"], wished["context"], wished["slowest"], wished["budget"], wished["watts"], True if rent else False if buy else None
    )
    spec = read_model(model, None)
    survey = markets.survey(spec, wishes, wished["quant"], wished["engine"])
    offers, kept_out = markets.chosen(survey, limit), markets.excluded(survey)
    if asked.json:
        asked.say_json(machines_json(offers, kept_out))
    else:
        asked.say(render.machines(asked.page, spec, wishes, offers, kept_out, len(survey)))
    if not any(not offer.misses for offer in offers):
        raise SystemExit(DOES_NOT_FIT)


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
        Option(["--limit"], "limit_machines", type=Count(), default=10, metavar="N"),
        Option(["--engine"], default="llama.cpp", metavar="NAME"),
    ],
)
