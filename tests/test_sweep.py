"""Sweeps: every row is a plan's own number, whatever was grouped on the way. No table is read or written here."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup.engines import engine as find_engine
from sizeup.errors import Refused
from sizeup.facts import data_json
from sizeup.hardware import Machine
from sizeup.plan import Plan
from sizeup.probe import machine
from sizeup.readers import catalogue, catalogue_data
from sizeup.readers.config import spec_from_config
from sizeup.search import make_plan
from sizeup.sweep.classes import classes, without_machines
from sizeup.sweep.group import PLACEMENTS, Asked, answer
from sizeup.sweep.shapes import Shapes, bare, shape_key

LLAMACPP = find_engine("llama.cpp")
MACHINES = ("rtx-4090", "2x rtx-3090", "raspberry-pi-5-8gb", "m4-max-128gb", "rx 7900 xtx", "a100-80gb")
NUMBERS = st.sampled_from(range(len(catalogue_data.index().ids)))


def alone(number: int, box: Machine, mix: str, context: int, kv: tuple[str, str]) -> Plan | None:
    """The plan that the search would make of each placement in turn: the first that fits, else the one that misses least."""
    found: list[Plan] = []
    for layers in ("all", 0) if any(box.pool(device.pool) for device in box.devices) else (0,):
        given = {"context_tokens": context, "k": kv[0], "v": kv[1], "gpu_layers": layers}
        chosen = LLAMACPP.on(LLAMACPP.Settings(**given), box, given)
        try:
            found.append(make_plan(catalogue.spec(number), box, LLAMACPP, mix, chosen, timed=False))
        except Refused:
            continue
    best = None
    for plan in found:
        if best is None or (not best.fits and least(plan) > least(best)):
            best = plan
    return best


def least(plan: Plan) -> int:
    return min(plan.free_bytes.values())


@settings(max_examples=12)
@given(
    numbers=st.lists(NUMBERS, min_size=1, max_size=3, unique=True),
    names=st.lists(st.sampled_from(MACHINES), min_size=1, max_size=3, unique=True),
    mixes=st.lists(st.sampled_from(["Q8_0", "Q4_K_M", "IQ2_XXS", "MXFP4_MOE"]), min_size=1, max_size=2, unique=True),
    contexts=st.lists(st.integers(1, 200_000), min_size=1, max_size=3, unique=True),
    kv=st.lists(st.sampled_from([("f16", "f16"), ("q8_0", "q8_0"), ("q8_0", "f16")]), min_size=1, max_size=2, unique=True),
)
def test_every_row_is_its_plan(
    numbers: list[int], names: list[str], mixes: list[str], contexts: list[int], kv: list[tuple[str, str]]
) -> None:
    """Bytes on cards and in host memory, the room in the fullest pool, the placement and every refusal, as `make_plan` has them."""
    boxes = {name: machine(name) for name in names}
    kinds, of = classes(boxes.items(), LLAMACPP)
    asked = Asked(tuple(mixes), tuple(contexts), tuple(kv), kinds)
    group = [(f"{number:016x}", str(number), catalogue_data.record(number)[1]) for number in numbers]
    found = answer(group, asked)
    assert [row["error"] for row in found.shapes] == [""] * len(numbers)
    assert found.cells is not None
    rows = [dict(zip(found.cells, row, strict=True)) for row in zip(*(column.tolist() for column in found.cells.values()), strict=True)]
    assert len(rows) == len(numbers) * asked.cells_a_shape
    for name, box in boxes.items():
        for row in rows:
            if kinds[row["class"]].key != of[name]:
                continue
            plan = alone(int(row["shape"], 16), box, mixes[row["quant"]], contexts[row["context"]], kv[row["kv"]])
            assert row["refused"] == (plan is None)
            if plan is None:
                continue
            host = plan.breakdown.needed_bytes("ram")
            cards = sum(plan.breakdown.needed_bytes(pool) for pool in plan.breakdown.by_pool() if pool != "ram")
            layers = {"card": "all", "host": 0}[PLACEMENTS[row["placement"]]]
            assert (row["card_bytes"], row["host_bytes"], row["room_bytes"]) == (cards, host, least(plan))
            assert layers == plan.settings.gpu_layers


def test_machines_that_no_cell_tells_apart_are_one_class() -> None:
    """A class is what starts the engine alike with the same memory free; a name is not part of it."""
    boxes = [
        ("4090", machine("rtx-4090")),
        ("the same", dataclasses.replace(machine("rtx-4090"), name="other")),
        ("3090", machine("rtx-3090")),
    ]
    kinds, of = classes(boxes, LLAMACPP)
    assert of["4090"] == of["the same"]
    assert {kind.key for kind in kinds} == set(of.values())


def test_without_machines_there_are_two_placements_and_no_verdict() -> None:
    """Bytes alone: everything on one card, everything in host memory."""
    kinds = without_machines(LLAMACPP)
    assert [(kind.key, kind.free_bytes) for kind in kinds] == [("card", {}), ("host", {})]
    number = catalogue_data.index().numbers["Qwen/Qwen3-8B"]
    found = answer([("0", "x", catalogue_data.record(number)[1])], Asked(("Q8_0",), (4096,), (("f16", "f16"),), kinds))
    assert found.cells is not None
    plans = [
        LLAMACPP.account(catalogue.spec(number), "Q8_0", LLAMACPP.Settings(context_tokens=4096, gpu_layers=layers, cpu_features=()))
        for layers in ("all", 0)
    ]
    assert found.cells["card_bytes"].tolist() == [plan.needed_bytes("vram:0") for plan in plans]
    assert found.cells["host_bytes"].tolist() == [plan.needed_bytes("ram") for plan in plans]


@settings(max_examples=30)
@given(number=NUMBERS)
def test_keys_that_tell_no_shape_apart_change_no_number(number: int) -> None:
    """A config without the keys that are passed over is the same model: layers, tensors, and every claim."""
    config = catalogue_data.record(number)[1]
    whole, less = spec_from_config(config, "x"), spec_from_config(bare(config), "x")
    assert whole == less
    chosen = LLAMACPP.Settings(context_tokens=4096, gpu_layers="all", cpu_features=())
    try:
        expected = LLAMACPP.account(whole, "Q4_K_M", chosen).to_json()
    except Refused:
        return
    assert LLAMACPP.account(less, "Q4_K_M", chosen).to_json() == expected


@given(key=st.sampled_from(data_json("sweep.json")["unread_keys"]), value=st.one_of(st.integers(), st.text(max_size=5), st.booleans()))
def test_the_key_of_a_shape_sees_sizes_and_nothing_else(key: str, value: Any) -> None:
    """Order and unread keys do not matter; a width does, and so does a null, which is not what a missing key is."""
    config = {"model_type": "llama", "hidden_size": 4096, "text_config": {"head_dim": 128}}
    assert shape_key({**dict(reversed(config.items())), key: value}) == shape_key(config)
    assert shape_key({**config, "sliding_window": None}) != shape_key(config)
    assert shape_key({**config, "hidden_size": 4097}) != shape_key(config)
    assert shape_key({**config, "text_config": {"head_dim": 64}}) != shape_key(config)


@pytest.mark.parametrize(
    "config", [{}, {"model_type": "nothing-known"}, {"model_type": "llama", "hidden_size": "wide"}, {"model_type": ["llama"]}]
)
def test_a_config_that_cannot_be_read_is_a_row_with_its_reason(config: dict[str, Any]) -> None:
    """One bad model ends nothing: its row says why, and the others have their cells."""
    good = catalogue_data.config("Qwen/Qwen3-8B")
    found = answer([("0", "bad", config), ("1", "good", good)], Asked(("Q8_0",), (4096,), (("f16", "f16"),), without_machines(LLAMACPP)))
    assert [bool(row["error"]) for row in found.shapes] == [True, False]
    assert found.cells is not None
    assert set(found.cells["shape"].tolist()) == {"1"}


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "7"])
def test_what_is_no_json_object_has_no_shape(text: str) -> None:
    """A row without a config counts, and nothing more."""
    assert Shapes().key("x", text) == ""
