"""The two tables that every guide prints, exact: what each size of model takes, and what each tier of machine runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .engines import engine as find_engine
from .facts import data_json
from .hardware import Machine
from .markets import Wishes, boxes, planned
from .memory import account
from .model import ModelSpec
from .offers import launch_price
from .plan import Plan
from .probe.described import described
from .probe.specified import specified
from .readers import read
from .search import candidates

FULL, EIGHT = "F16", "Q8_0"
ENGINE = "llama.cpp"


class Size(NamedTuple):
    """One size of model, by the model that stands for it."""

    name: str
    model: ModelSpec
    use: str
    """What such a model is good for, a message key."""
    full_bytes: int
    """Weights in 16 bits."""
    eight_bytes: int
    quant: str
    quant_bytes: int
    """Weights in the mix asked for: what lies on the disk, without a file's header."""
    needed_bytes: int
    """All that must be free at that mix and context, on a host alone."""
    machines: tuple[tuple[str, float], ...]
    """The cheapest machines that run it at a reading pace, with their launch price in US dollars; empty when none has a known price."""


class Tier(NamedTuple):
    """One tier of machines, by the machine that stands for it, and the largest size that runs there at a reading pace."""

    name: str
    machine: Machine
    size: str
    """"" when no size does."""
    plan: Plan | None


def sizes(quant: str | None = None, context_tokens: int = 8192) -> Iterator[Size]:
    """A row for each size, smallest first; `quant` None is the usual four-bit mix, or the format a model was published in."""
    for row in data_json("guide_tables.json")["sizes"]:
        spec = read(row["model"])
        mix = quant or str(candidates(spec, None)[0])
        needed = account(spec, ENGINE, mix, context_tokens=context_tokens, repack=False)
        whole = {kind: weights(spec, kind) for kind in (FULL, EIGHT, mix)}
        yield Size(
            row["class"],
            spec,
            row["for"],
            whole[FULL],
            whole[EIGHT],
            mix,
            whole[mix],
            sum(needed.needed_bytes(pool) for pool in needed.by_pool()),
            tuple(cheapest(spec, mix, context_tokens)),
        )


def weights(spec: ModelSpec, mix: str) -> int:
    """Bytes of all tensors in a mix."""
    return sum(tensor.bytes for tensor in find_engine(ENGINE).tensors(spec, mix))


def cheapest(spec: ModelSpec, mix: str, context_tokens: int, count: int = 2) -> Iterator[tuple[str, float]]:
    """The first machines by launch price that hold a model and write as fast as one reads."""
    floor = data_json("paces.json")["reading_tokens_per_s"]
    priced = [(price[0], box) for box, *_ in boxes(rent=False) if (price := launch_price(box)) is not None]
    for usd, box in sorted(priced, key=lambda one: one[0]):
        plan = planned(spec, box, find_engine(ENGINE), mix, Wishes(context_tokens=context_tokens))
        if plan is not None and plan.fits and plan.speed.decode is not None and plan.speed.decode.tokens_per_s >= floor:
            yield box.name, usd
            count -= 1
            if not count:
                return


def tiers(quant: str | None = None, context_tokens: int = 8192) -> Iterator[Tier]:
    """A row for each tier: the largest size whose mix fits and decodes at a reading pace or faster."""
    floor = data_json("paces.json")["reading_tokens_per_s"]
    table: dict[str, Any] = data_json("guide_tables.json")
    models = [(row["class"], read(row["model"])) for row in reversed(table["sizes"])]
    for row in table["machines"]:
        box = specified(described(row["machine"], row.get("ram")))
        found = Tier(row["tier"], box, "", None)
        for name, spec in models:
            mix = quant or candidates(spec, None)[0]
            plan = planned(spec, box, find_engine(ENGINE), mix, Wishes(context_tokens=context_tokens))
            if plan is not None and plan.fits and plan.speed.decode is not None and plan.speed.decode.tokens_per_s >= floor:
                found = Tier(row["tier"], box, name, plan)
                break
        yield found
