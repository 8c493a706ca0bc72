"""Training plans: FLOPs from the layers, what follows from device hours, budgets, mistakes, what is printed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import sizeup as package
from sizeup.budget import parse_budget
from sizeup.errors import NotFound, UserError
from sizeup.i18n import LANGUAGES, texts
from sizeup.layers import Attention, Block, Embedding, Extras, Head, LatentAttention, Mlp
from sizeup.model import Group
from sizeup.page import Page, cells
from sizeup.pretraining import pretrain
from sizeup.render.pretraining import pretraining, short
from sizeup.training_flops import chunk_tokens, seen_tokens, token_flops
from sizeup.training_runs import training_flops_per_s
from tests import answers
from tests.program import Run


@pytest.mark.parametrize(("sequence", "window"), [(1, 0), (7, 0), (7, 3), (7, 7), (7, 100), (64, 1)])
def test_seen_tokens_is_a_count(sequence: int, window: int) -> None:
    """The mean of what each token of a sequence sees, counted one by one."""
    each = [min(place + 1, window or sequence) for place in range(sequence)]
    assert seen_tokens(sequence, window) == pytest.approx(sum(each) / sequence)


@pytest.mark.parametrize(("sequence", "chunk"), [(7, 3), (9, 3), (2, 5), (64, 64)])
def test_chunk_tokens_is_a_count(sequence: int, chunk: int) -> None:
    """The same inside chunks."""
    each = [place % chunk + 1 for place in range(sequence)]
    assert chunk_tokens(sequence, chunk) == pytest.approx(sum(each) / sequence)


def test_token_flops_by_hand() -> None:
    """A model of two layers, multiplied out: two a weight, four a head's value and seen token, thrice for forward and backward."""
    block = Block((Attention(4, 2, 8, 8),), Mlp(64), Extras(()))
    model = replace(
        answers.QWEN3_8B, hidden=32, embedding=Embedding(100), head=Head(100, True), vocabulary=100, groups=(Group(block, (0, 1)),), card={}
    )
    weights = 32 * (32 + 16 + 16) + 32 * 32 + 3 * 32 * 64
    seen = (128 + 1) / 2
    found = token_flops(model, 128)
    assert (found.blocks, found.head, found.mixing) == (2 * 2 * weights, 2 * 100 * 32, 2 * 4 * 4 * 8 * seen)
    assert found.rule == 6 * (2 * weights + 100 * 32)
    assert found.model == 3 * (found.blocks + found.head + found.mixing)
    assert found.spent("selective") == found.model + found.mixing
    assert found.spent("full") == found.model + found.mixing + found.blocks


def test_latent_attention_trains_multiplied_out() -> None:
    """Absorbed projections serve one token at a time; in training the heads' own widths count."""
    latent = LatentAttention(16, 0, 512, 128, 64, 128)
    models = [
        replace(answers.QWEN3_8B, groups=(Group(Block((replace(latent, absorbed=kind),), None, Extras(())), (0,)),))
        for kind in (True, False)
    ]
    absorbed, apart = (token_flops(model, 4096) for model in models)
    assert absorbed.mixing == apart.mixing == 2 * 16 * (128 + 64 + 128) * 4097 / 2


def test_hours_follow_from_flops() -> None:
    """Tokens double the hours, devices divide the days, the price and the power multiply the hours."""
    once, twice = (pretrain(parameters="1B", tokens=count, gpus=8, gpu="h100 sxm").plans[0] for count in (10**10, 2 * 10**10))
    cost = once.cost
    assert twice.cost.device_hours.middle == pytest.approx(2 * cost.device_hours.middle)
    assert cost.days is not None
    assert cost.days.middle * 24 * 8 == pytest.approx(cost.device_hours.middle)
    assert cost.usd is not None
    assert cost.usd_per_device_hour is not None
    assert cost.usd.high == pytest.approx(cost.device_hours.high * cost.usd_per_device_hour.high)
    assert cost.kwh is not None
    assert cost.kwh.middle == pytest.approx(cost.device_hours.middle * 0.7)
    assert cost.tokens_per_s is not None
    assert cost.tokens_per_s.middle * cost.device_hours.middle * 3600 / 8 == pytest.approx(10**10)


def test_plans_of_a_model() -> None:
    """A model's plans: the best number of tokens, and as many as the Llama 3 run nearest in size; with its own layers."""
    found = package.pretrain("llama3.1:8b")
    assert [plan.kind for plan in found.plans] == ["compute_optimal", "over_trained"]
    best, over = found.plans
    assert 18 < best.tokens_per_parameter < 28
    assert (over.tokens, found.layered, found.sequence_tokens) == (15 * 10**12, True, 8192)
    assert best.cost.flops > best.rule_flops
    assert over.loss.middle < best.loss.middle


def test_a_mixture_goes_by_its_active_parameters() -> None:
    """Tokens and FLOPs follow the weights that a token meets."""
    found = package.pretrain("deepseek-ai/DeepSeek-V3", gpu="h100 sxm")
    assert found.active_parameters < found.parameters / 10
    assert found.plans[0].tokens < 40 * found.active_parameters


def test_more_than_any_law() -> None:
    """Where Llama 3's tokens are fewer than the best there is no over-trained plan."""
    assert [plan.kind for plan in pretrain(parameters=5 * 10**12).plans] == ["compute_optimal"]


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [("1e23FLOP", 1e23, "flop"), ("1e23 flops", 1e23, "flop"), ("50000h", 5e4, "hour"), ("50k gpu-hours", 5e4, "hour"), ("$200k", 2e5, "usd"), ("1,000 USD", 1e3, "usd")],
)  # fmt: skip
def test_budgets(text: str, amount: float, unit: str) -> None:
    """A budget as people write it."""
    budget = parse_budget(text)
    assert (budget.amount, budget.unit) == (pytest.approx(amount), unit)


@pytest.mark.parametrize("text", ["", "much", "5", "$5h", "-3h", "0h", "1e999FLOP", "5 euro", "nanh", "١h"])
def test_no_budgets(text: str) -> None:
    """Anything else is one sentence with examples."""
    with pytest.raises(UserError, match="budget") as caught:
        parse_budget(text)
    assert "--budget" in caught.value.hint


@pytest.mark.parametrize("budget", ["1e23FLOP", "50000h", "$200k"])
def test_a_budget_is_spent(budget: str) -> None:
    """Without a size the best one is told, and its plan costs the budget; with a size, so many tokens that it does."""
    whole, sized = pretrain(budget=budget, gpu="h100 sxm"), pretrain(budget=budget, parameters="1B", gpu="h100 sxm")
    assert whole.size_spread is not None
    assert whole.size_spread.low <= whole.parameters <= whole.size_spread.high
    for found in (whole, sized):
        plan = found.plans[0]
        wanted = parse_budget(budget)
        got = {"flop": plan.cost.flops, "hour": plan.cost.device_hours.middle, "usd": plan.cost.usd and plan.cost.usd.middle}[wanted.unit]
        assert (plan.kind, got) == ("budget", pytest.approx(wanted.amount, rel=1e-6))


def test_geforce_trains_at_half_rate() -> None:
    """Sums in 32 bits halve a GeForce card's rate, no other's."""
    card, server = (package.machine(name).devices[0] for name in ("rtx-4090", "h100 sxm"))
    assert training_flops_per_s(card) == pytest.approx((card.flops_per_s or 0) / 2)
    assert training_flops_per_s(server) == server.flops_per_s


def test_what_is_unknown_stays_unknown() -> None:
    """A Mac has no rental price and no stated power here: null, never zero."""
    cost = pretrain(parameters="100M", on="m3 max").plans[0].cost
    assert (cost.usd, cost.kwh) == (None, None)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "Neither a model nor its size is given."),
    ({"parameters": "8B", "gpus": 0}, "0 GPUs train nothing."),
    ({"parameters": 0}, "0 parameters are none."),
    ({"parameters": -8}, "-8 parameters are none."),
    ({"parameters": 10**30}, "beyond anything"),
    ({"parameters": "8B", "tokens": 0}, "0 tokens are none."),
    ({"parameters": "8B", "tokens": "1T", "budget": "$5"}, "both say how long"),
    ({"parameters": "8B", "days": 0}, "0 days are no time"),
    ({"parameters": "8B", "days": float("nan")}, "days are no time"),
    ({"parameters": "8B", "on": "8x h100", "gpus": 3}, "--on names its own devices."),
    ({"parameters": "8B", "on": "raspberry-pi-5-8gb"}, "Nobody says how fast"),
    ({"parameters": "8B", "on": "rtx 4090 + rtx 3090"}, "devices of several kinds"),
    ({"parameters": "8B", "recompute": "some"}, "“some” is not a kind of checkpointing."),
    ({"parameters": "8B", "sequence_tokens": 0}, "A sequence of 0 tokens is empty."),
    ({"model": "llama3.1:8b", "parameters": "8B"}, "A model has its own number of parameters."),
    ({"model": "llama3.1:8b", "sequence_tokens": 10**9}, "beyond the 131,072 that the model is made for"),
    ({"parameters": "8B", "budget": "$5", "gpu": "m3 max"}, "No dated price"),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_mistakes(asked: dict[str, Any], message: str) -> None:
    """Each mistake names the two facts that clash, with a way out, in three languages."""
    with pytest.raises(UserError) as caught:
        pretrain(**asked)
    assert message in caught.value.message
    assert caught.value.hint
    assert all(texts(language).sentence(caught.value.message) != caught.value.message for language in LANGUAGES[1:])


def test_unknown_gpu() -> None:
    """A device that nobody knows is not found."""
    with pytest.raises(NotFound):
        pretrain(parameters="8B", gpu="no-such-gpu")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [40, 60, 80])
def test_pages(language: str, width: int) -> None:
    """Three plans on a page: no line is wider than it, and every plan's hours are there where there is room."""
    found = pretrain("llama3.1:8b", tokens="1T", gpus=512, gpu="h100 sxm", days=14)
    lines = pretraining(Page(texts(language), width), found).splitlines()
    assert max(map(cells, lines)) <= width
    if width == 80:
        assert sum(short(found.plans[place].cost.device_hours.middle) in "\n".join(lines) for place in range(3)) == 3


def test_short_numbers() -> None:
    """Three digits and a letter; a number that rounds up to the next letter takes it."""
    assert [short(n) for n in (0.5, 7.25, 164.4, 999.6, 15_200, 1e9, 15e12)] == ["0.5", "7.25", "164", "1K", "15.2K", "1B", "15T"]


def test_program(sizeup: Run) -> None:
    """The verb: text, JSON with intervals and sources, a derivation; mistakes end with 2."""
    said = sizeup("pretrain", "--parameters", "8B")
    assert (said.code, said.err) == (0, "")
    found = json.loads(sizeup("pretrain", "llama3.1:8b", "--json", "--tokens", "15T", "--gpus", "512", "--gpu", "h100").out)
    hours = found["plans"][0]["device_hours"]
    assert hours["low"] < hours["middle"] < hours["high"]
    assert hours["source"]["where"].endswith("data/training_runs.csv")
    line = json.loads(sizeup("pretrain", "--parameters", "8B", "--why", "--json").out)["derivation"][0]
    assert line["value"] == pytest.approx(pretrain(parameters="8B").plans[0].cost.device_hours.middle)
    wrong = sizeup("pretrain", "--parameters", "8B", "--budget", "much", "--lang", "zh-Hant")
    assert (wrong.code, "「much」不是預算。" in wrong.err) == (2, True)
