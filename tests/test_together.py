"""Several models on one machine share its pools, and none takes what another has."""

from __future__ import annotations

import json

import pytest

from sizeup import machine
from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.together import together
from tests.program import Run

TRIO = ["Qwen/Qwen3-8B", "google/gemma-3-4b-it", "Qwen/Qwen3-0.6B"]


def test_what_stays_adds_up_to_what_is_gone() -> None:
    """In every pool: what was free less what all that stay need is what is left, and it is never less than nothing."""
    box = machine("rtx-3060-12gb")
    found = together(TRIO, box)
    assert found.fits
    assert found.swap_s == 0
    for pool in box.pools:
        needed = sum(plan.breakdown.needed_bytes(pool.name) for plan in found.plans)
        assert found.left_bytes[pool.name] == pool.free_bytes - needed >= 0
    assert [plan.model.name for plan in found.plans] == TRIO


def test_what_has_no_room_is_swapped() -> None:
    """Two that fit alone and not together: the smaller has a plan of the whole machine, and waits for its turn."""
    found = together(["Qwen/Qwen3-14B", "google/gemma-3-12b-it"], machine("raspberry-pi-5-16gb"), quant="Q4_K_M", context_tokens=2048)
    assert not found.fits
    assert found.resident == (True, False)
    assert all(plan.fits for plan in found.plans)
    assert found.swap_s is None


def test_one_is_not_together() -> None:
    """One model is no company."""
    with pytest.raises(UserError):
        together(["Qwen/Qwen3-8B"], machine("rtx-4090"))


def test_the_verb(sizeup: Run) -> None:
    """Exit 0 when all stay, 3 when not; two models without --together are refused."""
    content = json.loads(sizeup("fit", *TRIO, "--together", "--on", "rtx-4090", "--json").out)
    assert content["fits"]
    assert [row["resident"] for row in content["models"]] == [True] * 3
    assert (
        sizeup("fit", "Qwen/Qwen3-14B", "google/gemma-3-12b-it", "--together", "--on", "raspberry-pi-5-16gb", "--quant", "Q4_K_M").code == 3
    )
    assert sizeup("fit", *TRIO).code == 2


def test_described_models_take_a_card_whole() -> None:
    """SDXL's 3.417 billion weights at 16 bits lie on the card, and the language model gets what is left of it."""
    box = machine("rtx-3060-12gb")
    found = together(["Qwen/Qwen3-8B", "sdxl"], box, quant="Q4_K_M", context_tokens=4096)
    (one,) = found.beside
    assert (one.footprint.bytes, one.pool) == (2 * 3_417_000_000, "vram:0")
    (plan,) = found.plans
    card = box.pool("vram:0")
    assert card is not None
    assert found.left_bytes["vram:0"] == card.free_bytes - one.footprint.bytes - plan.breakdown.needed_bytes("vram:0") >= 0
    assert found.fits


def test_a_described_model_without_room_is_said() -> None:
    """FLUX at 16 bits on an 8 GB board: nothing holds it, and the whole does not fit."""
    found = together(["Qwen/Qwen3-0.6B", "FLUX"], machine("raspberry-pi-5-8gb"))
    assert [one.pool for one in found.beside] == [""]
    assert not found.fits


def test_every_footprint_has_a_source() -> None:
    """Each row gives either what its program takes or its parameters, and says from where; the encoder is counted from its config."""
    facts = data_json("footprints.json")
    for row in facts["rows"]:
        assert ("memory_bytes" in row) != ("parameters" in row)
        assert row["source"]
    width, feed, vocabulary, layers, buckets_by_heads = 4096, 10240, 32128, 24, 32 * 64
    encoder = layers * (4 * width**2 + 3 * width * feed + 2 * width) + vocabulary * width + width + buckets_by_heads
    assert next(row for row in facts["rows"] if row["name"] == "flux.1-dev")["parameters"]["t5 encoder"] == encoder
