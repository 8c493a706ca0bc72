"""The device table: every row sourced, dated and plausible; every name given back means its own row; what is no machine is refused."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

import sizeup
from sizeup.engines.llamacpp.engine import LlamaCpp
from sizeup.errors import NotFound, UserError
from sizeup.facts import data_json
from sizeup.probe import machine
from sizeup.probe.described import known, presets, typed, whole_machines
from sizeup.probe.families import instruction_sets
from sizeup.probe.instances import instances, plain
from sizeup.probe.spelling import compact, slug
from sizeup.probe.table import ALONE, FILES, exact, holding, part, parts, processor

GIB = 2**30
FAMILIES = {
    "NVIDIA Kepler", "NVIDIA Maxwell", "NVIDIA Maxwell 2.0", "NVIDIA Pascal", "NVIDIA Volta", "NVIDIA Turing", "NVIDIA Ampere", "NVIDIA Ada",
    "NVIDIA Blackwell", "NVIDIA DC", "NVIDIA GB10", "Jetson", "AMD GCN", "AMD GCN 4.0", "AMD RDNA 1.0", "AMD RDNA 2.0", "AMD RDNA 3.0",
    "AMD RDNA 4.0", "AMD CDNA", "AMD Strix Halo", "AMD iGPU", "Intel Arc", "Intel iGPU", "Intel Gaudi", "Apple M1", "Apple M2", "Apple M3",
    "Apple M4", "Apple M5", "Apple M2 Ultra", "Qualcomm PC", "Qualcomm mobile", "Google TPU", "NPU", "CPU: Raspberry Pi 4", "CPU: Raspberry Pi 5",
    "CPU: AMD Zen 4", "CPU: Intel Raptor Lake", "CPU: Intel Sapphire Rapids",
}  # fmt: skip
RATES = ("bandwidth_GBs", "fp32_TFLOPS", "fp16_dense_TFLOPS", "int8_TOPS", "fp8_TFLOPS", "fp4_TFLOPS", "tdp_W", "launch_price_USD")
SLOWEST_BYTES_PER_S, FASTEST_BYTES_PER_S = 5e9, 3e13


def rows() -> list[dict[str, str]]:
    folder = resources.files("sizeup").joinpath("data", "devices")
    return [row for file in FILES for row in csv.DictReader(folder.joinpath(f"{file}.csv").read_text().splitlines())]


def test_every_row_is_sourced_and_plausible(capsys: pytest.CaptureFixture[str]) -> None:
    """A row has a source that is a citation, a date, a grade, a kind, a generation, and figures that are positive or blank."""
    found = rows()
    for row in found:
        assert len(row["source"]) > 8, row["name"]
        assert "check at" not in row["source"], row["name"]
        assert len(row["date"]) == 10, row["name"]
        assert row["grade"] in ("A", "B", "C"), row["name"]
        assert row["kind"] in ("gpu", "soc", "igpu", "cpu", "accelerator", "npu", "mcu"), row["name"]
        assert row["family"], row["name"]
        assert row["verification"], row["name"]
        assert all(not row[key] or float(row[key]) > 0 for key in RATES), row["name"]
        assert row["memory_bytes"] or row["kind"] not in ("gpu", "accelerator"), row["name"]
    with capsys.disabled():
        print(
            f"\n{len(found)} devices:", ", ".join(f"{name} {count}" for name, count in sorted(Counter(r["family"] for r in found).items()))
        )
    assert len(found) >= 450
    assert {row["family"] for row in found} >= FAMILIES
    assert [name for name, count in Counter(row["name"] for row in found).items() if count > 1] == []


def test_rates_are_possible() -> None:
    """No memory is slower than an old phone's or faster than stacks of HBM4; a card is read once within 2 s; matrix units are no slower."""
    for one in parts():
        if one.bytes_per_s:
            assert SLOWEST_BYTES_PER_S < one.bytes_per_s < FASTEST_BYTES_PER_S, one.name
            assert one.memory_bytes / one.bytes_per_s < (2 if one.kind not in ("cpu", *ALONE) else 20), one.name
        assert one.bytes_per_s or one.kind not in ("gpu", "accelerator"), one.name
        assert one.measured_fraction is None or 0 < one.measured_fraction <= 1, one.name
        if one.fp16_flops and one.fp32_flops:
            # Sparse figures are twice the dense ones: no known unit has more than 32 times its FP32 rate.
            assert 0.99 <= one.fp16_flops / one.fp32_flops <= 32, one.name


def test_every_name_finds_its_own_row() -> None:
    """Whatever name is listed can be given back, also as one types it, and means a machine with that memory and rate."""
    for one in parts():
        if one.kind in ALONE:
            with pytest.raises(UserError, match="neural processor" if one.kind == "npu" else "microcontroller"):
                machine(one.name)
            continue
        assert part(one.name)[0] == one, one.name
        assert part(slug(one.name))[0] == one, one.name
        found = machine(one.name)
        pool = found.pools[1] if one.kind in ("gpu", "accelerator") else found.pools[0]
        assert not one.memory_bytes or pool.bytes == one.memory_bytes, one.name
        assert pool.bytes_per_s == one.bytes_per_s, one.name
        # A Raspberry Pi by its bare name is a preset of one size.
        assert one.memory_bytes or pool.source.kind == "assumed" or plain(one.name) in presets(), one.name
    assert len(known()) > len(parts())


def test_every_other_name_finds_its_row() -> None:
    """A row's other names lead to it, and no two rows claim one."""
    owners: dict[str, str] = {}
    for one in parts():
        for alias in one.aliases:
            assert owners.setdefault(compact(alias), one.name) == one.name
            assert part(alias)[0].name == one.name, alias


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RTX 4090 Laptop", "GeForce RTX 4090 Laptop"),
        ("NVIDIA GeForce RTX 4060 Laptop GPU", "GeForce RTX 4060 Laptop"),
        ("rtx 4090m", "GeForce RTX 4090 Laptop"),
        ("4060ti 16gb", "GeForce RTX 4060 Ti 16GB"),
        ("a100 80gb pcie", "A100 PCIe 80GB"),
        ("M2 Ultra 192GB", "Apple M2 Ultra (76-core GPU)"),
        ("rx 6700m", "Radeon RX 6700M"),
        ("i9-13900K", "Core i9-13900K"),
        ("5950x", "Ryzen 9 5950X"),
        ("AMD Ryzen AI Max+ 395 (Radeon 8060S)", "Radeon 8060S (Max+ 395)"),
        ("rtx pro 6000", "RTX PRO 6000 Blackwell"),
        ("snapdragon-8-gen-3-12gb", "Snapdragon 8 Gen 3"),
    ],
)
def test_loose_names(name: str, expected: str) -> None:
    """People leave out brands, write laptops their own way, and run words together."""
    assert part(name)[0].name == expected


def test_a_generation_and_its_rates() -> None:
    """Constants of speed are looked up by generation; rates are dense, in operations per second."""
    found = part("rtx-4090")[0]
    assert (found.family, found.fp16_flops, found.tdp_watts, found.links) == ("NVIDIA Ada", 330.3e12, 450.0, "PCIe 4.0 x16")
    assert part("h100 sxm")[0].fp16_flops == 989e12
    assert part("Apple M2 Max (38-core GPU)")[0].family == "Apple M2"
    assert part("gtx 1080 ti")[0].int8_ops is not None
    assert exact("NVIDIA GeForce RTX 4090") == found


def test_published_names() -> None:
    """Every device name of the collected benchmark pages is a machine; its generation is the one it was filed under, or a closer one."""
    table = Path(__file__).parent / "data" / "published_devices.csv"
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()):
        assert machine(row["device"]).pools, row["device"]
        found = part(row["device"])[0].family
        # Pages file all Macs under one name, and a box under its processor or under nothing.
        closer = row["family"].startswith(("Apple", "CPU:", "GPU: unmatched")) and found.startswith(
            ("Apple M", "AMD Strix", "AMD i", "Intel i")
        )
        assert found == row["family"] or closer, row["device"]


def test_names_of_drivers() -> None:
    """A driver's name means one row, the memory deciding between cards of one name; a processor is known by what the system calls it."""
    assert all(exact(one.name) == one for one in parts() if one.kind == "gpu")
    assert {size: exact("NVIDIA GeForce RTX 3060", size * GIB).bytes_per_s for size in (8, 12)} == {8: 240e9, 12: 360e9}  # type: ignore[union-attr]
    assert exact("NVIDIA GeForce RTX 3060") is None
    assert processor("13th Gen Intel(R) Core(TM) i9-13900K").family == "CPU: Intel Raptor Lake"  # type: ignore[union-attr]
    assert processor("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz").name == "Xeon E5-2680 v4"  # type: ignore[union-attr]
    assert processor("AMD Ryzen 9 5950X 16-Core Processor").cpu_cores == 16  # type: ignore[union-attr]
    assert processor("AMD EPYC 7763 64-Core Processor").family == "CPU: AMD Zen 3"  # type: ignore[union-attr]
    assert processor("no such processor") is None


def test_one_number_reads_few_rows() -> None:
    """A name with a number is found without reading the rows that do not have it."""
    assert len(parts("4090")) < 12 < len(parts())


def test_whole_machines() -> None:
    """Every instance type and machine has its cards and its published memory, and leaves the system a share."""
    for name, row in instances().items():
        found = machine(name)
        host = found.pools[0]
        assert len(found.pools) - 1 == (row.cards if host.name == "ram" else 0), name
        assert not row.memory_bytes or host.bytes == row.memory_bytes, name
        assert host.source.kind in ("published", "given") or row.source.where.startswith("assumed: "), name
        assert 0 < host.free_bytes < host.bytes, name
        assert row.source.where, name
        assert row.source.date, name


def test_machines_that_people_ask_for() -> None:
    """Clouds, notebooks, boxes and handhelds by name; unlike cards together; what is not there is refused with what is near."""
    names = (
        "dgx-spark",
        "t4-colab",
        "g5.xlarge",
        "strix-halo-128gb",
        "kaggle",
        "p4d.24xlarge",
        "a2-highgpu-1g",
        "Standard_NC24ads_A100_v4",
        "steam deck",
    )
    assert all(machine(name).devices for name in names)
    assert len(machine("p4d.24xlarge").links) == 8 * 7 // 2
    assert machine("2x 4090 + 3060").devices[2].name.startswith("GeForce RTX 3060")
    with pytest.raises(UserError, match="has no NVLink"):
        machine("rtx 4090 nvlink")
    with pytest.raises(NotFound) as caught:
        machine("rtx 4099")
    assert "RTX 4090" in caught.value.hint


def test_what_no_backend_reaches() -> None:
    """An accelerator with its own software is described and refused by the engine in one sentence; its host alone still answers."""
    found = machine("tpu v5e")
    assert (found.devices[0].kind, found.pools[1].bytes_per_s) == ("tpu", 819e9)
    assert any("llama.cpp has no backend" in warning for warning in found.warnings)
    engine, nothing = LlamaCpp(), LlamaCpp.Settings()
    with pytest.raises(UserError, match="no backend here for TPU v5e"):
        engine.on(nothing, found, ())
    assert engine.on(replace(nothing, gpu_layers=0), found, ("gpu_layers",)).gpu_layers == 0


def test_completion_and_listing() -> None:
    """The shell completes names as they are typed, and every completion resolves; words narrow the list."""
    names = typed("rtx-40")
    assert "rtx-4090" in names
    assert all(machine(name).devices for name in names)
    assert {one.name for one in holding("rtx 4090 laptop")} == {"GeForce RTX 4090 Laptop"}
    assert "g5.xlarge" in whole_machines("g5")


def test_processors_have_the_instruction_sets_of_their_family() -> None:
    """Every family of processors in the table is told, but for the one that mixes generations and RISC-V boards; Skylake's servers have 512-bit vectors."""
    told = {part.family: instruction_sets(part.family, part.name)[1] for part in parts() if part.kind == "cpu"}
    assert {family for family, features in told.items() if not features} == {"CPU: other", "RISC-V SBC"}
    assert "avx512f" in machine("Xeon Gold 6148").cpu.features
    assert "avx512f" not in machine("Core i7-6700K").cpu.features
    assert machine("n100").cpu.architecture == "x86_64"


def test_a_named_processor_reads_a_prompt() -> None:
    """Its arithmetic follows from cores and instruction set, so the rate is an interval, not unknown."""
    prefill = sizeup.fit("qwen3:4b", "Core i9-13900K", context_tokens=2048)[0].speed.prefill
    assert prefill is not None
    assert prefill.lower < prefill.tokens_per_s < prefill.upper


def test_known_instruction_sets_are_those_that_the_engine_asks_for() -> None:
    """Names in the families' table are names of the flags' table."""
    known = {name for flags in data_json("instruction_sets.json")["flags"].values() for name in flags.values()}
    assert {name for features in data_json("cpu_families.json")["sets"].values() for name in features} <= known
