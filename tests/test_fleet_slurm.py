"""Nodes of a Slurm cluster: from text as its programs print it, and from a real controller where one is installed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sizeup.errors import NotFound, Unavailable, Unreadable
from sizeup.fleet import slurm_scan
from sizeup.fleet.node import Node
from sizeup.fleet.slurm_node import node
from sizeup.fleet.slurm_text import Gres, cards, nodes
from tests.program import Run
from tests.slurm_controller import controller

RECORDED = Path(__file__).parent / "data" / "fleet" / "slurm_show_node.txt"
"""Slurm 22.05.8 (Debian) with declared nodes: `scontrol show node`, then one node with `-o`."""
DATE = "2026-11-21T12:00:00+00:00"
GIB = 2**30
LINE = (
    "NodeName=g1 Arch=x86_64 CoresPerSocket=48 CPUAlloc=32 CPUEfctv=190 CPUTot=192 CPULoad=3.1 AvailableFeatures=nvlink ActiveFeatures=nvlink "
    "Gres=gpu:h100:8(S:0-1) GresUsed=gpu:h100:3(IDX:0-2),mps:0 OS=Linux 6.8.0 #1 SMP PREEMPT RealMemory=1024 AllocMem=256 State=MIXED "
    "Partitions=gpu,night CfgTRES=cpu=192,mem=1G,gres/gpu=8 AllocTRES=cpu=32,mem=256M,gres/gpu=3 Reason=none of note [root@2026-11-21T10:00:00]"
)


def made(line: str = LINE, closed: frozenset[str] = frozenset(), **changed: str) -> Node:
    """The node of a line with some of its fields changed."""
    (fields,) = nodes(line)
    return node({**fields, **changed}, DATE, closed)


@pytest.mark.parametrize(
    ("gres", "found"),
    [
        ("gpu:h100:8(S:0-1)", [Gres("h100", 8)]),
        ("gpu:4", [Gres("", 4)]),
        ("gpu", [Gres("", 1)]),
        ("gpu:a100", [Gres("a100", 1)]),
        ("gpu:a100_3g.20gb:2(S:0),gpu:v100:4,mps:800,shard:32", [Gres("a100_3g.20gb", 2), Gres("v100", 4)]),
        ("(null)", []),
    ],
)
def test_gres(gres: str, found: list[Gres]) -> None:
    """Cards with and without a type, slices, sockets in brackets; shares of cards are no cards."""
    assert cards(gres) == found


def test_the_recorded_text() -> None:
    """Both forms of a recorded text are read: every node once, cards by name and feature, not ready since no slurmd answers."""
    found = slurm_scan.inventory(RECORDED.read_text(), "recorded").nodes
    rows = [(one.name, one.state, one.cards, one.machine.devices[0].name, one.resource, one.free_cpus, one.groups) for one in found]
    assert rows == [
        ("h1", "unknown", 8, "H100 SXM5 80GB HBM3", "gpu:h100", 192.0, ("gpu",)),
        ("h2", "unknown", 8, "H100 SXM5 80GB HBM3", "gpu:h100", 192.0, ("gpu",)),
        ("l1", "unknown", 4, "L40S", "gpu:l40s", 64.0, ("gpu",)),
    ]
    assert ([len(one.machine.links) for one in found], found[0].machine.pools[0].bytes) == ([28, 28, 0], 2063000 * 2**20)


def test_what_is_granted() -> None:
    """Cards, processors and memory less what jobs have; a value with spaces ends where the next field begins."""
    found = made()
    ram = found.machine.pools[0]
    assert (found.free_cards, found.cards, found.free_cpus) == (5, 8, 158.0)
    assert (ram.bytes, ram.free_bytes, found.groups) == (GIB, 768 * 2**20, ("gpu", "night"))
    assert found.warnings[0] == "Slurm's reason: none of note [root@2026-11-21T10:00:00]."


def test_cards_that_only_a_sum_is_kept_of() -> None:
    """Without -d only AllocTRES tells: by type where the cluster tracks types, else of the first type on."""
    two = {"GresUsed": "", "Gres": "gpu:h100:4,gpu:l40s:4"}
    typed = made(**two, AllocTRES="gres/gpu=3,gres/gpu:h100=1,gres/gpu:l40s=2")
    summed = made(**two, AllocTRES="cpu=1,gres/gpu=5")
    told = [[device.name.split()[0] for device in one.free().devices] for one in (typed, summed)]
    assert told == [["H100"] * 3 + ["L40S"] * 2, ["L40S"] * 3]


@pytest.mark.parametrize(
    ("gres", "features", "name", "gib", "boarded", "doubt"),
    [
        ("gpu:a100:4", "", "A100 PCIe 40GB", 40, False, "A100 PCIe 80GB or A100 SXM4 80GB"),
        ("gpu:a100:4", "a100,80g", "A100 PCIe 80GB", 80, False, "A100 SXM4 80GB"),
        ("gpu:a100:4", "sxm4,gpu80gb", "A100 SXM4 80GB", 80, True, ""),
        ("gpu:h100:4", "", "H100 PCIe 80GB HBM2e", 79, False, "H100 SXM5 80GB HBM3"),
        ("gpu:nvidia_h100_80gb_hbm3:4", "", "H100 SXM5 80GB HBM3", 79, True, ""),
        ("gpu:4", "ib,l40s", "L40S", 44, False, ""),
        ("gpu:3g.40gb:4", "", "3g.40gb", 40, False, ""),
        ("gpu:4", "", "unnamed card", 0, False, "Its cards have no type"),
    ],
)
def test_names(gres: str, features: str, name: str, gib: int, boarded: bool, doubt: str) -> None:
    """A type that several cards have is taken as the smaller and says so; features of the node narrow it down."""
    found = made(Gres=gres, GresUsed="", AllocTRES="", ActiveFeatures=features, AvailableFeatures=features)
    device, pool = found.machine.devices[0], found.machine.pools[1]
    assert (device.name, pool.bytes // GIB, bool(found.machine.links)) == (name, gib, boarded)
    assert (doubt in " ".join(found.warnings), len(found.warnings)) == (True, 2 if doubt else 1)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("IDLE", "ready"), ("ALLOCATED", "ready"), ("MIXED+PLANNED", "ready"), ("IDLE+COMPLETING", "ready"), ("IDLE+POWERED_DOWN", "ready"),
        ("IDLE+DRAIN", "closed"), ("MIXED+DRAIN", "closed"), ("IDLE+MAINT+RESERVED", "closed"),
        ("DOWN", "down"), ("DOWN*", "down"), ("DOWN+DRAIN", "down"), ("IDLE+NOT_RESPONDING", "down"), ("idle*", "down"),
        ("UNKNOWN+NOT_RESPONDING", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_states(state: str, expected: str) -> None:
    """Of several flags the one that keeps work away wins; who sleeps is woken."""
    assert made(State=state.upper()).state == expected


def test_partitions_that_are_down() -> None:
    """A node takes work as long as one of its partitions does."""
    told = [(made(closed=frozenset(down)).state, made(closed=frozenset(down)).groups) for down in (["night"], ["gpu", "night"])]
    assert told == [("ready", ("gpu",)), ("closed", ())]


def test_a_file_and_what_comes_in(sizeup: Run, tmp_path: Path) -> None:
    """A text by its path; what is none is refused in one sentence."""
    said = sizeup("fleet", "scan", "--slurm-file", str(RECORDED), "--lang", "zh-Hant")
    assert (said.code, said.err, "H100 SXM5" in said.out) == (0, "", True)
    (tmp_path / "none.txt").write_text("slurm_load_node error: Unable to contact slurm controller")
    with pytest.raises(Unreadable):
        slurm_scan.read(str(tmp_path / "none.txt"))
    with pytest.raises(NotFound):
        slurm_scan.read(str(tmp_path / "missing.txt"))


def test_without_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to type elsewhere is told."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable) as said:
        slurm_scan.scan()
    assert said.value.hint == slurm_scan.TYPED


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with controller(tmp_path_factory.mktemp("slurm")) as config:
        yield config


def test_a_real_controller(slurm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller's own words: version, partitions that are down, drained nodes with their reason, cards by name."""
    monkeypatch.setenv("SLURM_CONF", str(slurm))
    subprocess.run(["scontrol", "update", "nodename=l1", "state=drain", "reason=a fan is loud"], check=True)
    found = slurm_scan.scan()
    rows = [(one.name, one.state, one.cards, one.resource, one.groups) for one in found.nodes]
    assert rows[:2] == [("h1", "unknown", 8, "gpu:h100", ("gpu",)), ("h2", "unknown", 8, "gpu:h100", ("gpu",))]
    assert (rows[2][0], rows[2][4], found.version.split(".")[0].isdigit()) == ("l1", ("gpu",), True)
    assert (rows[2][1] in ("closed", "down"), "a fan is loud" in " ".join(found.nodes[2].warnings)) == (True, True)
