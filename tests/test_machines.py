"""Which machines suit a model: wishes are met or named, prices are dated or unknown, arithmetic is plain."""

from __future__ import annotations

import json

import pytest

import sizeup
from sizeup.facts import data_json
from sizeup.markets import Wishes, boxes, chosen, excluded, survey
from sizeup.offers import break_even_hours, supply, usd_per_million
from tests.program import Run

SMALL = "Qwen/Qwen3-8B"


def test_every_build_is_a_machine_that_is_known() -> None:
    """Each row of data/builds.json names a machine with memory, and each rental's device is in the table."""
    found = list(boxes())
    assert len(found) > len(data_json("builds.json")["buy"]) > 60
    assert all(any(pool.bytes for pool in box.pools) for box, *_ in found)


def test_what_is_offered_meets_every_wish() -> None:
    """Nothing slower than asked, dearer than the budget or of more power; a price that nobody knows meets no budget."""
    offers = sizeup.machines(SMALL, users=4, slowest_tokens_per_s=15, budget_usd=700, watts=260, rent=False)
    assert offers
    for offer in offers:
        assert offer.plan.fits
        assert offer.misses == ()
        assert offer.usd is not None
        assert offer.usd <= 700
        assert offer.watts is not None
        assert offer.watts <= 260
        assert offer.tokens_per_s is not None
        assert offer.tokens_per_s >= 15
        assert int(offer.plan.settings.sequences) == 4
        assert int(offer.plan.settings.context_tokens) == 4 * 8192
    assert [offer.usd for offer in offers] == sorted(offer.usd or 0 for offer in offers)


def test_an_impossible_wish_gets_the_nearest() -> None:
    """400 billion weights at 50 tokens a second for the power of a board: the fastest that hold them, each with what it misses."""
    found = survey("meta-llama/Llama-3.1-405B-Instruct", Wishes(slowest_tokens_per_s=50, watts=15, rent=False))
    offers = chosen(found, 5)
    assert offers
    assert all(offer.misses for offer in offers)
    assert all(offer.plan.fits for offer in offers)
    kept_out = excluded(found)
    assert kept_out["memory"] + sum(offer.plan.fits for offer in found) == len(found)


def test_money_is_plain_arithmetic() -> None:
    """An hour's price over an hour's tokens; a price over an hour's price; a supply from an assumed rule."""
    assert usd_per_million(3.6, 1000) == 1.0
    assert break_even_hours(1500, 0.5) == 3000
    box = sizeup.machine("rtx-4090")
    watts = sum(device.watts or 0 for device in box.devices)
    assert supply(box) == -(-(watts + 150) * 1.3 // 50) * 50
    assert supply(sizeup.machine("mac-mini-m4-16gb")) is None


def test_prices_are_dated_or_unknown() -> None:
    """Every price bought or rented has a source and a date; whole machines, whose price nobody dated, have none."""
    for offer in survey(SMALL, Wishes()):
        assert (offer.usd is None) == (offer.usd_source is None)
        assert offer.usd_source is None or offer.usd_source.date
        assert offer.rent is None or offer.rent.source.date
        assert offer.kind not in ("whole", "cpu") or offer.usd is None


def test_named_rentals_come_without_a_price() -> None:
    """Colab, Kaggle and the large clouds are rows, after those whose price is known; none meets a budget, since nobody knows."""
    offers = sizeup.machines(SMALL, rent=True, limit=6)
    named = [offer.machine.name for offer in offers if offer.rent is None]
    assert named
    assert set(named) <= set(data_json("builds.json")["rent"])
    assert [offer.machine.name for offer in offers][-len(named) :] == named
    assert all(offer.usd_per_hour is None for offer in offers[-len(named) :])
    assert all(offer.rent for offer in sizeup.machines(SMALL, rent=True, budget_usd=2))


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_the_verb(sizeup: Run, language: str) -> None:
    """Tables of at most 80 cells; JSON with the same machines; exit 3 with the reason when nothing meets the wishes."""
    told = sizeup("machines", SMALL, "--limit", "3", "--lang", language)
    assert told.code == 0
    assert "rtx-5060" in told.out
    none = sizeup("machines", SMALL, "--budget", "1", "--buy", "--lang", language)
    assert none.code == 3
    assert none.out.strip()
    content = json.loads(sizeup("machines", SMALL, "--budget", "1", "--buy", "--json").out)
    assert content["excluded"]["budget"] > 60
    assert all("budget" in row["misses"] for row in content["machines"])


@pytest.mark.parametrize(
    "arguments", [["--users", "0"], ["--budget", "-3"], ["--budget", "much"], ["--rent", "--buy"], ["--limit", "0"], ["--slowest", "0"]]
)
def test_wishes_that_make_no_sense(sizeup: Run, arguments: list[str]) -> None:
    """One sentence and a way out."""
    told = sizeup("machines", SMALL, *arguments)
    assert told.code == 2
    assert told.err.count("\n") == 2
