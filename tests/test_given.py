"""What a person knows better of a machine: memory, bandwidth, what other programs hold."""

from __future__ import annotations

import json

import pytest

from sizeup.errors import UserError
from sizeup.hardware import Machine
from sizeup.probe import machine
from sizeup.probe.given import with_given
from tests.program import Run

GIB = 1 << 30


@pytest.fixture(scope="module")
def card() -> Machine:
    return machine("rtx-4090")


def test_memory_of_a_card(card: Machine) -> None:
    """--vram is the card's memory; what the driver keeps of it stays; the source says given."""
    before, pool = card.pool("vram:0"), with_given(card, vram=12 * GIB).pool("vram:0")
    assert before is not None
    assert pool is not None
    assert (pool.bytes, pool.free_bytes) == (12 * GIB, 12 * GIB - (before.bytes - before.free_bytes))
    assert (pool.source.kind, pool.source.where) == ("given", "--vram")


def test_what_others_hold(card: Machine) -> None:
    """--in-use takes from the first card, or from the pool that it names; the size keeps its source."""
    found = with_given(card, in_use=[("", 2 * GIB), ("ram", 5 * GIB)])
    before, vram, ram = card.pool("vram:0"), found.pool("vram:0"), found.pool("ram")
    assert before is not None
    assert vram is not None
    assert ram is not None
    assert (vram.bytes - vram.free_bytes, ram.bytes - ram.free_bytes) == (2 * GIB, 5 * GIB)
    assert (vram.source, vram.free_source and vram.free_source.kind) == (before.source, "given")
    assert found.devices[0].others_bytes == 2 * GIB


def test_bandwidth(card: Machine) -> None:
    """--bandwidth is of the cards unless a pool is named."""
    found = with_given(card, bandwidth=[("", 400 * 10**9), ("ram", 60 * 10**9)])
    assert [(p.name, p.bytes_per_s, p.bandwidth_source.kind) for p in found.pools] == [("ram", 6e10, "given"), ("vram:0", 4e11, "given")]


@pytest.mark.parametrize("name", ["m3-max-64gb", "raspberry-pi-5-8gb"])
def test_no_card(name: str) -> None:
    """A machine without a card's own memory has none to give."""
    with pytest.raises(UserError, match="no card with memory of its own"):
        with_given(machine(name), vram=GIB)


@pytest.mark.parametrize(
    "options",
    [["--in-use", "100GiB"], ["--bandwidth", "0GB/s"], ["--bandwidth", "400GB"], ["--in-use", "vram:7=1GiB"], ["--vram", "24G"]],
)
def test_mistakes(sizeup: Run, options: list[str]) -> None:
    """What cannot be is one sentence, exit 2."""
    said = sizeup("plan", "qwen3:8b", "--on", "rtx-4090", *options)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 2)


def test_this_machine_too(sizeup: Run) -> None:
    """This machine's memory and bandwidth may be other than they are; the terminal says what is given."""
    said = sizeup("plan", "qwen3:8b", "--ram", "512GiB", "--bandwidth", "ram=77GB/s", "--json")
    content = json.loads(said.out)
    assert said.code == 0
    assert content["free_bytes"]["ram"] > 400 * GIB
    assert "77 GB/s, given" in sizeup("plan", "qwen3:8b", "--ram", "512GiB", "--bandwidth", "ram=77GB/s").out


def test_half_the_bandwidth_halves_the_pace(sizeup: Run) -> None:
    """On a card, tokens a second are at most in proportion to the rate of its memory."""

    def decode(*options: str) -> float:
        return float(json.loads(sizeup("plan", "qwen3:8b", "--on", "rtx-4090", "--json", *options).out)["speed"]["decode"]["tokens_per_s"])

    assert 0.5 <= decode("--bandwidth", "504GB/s") / decode() < 0.65
