"""Ranking models for a machine: never empty, never beaten by what it left out, and as the engine accounts."""

from __future__ import annotations

import json
import random

import pytest
from tools import build_ranking, recommendations

import sizeup
from sizeup.errors import NotFound, UserError
from sizeup.outline import room
from sizeup.probe import machine
from sizeup.recommend import _choices, _scored, models, ranking
from sizeup.search import fit
from sizeup.shortlist import listed
from sizeup.wishes import Wishes, eligible
from tests.program import Run

MACHINES = ("rtx-4090", "2x rtx-3090", "m2-16gb", "raspberry-pi-5-8gb")
EVERY = [model.id for model in listed()]
SAMPLE = random.Random(7).sample(range(len(EVERY)), 6)


def check_columns(place: int) -> None:
    """The shipped columns of one model are the engine's accounting."""
    model = listed()[place]
    built = build_ranking.build([model.facts["number"]])
    assert [*model.columns] == [*built["columns"]]
    assert model.facts == built["models"][0]


@pytest.mark.parametrize("place", SAMPLE, ids=[EVERY[place] for place in SAMPLE])
def test_columns_are_what_the_engine_accounts(place):
    """One formula, one place: the generated table equals account() for every model, mix and context it holds (a sample of models)."""
    check_columns(place)


@pytest.mark.full
@pytest.mark.parametrize("place", range(len(EVERY)), ids=EVERY)
def test_all_columns_are_what_the_engine_accounts(place):
    """The same for every model."""
    check_columns(place)


@pytest.mark.parametrize("name", MACHINES)
def test_an_outline_is_the_plan(name):
    """What the ranking says of a model is what `fit` plans: it fits, memory within a tenth (repacked copies aside), speed inside its range."""
    for choice in models(name, limit=4):
        plan = choice.plan()
        assert plan.fits
        assert plan.speed.decode.lower <= choice.speed.tokens_per_s <= plan.speed.decode.upper
        bare = fit(choice.model, name, quant=choice.quant, context_tokens=choice.context_tokens, repack=False)[0].breakdown
        assert choice.outline.needed_bytes == pytest.approx(sum(bare.needed_bytes(pool) for pool in bare.by_pool()), rel=0.1)


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_left_out_is_better(name):
    """Stopping early loses nothing: the first rows of a long ranking are the short ranking."""
    box = machine(name)
    short, long = ranking(box, Wishes("code"), 5), ranking(box, Wishes("code"), 500)
    assert [choice.model for choice in short.choices] == [choice.model for choice in long.choices[:5]]
    assert [choice.worth for choice in long.choices] == sorted((choice.worth for choice in long.choices), reverse=True)


@pytest.mark.parametrize("name", ["rtx-3060-12gb", "8x h100", "rtx-4090 and 2x rtx-3090 over 10gbe"])
def test_skipping_loses_nothing(name):
    """Every model in every mix, outlined one by one, has no better one than the ranking, which skips what cannot win."""
    box, wishes = machine(name), Wishes("code").checked()
    where = room(box, wishes.context_tokens)
    every = [choice for model, score in _scored(wishes) for choice in _choices(model, score, where, wishes)]
    kept = [c for c in every if c.outline.fits and (c.speed is None or c.speed.tokens_per_s >= wishes.floor())]
    found = ranking(box, wishes, 1000).choices
    assert max(kept, key=lambda choice: choice.worth) == found[0]
    best = {choice.model: max(c.worth for c in kept if c.model == choice.model) for choice in found}
    assert best == {choice.model: choice.worth for choice in found}


def test_a_network_costs_pace():
    """Cards joined over a network hold as much as in one machine, and are slower."""
    apart, together = (models(name, limit=3) for name in ("rtx-3090 and rtx-3090 over 10gbe", "2x rtx-3090"))
    rates = {(choice.model, choice.quant): choice.speed.tokens_per_s for choice in together}
    shared = [choice for choice in apart if (choice.model, choice.quant) in rates]
    assert shared
    assert all(choice.speed.tokens_per_s < rates[choice.model, choice.quant] for choice in shared)


def test_every_wish_is_kept():
    """Whatever is listed meets every wish."""
    wishes = Wishes("chat", 32_768, "Q4_K_M", 10.0, "permissive", "zh", "image", "2025-06").checked()
    found = ranking("rtx-4090", wishes, 20)
    assert found.met
    for choice in found.choices:
        assert eligible(choice.listed, wishes)
        assert (choice.quant, choice.context_tokens) == ("Q4_K_M", 32_768)
        assert choice.speed.tokens_per_s >= 10
        assert choice.listed.facts["license"] in ("apache-2.0", "mit")
        assert "image" in choice.listed.facts["modality"]
        assert choice.listed.facts["date"] >= "2025-06"


@pytest.mark.parametrize(
    ("name", "wishes", "blamed"),
    [
        ("raspberry-pi-5-8gb", Wishes(slowest_tokens_per_s=5000.0), "slowest"),
        ("rtx-4090", Wishes(newer_than="2030"), "newer_than"),
        ("rtx-4090", Wishes(license="glm-5.3"), "license"),
    ],
)
def test_an_impossible_wish_gets_the_nearest_and_the_reason(name, wishes, blamed):
    """Never an empty table: which wish excludes how many, and the nearest without it."""
    found = ranking(name, wishes)
    assert not found.met
    assert found.choices
    assert found.excluded[blamed] > 0


def test_a_machine_that_holds_nothing_gets_what_misses_least():
    """Where no model fits at all the smallest shortfalls are shown."""
    found = ranking(machine("raspberry-pi-5-8gb", ram="64MiB"), Wishes())
    assert not found.met
    assert [choice.outline.missing_bytes for choice in found.choices] == sorted(choice.outline.missing_bytes for choice in found.choices)
    assert found.choices[0].outline.missing_bytes > 0


def test_pictures_need_a_model_that_sees_and_embedding_one_that_embeds():
    """A task that needs more than text lists only models that have it; no encoder is offered for a chat."""
    assert all("image" in choice.listed.facts["modality"] for choice in models("rtx-4090", task="vision"))
    words = ("embed", "e5", "bge", "gte", "harrier")
    for choice in models("rtx-4090", task="embedding"):
        assert choice.listed.facts["modality"] == "text-encoder" or any(word in choice.model.lower() for word in words)
    assert not any("gpt2" in choice.model for choice in models("raspberry-pi-5-8gb", slowest_tokens_per_s=50, license="mit"))
    assert not any(choice.listed.facts["modality"] == "text-encoder" or choice.listed.facts["base"] for choice in models("rtx-4090"))


@pytest.mark.parametrize(
    ("wish", "hint"),
    [({"task": "chatt"}, "chat"), ({"license": "apache"}, "apache-2.0"), ({"license": "gpl"}, "permissive"), ({"newer_than": "soon"}, "2026, 2026-03 or 2026-03-15"),
     ({"modality": "smell"}, "vision, audio, text"), ({"slowest_tokens_per_s": -1.0}, "10"), ({"quant": "F16"}, "Q8_0")],
)  # fmt: skip
def test_nonsense_is_refused_with_a_way_out(wish, hint):
    """A wish that makes no sense is an error with the nearest that does."""
    with pytest.raises(UserError) as error:
        models("rtx-4090", **wish)
    assert hint in error.value.hint
    with pytest.raises(NotFound):
        models("rtx-4090", quant="Q9_Z")


def test_the_page_is_what_the_tool_makes():
    """docs/recommendations.md is generated: its beginning, with the first two machines, is made again."""
    assert recommendations.PAGE.read_text().startswith(recommendations.page(2).rstrip())


def test_models_from_the_command_line(sizeup: Run):
    """The verb answers as JSON with a score, its basis and bytes; --why explains one model with sources."""
    told = json.loads(sizeup("models", "--on", "rtx-4090", "--for", "code", "--limit", "3", "--json").out)
    assert (told["met"], told["task"], len(told["models"])) == (True, "code", 3)
    for model in told["models"]:
        assert model["score"]["lower"] <= model["score"]["value"] <= model["score"]["upper"]
        assert isinstance(model["needed_bytes"], int)
    why = sizeup("models", "--on", "rtx-4090", "--for", "code", "--why", "Qwen/Qwen3-32B").out
    assert "Aider polyglot pass@2" in why
    assert "https://" in why


def test_models_are_public():
    """`sizeup.models` answers from Python."""
    best = sizeup.models("rtx-3060-12gb", task="chat", limit=1)[0]
    assert best.outline.fits
    assert fit(best.model, "rtx-3060-12gb", quant=best.quant)[0].fits
