"""Machines by name and by file: what a source says is used, what is supposed says so, what contradicts itself is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sizeup.errors import NotFound, SizeupError, Unreadable, UserError
from sizeup.facts import data_json
from sizeup.probe import machine
from sizeup.probe.described import presets
from sizeup.probe.unified import metal_limit

GIB = 2**30


def test_a_card_by_name() -> None:
    """A known card has the memory that its driver reports; the host's memory is assumed and labelled so."""
    found = machine("rtx-4090")
    card, host = found.pool("vram:0"), found.pool("ram")
    assert card is not None
    assert host is not None
    assert (card.bytes, card.bytes_per_s) == (24564 * 2**20, 1008e9)
    assert card.source.kind == "published"
    assert (host.bytes, host.source.kind, host.bandwidth_source.kind) == (32 * GIB, "assumed", "assumed")
    assert any("assumed" in warning for warning in found.warnings)
    assert found.devices[0].kind == "cuda"


def test_host_memory_can_be_given() -> None:
    """A given host memory is neither assumed nor warned about."""
    found = machine("rtx-4090", ram="64GiB")
    host = found.pool("ram")
    assert host is not None
    assert (host.bytes, host.source.kind) == (64 * GIB, "given")
    assert not any("assumed" in warning for warning in found.warnings)


def test_several_cards() -> None:
    """A count makes that many pools; unlike cards join with a plus."""
    assert [p.name for p in machine("2x rtx-3090").pools] == ["ram", "vram:0", "vram:1"]
    assert [p.bytes for p in machine("rtx-4090 + 2 x RTX 3060 12GB").pools[1:]] == [24564 * 2**20, 12 * GIB, 12 * GIB]


@pytest.mark.parametrize("name", ["2x rtx-4090 nvlink", "rtx-4090+rtx-4090 with NVLink", "2x rtx 6000 ada nvlink", "2x rtx-5090 nvlink"])
def test_cards_without_nvlink(name: str) -> None:
    """A link that the card does not have is refused, not supposed."""
    with pytest.raises(UserError, match="has no NVLink"):
        machine(name)


def test_cards_with_nvlink() -> None:
    """Two RTX 3090 can be bridged; a card that no source knows of is not guessed."""
    (link,) = machine("2x rtx-3090 nvlink").links
    assert (link.kind, link.ends, link.source.kind) == ("nvlink", ("vram:0", "vram:1"), "published")
    with pytest.raises(UserError, match="No source here"):
        machine("2x rtx-3060 nvlink")
    with pytest.raises(UserError, match="joins two cards"):
        machine("rtx-3090 nvlink")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("macbook air m2", "Apple M2 (10-core GPU)"),
        ("MacBook Pro 14 M4 Max 128GB", "Apple M4 Max (40-core GPU)"),
        ("mac mini m4", "Apple M4 (10-core GPU)"),
        ("tesla m4", "Tesla M4"),
    ],
)
def test_a_mac_by_what_is_written_on_it(name: str, part: str) -> None:
    """The chip says what a Mac can do, whatever it is built into; a chip goes before the card that has its number."""
    assert machine(name).devices[0].name == part


@pytest.mark.parametrize("name", ["3090 x2", "rtx-3090 x 2", "rtx-3090-x2"])
def test_a_count_behind_the_card(name: str) -> None:
    """“3090 x2” is two cards, not 3,090."""
    assert [device.name for device in machine(name).devices] == ["GeForce RTX 3090"] * 2


def test_a_slip_in_the_name_of_a_whole_machine() -> None:
    """What is nearest is looked for among whole machines too, not among parts alone."""
    with pytest.raises(NotFound) as caught:
        machine("g5.2xlrge")
    assert "g5.2xlarge" in str(caught.value.hint).split(", ")


def test_a_mac_is_one_pool_with_a_limit() -> None:
    """Unified memory is one pool, and the part that macOS lets the GPU hold bounds what is free."""
    found = machine("m3-max-64gb")
    assert [p.name for p in found.pools] == ["unified"]
    pool, device = found.pools[0], found.devices[0]
    assert (pool.bytes, pool.free_bytes, pool.bytes_per_s) == (64 * GIB, 48 * GIB, 409.6e9)
    assert (device.kind, device.pool, device.limit_bytes) == ("metal", "unified", 48 * GIB)
    assert "iogpu.wired_limit_mb" in found.limits[0]
    # The 30-core chip is sold with 36 and 96 GB only, and is slower.
    other = machine("m3-max-36gb").pools[0]
    assert (other.bytes, other.bytes_per_s) == (36 * GIB, 307.2e9)


def test_a_chip_without_its_memory_says_what_it_took() -> None:
    """A chip's name alone does not say its memory; what is taken is said."""
    assert any("128 GB" in warning for warning in machine("Apple M3 Max (40-core GPU)").warnings)


@pytest.mark.parametrize("row", data_json("metal_limits.json")["reported"], ids=lambda row: str(row["memory_bytes"] >> 30))
def test_metal_limits_follow_what_was_reported(row: dict[str, int]) -> None:
    """A reported size gives the reported limit; the rule is two thirds up to 32 GiB and three quarters above; a set limit wins."""
    assert metal_limit(row["memory_bytes"]).bytes == row["limit_bytes"]
    share = (2, 3) if row["memory_bytes"] <= 32 * GIB else (3, 4)
    assert row["limit_bytes"] >= row["memory_bytes"] * share[0] // share[1] * 0.999
    assert metal_limit(row["memory_bytes"], 4 * GIB).bytes == 4 * GIB


def test_presets_are_whole() -> None:
    """Every shipped preset can be read, names its source, and has free memory below its memory."""
    assert {"raspberry-pi-5-8gb", "raspberry-pi-4-4gb"} <= set(presets().values())
    for preset in set(presets().values()):
        found = machine(preset)
        assert found.pools
        assert found.source.kind == "published"
        assert found.source.date
        assert all(0 < pool.free_bytes < pool.bytes for pool in found.pools)
    assert machine("raspberry-pi-5-8gb").pools[0].bytes == 8 * GIB


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVIDIA GeForce RTX 3060 12 GB", 360e9),
        ("NVIDIA RTX 6000 Ada Generation", 960e9),
        ("AMD Instinct MI300X", 5300e9),
        ("AMD Radeon RX 7900 XT", 800e9),
        ("NVIDIA A100 PCIe 80GB", 1935e9),
        ("NVIDIA GB10 (DGX Spark)", 273e9),
        ("NVIDIA GeForce RTX 3080", 760e9),
        ("Apple M1 Ultra (64-core GPU)", 819.2e9),
        ("AMD Ryzen AI Max+ 395 (Radeon 8060S)", 256e9),
        ("Pi 5 - 16GB", 17.068e9),
        ("4090", 1008e9),
        ("Quadro RTX 8000", 672e9),
    ],
)
def test_published_names(name: str, expected: float) -> None:
    """Names as published benchmarks write them mean the part with that bandwidth."""
    rates = [pool.bytes_per_s for pool in machine(name).pools]
    assert rates[-1] == expected


def test_a_file_may_name_a_chip(tmp_path: Path) -> None:
    """A chip in a machine file lends its bandwidth to the unified memory, unless the file says another; a neural processor is refused."""
    file = tmp_path / "box.toml"
    file.write_text('[unified]\nmemory = "16GiB"\n[[gpu]]\ndevice = "jetson-orin-nx-16gb"\n', encoding="utf-8")
    assert machine(str(file)).pools[0].bytes_per_s == 102.4e9
    file.write_text('[unified]\nmemory = "16GiB"\nbandwidth = "90 GB/s"\n[[gpu]]\ndevice = "jetson-orin-nx-16gb"\n', encoding="utf-8")
    assert machine(str(file)).pools[0].bytes_per_s == 90e9
    file.write_text('[ram]\nmemory = "16GiB"\n[[gpu]]\ndevice = "hailo-8"\n', encoding="utf-8")
    with pytest.raises(UserError, match="neural processor"):
        machine(str(file))


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("rtx-4091", NotFound, "4090"),
        ("no such thing at all", NotFound, "TOML"),
        ("rtx-4090-48gb", UserError, "24 GB"),
        ("rtx-3080-0gb", UserError, "10 GB"),
        ("m3-max-50gb", UserError, "64 GB"),
        ("0x rtx-4090", UserError, "8x h100"),
        ("65x rtx-4090", UserError, "64"),
        ("999999999999x rtx-4090", UserError, "64"),
        ("2x m3-max", UserError, "TOML"),
        ("m3-max + rtx-4090", UserError, "TOML"),
        ("", NotFound, "rtx-4090"),
        ("nvlink", NotFound, "rtx-4090"),
        ("./absent.toml", NotFound, "rtx-4090"),
    ],
)
def test_names_that_mean_nothing(name: str, error: type[SizeupError], words: str) -> None:
    """An unknown or impossible name is one sentence and a way out, in well under a second."""
    begin = time.perf_counter()
    with pytest.raises(error) as caught:
        machine(name)
    assert words in caught.value.hint
    assert "\n" not in caught.value.message
    assert time.perf_counter() - begin < 1


RAM = '[ram]\nmemory = "8GiB"\n'
CARD = '[ram]\nmemory = "64GiB"\n[[gpu]]\nname = "Card"\nvendor = "NVIDIA"\nmemory = "24GiB"\nbandwidth = "1000 GB/s"\n'


def test_a_file(tmp_path: Path) -> None:
    """A file's figures are the machine's, labelled as given."""
    path = tmp_path / "box.toml"
    path.write_text(
        'name = "box"\n[cpu]\ncores = 8\nthreads = 16\n[ram]\nmemory = "64GiB"\nfree = "60GiB"\nbandwidth = "80 GB/s"\n[[gpu]]\ndevice = "rtx-3090"\ncount = 2\n'
        '[[disk]]\npath = "/"\nsize = "1TB"\nfree = "400GB"\n[[link]]\nkind = "nvlink"\nends = ["vram:0", "vram:1"]\nbandwidth = "112.5 GB/s"\n'
    )
    found = machine(str(path))
    assert [(p.name, p.bytes, p.free_bytes, p.bytes_per_s) for p in found.pools] == [
        ("ram", 64 * GIB, 60 * GIB, 80e9),
        ("vram:0", 24 * GIB, 24 * GIB, 936e9),
        ("vram:1", 24 * GIB, 24 * GIB, 936e9),
    ]
    assert found.cpu is not None
    assert (found.name, found.cpu.threads, found.disks[0].free_bytes, found.links[0].bytes_per_s, found.source.kind) == (
        "box",
        16,
        400 * 10**9,
        112.5e9,
        "given",
    )


def test_a_file_with_a_link_that_the_card_has_not(tmp_path: Path) -> None:
    """A file cannot give a card the NVLink that it does not have."""
    path = tmp_path / "box.toml"
    path.write_text(
        '[ram]\nmemory = "64GiB"\n[[gpu]]\ndevice = "rtx-4090"\ncount = 2\n[[link]]\nkind = "NVLink"\nends = ["vram:0", "vram:1"]\nbandwidth = "100 GB/s"\n'
    )
    with pytest.raises(UserError, match="GeForce RTX 4090 has no NVLink"):
        machine(str(path))


def test_a_file_with_unified_memory(tmp_path: Path) -> None:
    """A device that shares [unified] memory has no pool of its own, and macOS's limit bounds what is free."""
    path = tmp_path / "mac.toml"
    path.write_text('[unified]\nmemory = "64GiB"\nbandwidth = "400 GB/s"\n[[gpu]]\nname = "GPU"\nvendor = "Apple"\nshares = "unified"\n')
    found = machine(str(path))
    assert [(p.name, p.bytes, p.free_bytes) for p in found.pools] == [("unified", 64 * GIB, 48 * GIB)]
    assert found.devices[0].kind == "metal"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CARD.replace("1000 GB/s", "2 GB/s"), "takes 13 s to be read once"),
        (CARD + 'free = "25GiB"\n', "24.0 GiB, of which 25.0 GiB are said to be free"),
        (CARD.replace('"24GiB"', "-5"), "= -5 is not a size"),
        (CARD.replace('"24GiB"', '"-24GiB"'), "is not a size"),
        (CARD.replace("24GiB", "24G"), "two readings"),
        (CARD.replace('"24GiB"', "true"), "is not a size"),
        (CARD.replace("1000 GB/s", "1000 GB"), "has no “/s”"),
        (CARD.replace('"1000 GB/s"', "nan"), "is not a rate"),
        (CARD.replace('"1000 GB/s"', "1e30"), "is not a rate"),
        (CARD + "vram = 3\n", "no “vram”"),
        (CARD + "count = 0\n", "is not a count"),
        (CARD + 'shares = "unified"\n', "no [unified] table"),
        ("", "names no memory"),
        ("[unified]\nmemory = 1000000\n", "nothing that shares it"),
        ("ram = 5\n", "“ram” is not a table"),
        ("gpu = 5\n", "not a list of tables"),
        ("[gpu]\nmemory = 5\n", "not a list of tables"),
        ('[ram]\nmemory = "8GiB"\n[unified]\nmemory = "8GiB"\n', "both [ram] and [unified]"),
        ('[ram]\nmemory = "8GiB"\n[cpu]\ncores = 8\nthreads = 4\n', "8 cores but 4 threads"),
        ('[ram]\nmemory = "8GiB"\n[[gpu]]\ndevice = "rtx-4090"\nmemory = "48GiB"\n', "GeForce RTX 4090 has 24.0 GiB, the file says 48GiB"),
        ('[ram]\nmemory = "8GiB"\n[[link]]\nends = ["ram", "vram:3"]\n', "joins two of ram"),
        ('[ram]\nbandwidth = "8 GB/s"\n', "memory is missing"),
        ('[ram]\nmemory = "8GiB"\nbandwidth = "0 GB/s"\n', "bandwidth = 0 is not a rate"),
        (RAM + '[cpu]\ncores = 4\nusable = "all"\n', "usable = all is not a number above 0"),
        (RAM + "[cpu]\ncores = 4\nfeatures = 5\n", "features = 5 is not a list of texts"),
        (RAM + '[cpu]\ncores = 4\nfeatures = "avx2"\n', "features = avx2 is not a list of texts"),
        ("limits = 5\n" + RAM, "limits = 5 is not a list of texts"),
        ("gpu = [5]\n" + RAM, "“gpu” is not a list of tables"),
        (RAM + '[swap]\nsize = "1GiB"\nfree = "2GiB"\n', "free = 2.00 GiB is more than the 1.00 GiB it is a part of"),
        (CARD + 'others = "25GiB"\n', "others = 25.0 GiB is more than the 24.0 GiB it is a part of"),
        (CARD + 'limit = "25GiB"\n', "limit = 25.0 GiB is more than the 24.0 GiB it is a part of"),
        (CARD + "flops = 1e30\n", "flops = 1e+30 is more than any machine has"),
        (CARD + 'compute_capability = "new"\n', "compute_capability = new is no version"),
        (RAM + '[[link]]\nends = ["ram", "ram"]\n', "joins two of ram, not ['ram', 'ram']"),
        (RAM + '[[link]]\nends = [["ram"], {}]\n', "joins two of ram"),
        ('[unified]\nmemory = "8GiB"\ngpu_limit = "9GiB"\n[[gpu]]\nshares = "unified"\n', "gpu_limit = 9.00 GiB is more than the 8.00 GiB"),
    ],
)
def test_a_file_that_contradicts_itself(content: str, words: str, tmp_path: Path) -> None:
    """A contradiction is one sentence that names the file and both facts, with a way out."""
    path = tmp_path / "box.toml"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        machine(str(path))
    assert words in caught.value.message
    assert caught.value.message.startswith(str(path))
    assert caught.value.hint


def test_files_that_are_no_description(tmp_path: Path) -> None:
    """What is not TOML, is a folder, or is far too long is unreadable, not a traceback."""
    for name, content in (("a.toml", b"= ="), ("b.toml", b"\xff\xfe\x00"), ("c.toml", b"#" * (2 << 20))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unreadable):
            machine(str(tmp_path / name))
    (tmp_path / "d.toml").mkdir()
    with pytest.raises(Unreadable, match="is a folder"):
        machine(str(tmp_path / "d.toml"))
