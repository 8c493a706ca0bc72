"""The longest context that fits: the same as trying every one, in a handful of steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sizeup.crossing import Rooms, last_fitting
from sizeup.engines import engine as find_engine
from sizeup.errors import SizeupError
from sizeup.facts import GIVEN
from sizeup.hardware import Device, Machine, Pool
from sizeup.readers import catalogue, catalogue_data
from sizeup.search import CONTEXT_STEP, longest_context, make_plan

GIB = 1 << 30
LLAMACPP = find_engine("llama.cpp")


def growing(bends: list[tuple[int, int]], fixed: int) -> list[int]:
    """Bytes of every number of steps: each stretch of (steps, bytes a step) goes on from the one before."""
    found = [fixed]
    for steps, slope in bends:
        found += [found[-1] + slope * n for n in range(1, steps + 1)]
    return found


PIECES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1000)), min_size=1, max_size=5)


@given(card=PIECES, host=PIECES, room=st.integers(0, 40_000), refused_from=st.integers(1, 400))
def test_the_last_that_fits_is_found_as_by_trying_all(
    card: list[tuple[int, int]], host: list[tuple[int, int]], room: int, refused_from: int
) -> None:
    """For any two pools that fill along bent lines, refused from some number on."""
    used = list(zip(growing(card, 500), growing(host, 300), strict=False))

    def rooms(n: int) -> Rooms | None:
        return None if n >= refused_from else {"vram:0": room - used[n][0], "ram": room // 2 - used[n][1]}

    every = [n for n in range(1, len(used)) if (left := rooms(n)) is not None and min(left.values()) >= 0]
    assert last_fitting(len(used) - 1, rooms) == max(every, default=0)


@given(slope=st.integers(1, 10**9), room=st.integers(0, 10**12))
def test_one_line_takes_four_steps_at_most(slope: int, room: int) -> None:
    """On a straight line: both ends, the solution, and its neighbour."""
    asked: list[int] = []

    def rooms(n: int) -> Rooms:
        asked.append(n)
        return {"ram": room - slope * n}

    assert last_fitting(4096, rooms) == min(room // slope, 4096)
    assert len(asked) <= 4


def machine(card: int, ram: int) -> Machine:
    pools = [Pool("ram", ram, ram, source=GIVEN)] + ([Pool("vram:0", card, card, source=GIVEN)] if card else [])
    devices = (Device("a card", "NVIDIA", "cuda", "vram:0", source=GIVEN),) if card else ()
    return Machine("a machine", None, tuple(pools), devices, source=GIVEN)


@settings(max_examples=25)
@given(
    number=st.sampled_from(range(len(catalogue_data.index().ids))),
    mix=st.sampled_from(["Q8_0", "Q4_K_M", "Q2_K"]),
    card=st.integers(0, 96),
    ram=st.integers(2, 256),
    manner=st.fixed_dictionaries(
        {
            "k": st.sampled_from(["f16", "q8_0"]),
            "sequences": st.sampled_from([1, 1, 3]),
            "swa_full": st.booleans(),
            "cpu_features": st.just(()),
        }
    ),
)
def test_the_longest_context_fits_and_one_step_more_does_not(number: int, mix: str, card: int, ram: int, manner: dict[str, Any]) -> None:
    """Over random models, machines and settings: the same as halving finds, and as trying it out says."""
    spec, box = catalogue.spec(number), machine(card * GIB // 2, ram * GIB // 2)
    chosen = LLAMACPP.Settings(context_tokens=CONTEXT_STEP, gpu_layers="all" if card else 0, **manner)

    def fits(context: int) -> bool:
        try:
            return make_plan(spec, box, LLAMACPP, mix, replace(chosen, context_tokens=context), timed=False).fits
        except SizeupError:
            return False

    try:
        plan = make_plan(spec, box, LLAMACPP, mix, chosen, timed=False)
    except SizeupError:
        return
    # Every sequence may be as long as the model was made for.
    limit = (spec.context_tokens or 1_048_576) * manner["sequences"] // CONTEXT_STEP
    longest = longest_context(plan)
    steps = (longest or 0) // CONTEXT_STEP
    assert fits(CONTEXT_STEP) == (longest is not None)
    assert longest is None or fits(longest)
    assert steps in (0, max(limit, 1)) or not fits(longest + CONTEXT_STEP)
    assert steps == halved(limit, fits)


def halved(limit: int, fits: Any) -> int:
    low, high = 0, max(limit, 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * CONTEXT_STEP) else (low, middle - 1)
    return low
