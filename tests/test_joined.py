"""Machines joined over a network: whose cards come first, what crosses, what is said and refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sizeup import fit, machine
from sizeup.errors import UserError
from sizeup.hardware import Disk
from sizeup.throughput import crossing_bytes

MODEL = "Qwen/Qwen3-32B"


def test_lent_cards_come_first_and_keep_their_memory() -> None:
    """The engine puts RPC devices before its own; host memory of the others is not used."""
    box = machine("2x rtx-3090 and rtx-4090 over 10gbe")
    assert [(device.name, device.pool, bool(device.node)) for device in box.devices] == [
        ("GeForce RTX 4090", "vram:0", True),
        ("GeForce RTX 3090", "vram:1", False),
        ("GeForce RTX 3090", "vram:2", False),
    ]
    assert box.pool("ram") == machine("2x rtx-3090").pool("ram")
    assert [link.bytes_per_s for link in box.links] == [1.25e9]
    assert len(box.nodes) == 2


def test_a_network_costs_time_and_no_memory() -> None:
    """The same cards in one box need the same bytes and are faster; a slower network is slower, most of all for prompts."""
    here, ten, one = (fit(MODEL, name, quant="Q4_K_M")[0] for name in (
        "2x rtx-4090", "rtx-4090 and rtx-4090 over 10gbe", "rtx-4090 and rtx-4090 over 1gbe",
    ))  # fmt: skip
    assert here.breakdown.by_pool() == ten.breakdown.by_pool() == one.breakdown.by_pool()
    for metric in ("decode", "prefill"):
        rates = [getattr(plan.speed, metric).tokens_per_s for plan in (one, ten, here)]
        assert rates == sorted(rates)
        assert rates[0] < rates[-1]
    assert "--rpc HOST1:50052" in one.command
    assert "--rpc" not in here.command


def test_a_mac_lends_no_more_than_its_gpu_may_hold() -> None:
    """Of a shared memory the other machine's own limit counts; a Mac that drives keeps its pool beside the lent cards."""
    box = machine("m3-max-64gb and m2-16gb over 10gbe")
    lent = machine("m2-16gb")
    pool = box.pool("vram:0")
    assert pool is not None
    assert pool.free_bytes == min(lent.pools[0].free_bytes, lent.devices[0].limit_bytes or 0)
    plan = fit("Qwen/Qwen3-8B", box, quant="Q8_0")[0]
    assert set(plan.breakdown.by_pool()) == {"unified", "vram:0"}


def test_weights_cross_the_network_once() -> None:
    """Loading waits for the slowest of disk, link and network; a machine whose disk nobody timed says nothing."""
    disk = Disk("/models", 10**12, 10**12, bytes_per_s=2e9)
    alone, joined = (
        replace(machine(name), disks=(disk,)) for name in ("2x rtx-4090", "rtx-4090 and rtx-4090 over 1gbe")
    )  # fmt: skip
    here, there = (fit(MODEL, box, quant="Q4_K_M")[0] for box in (alone, joined))
    weights = [float(there.breakdown.bytes("weights", pool)) for pool in ("ram", "vram:0", "vram:1")]
    assert here.speed.load_s == pytest.approx(sum(weights) / 2e9)
    assert there.speed.load_s == pytest.approx((weights[0] + weights[2]) / 2e9 + weights[1] / 1.25e8)
    assert fit(MODEL, "rtx-4090", quant="Q4_K_M")[0].speed.load_s is None


def test_what_crosses() -> None:
    """One token of a 4,096-wide model after 255 others: activations there and back in F32, and a row of the mask in F16."""
    assert crossing_bytes(1, 4096, 256) == 2 * 4 * 4096 + 2 * 256


@pytest.mark.parametrize(("what", "said"), [
    ("rtx-4090 and rtx-4090", "need a network"),
    ("rtx-4090 and rtx-4090 over wifi", "“wifi”"),
    ("rtx-4090 and raspberry-pi-5-8gb over 1gbe", "no GPU to lend"),
])  # fmt: skip
def test_what_cannot_be_joined(what: str, said: str) -> None:
    """A sentence that names what is missing."""
    with pytest.raises(UserError, match=said):
        machine(what)
