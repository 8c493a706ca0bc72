"""Today's prices through the optional gpuhunt: what its catalogue says becomes dated rows; without package, network or permission the user is told."""

from __future__ import annotations

import json
import sys
import time
import types
from dataclasses import dataclass, field
from typing import Any

import pytest

from sizeup.errors import Unavailable
from sizeup.facts import Source, data_json
from sizeup.live_prices import Item, Live, live_prices
from sizeup.markets import boxes
from sizeup.offers import rentals
from sizeup.probe.described import described
from sizeup.probe.instances import instances, plain
from tests.program import Run

TODAY = time.strftime("%Y-%m-%d")


@dataclass
class CatalogItem:
    """In the shape of gpuhunt 0.1.34."""

    provider: str
    instance_name: str
    location: str
    price: float
    gpu_count: int
    gpu_name: str | None
    gpu_memory: float | None
    cpu: int = 4
    memory: float = 16.0
    spot: bool = False
    disk_size: float | None = None
    gpu_vendor: str | None = "nvidia"
    flags: list[str] = field(default_factory=list)


ITEMS = [
    CatalogItem("aws", "g5.xlarge", "us-east-1", 1.25, 1, "A10G", 24.0),
    CatalogItem("aws", "g5.xlarge", "eu-west-1", 1.5, 1, "A10G", 24.0),
    CatalogItem("aws", "p4d.24xlarge", "us-east-1", 32.0, 8, "A100", 40.0),
    CatalogItem("runpod", "NVIDIA A100-SXM4-80GB", "US", 1.75, 1, "A100", 80.0),
    CatalogItem("oci", "BM.GPU.A100-v2.8", "US", 32.0, 8, "A100", 80.0),
    CatalogItem("lambdalabs", "gpu_1x_l4", "US", 0.5, 1, "L4", 24.0),
    CatalogItem("azure", "Standard_NV6ads_A10_v5", "US", 0.25, 1, "A10", 4.0),
    CatalogItem("gcp", "v5litepod-1", "US", 1.25, 1, "v5litepod", 16.0),
]


class Catalogue:
    """Answers as gpuhunt's Catalog does, from a list."""

    def __init__(self, items: list[CatalogItem] | None = None, error: Exception | None = None, auto_reload: bool = True) -> None:
        self.items, self.error, self.loaded = ITEMS if items is None else items, error, False

    def load(self) -> None:
        if self.error is not None:
            raise self.error
        self.loaded = True

    def query(self, *, min_gpu_count: int, spot: bool) -> list[Item]:
        assert self.loaded
        return [item for item in self.items if item.gpu_count >= min_gpu_count and item.spot == spot]


@pytest.fixture
def live() -> Live:
    return live_prices(Catalogue())


def test_offers_become_rows(live: Live) -> None:
    """An hour of one device, read today from gpuhunt and a provider; parts of a card and devices nobody described are counted, not guessed."""
    assert live.unknown == 2
    assert [(p.instance, p.device, p.devices, p.usd_per_device_hour) for p in live.prices] == [
        ("g5.xlarge", "A10G", 1, 1.25),
        ("g5.xlarge", "A10G", 1, 1.5),
        ("p4d.24xlarge", "A100 SXM4 40GB", 8, 4.0),
        ("NVIDIA A100-SXM4-80GB", "A100 SXM4 80GB", 1, 1.75),
        ("BM.GPU.A100-v2.8", "A100 PCIe 80GB", 8, 4.0),
        ("gpu_1x_l4", "L4", 1, 0.5),
    ]
    assert live.prices[0].source == Source("read", "gpuhunt aws", TODAY)
    assert live.prices[4].source.where == "gpuhunt oci; “A100 80GB” is taken as A100 PCIe 80GB; it could be A100 SXM4 80GB."


def test_a_live_price_takes_the_place_of_a_dated_one(live: Live) -> None:
    """Of each device the cheapest live offer, else the cheapest dated one."""
    dated, now = rentals(), rentals(live.prices)
    assert now["A10G", 1].usd_per_hour == 1.25
    assert now["A100 SXM4 80GB", 1].provider == "runpod"
    assert {key: rent for key, rent in now.items() if rent.source.kind != "read"} == {
        key: rent for key, rent in dated.items() if (key not in {(p.device, p.devices) for p in live.prices})
    }


def test_named_rentals_get_their_price(live: Live) -> None:
    """An instance that is listed by its name has its own cheapest price, once."""
    found = [(box.name, rent) for box, kind, _, rent in boxes(True, live.prices) if kind == "rent"]
    named = {name: rent for name, rent in found if name in data_json("builds.json")["rent"]}
    rent = named["g5.xlarge"]
    assert rent is not None
    assert (rent.usd_per_hour, rent.source.date) == (1.25, TODAY)
    assert named["g6.xlarge"] is None
    assert [name for name, _ in found if "g5.xlarge" in name] == ["g5.xlarge", "ml.g5.xlarge"]


@pytest.mark.parametrize("name", ["ml.g5.xlarge", "ml.p5.48xlarge", "ml.g4dn.12xlarge"])
def test_sagemaker_rents_the_same_hardware(name: str) -> None:
    """SageMaker's own name for an instance is a machine with the parts of the EC2 instance, and says where that is from."""
    ours, theirs = described(name), described(name.removeprefix("ml."))
    assert ours.name == name
    assert ours.devices == theirs.devices
    assert [(pool.name, pool.bytes) for pool in ours.pools] == [(pool.name, pool.bytes) for pool in theirs.pools]
    assert "sagemaker" in instances()[plain(name)].source.where


@pytest.mark.parametrize(
    ("catalogue", "message"),
    [
        (Catalogue(error=RuntimeError("x")), "Today's prices could not be read (RuntimeError)."),
        (Catalogue(items=[]), "Today's prices came back empty."),
    ],
)
def test_what_does_not_come_is_said(catalogue: Catalogue, message: str) -> None:
    """Whatever another's code raises is one sentence."""
    with pytest.raises(Unavailable) as raised:
        live_prices(catalogue)
    assert raised.value.message == message


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that says nothing is left after a while, and whoever waits is told each second."""

    class Slow(Catalogue):
        def load(self) -> None:
            time.sleep(5)

    monkeypatch.setattr("sizeup.live_prices.LONGEST_S", 1.0)
    told: list[int] = []
    with pytest.raises(Unavailable, match="within 1 seconds"):
        live_prices(Slow(), told.append)
    assert told == [1]


def pretend(monkeypatch: pytest.MonkeyPatch, **made: Any) -> None:
    module = types.ModuleType("gpuhunt")
    module.Catalog = lambda auto_reload: Catalogue(**made)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gpuhunt", module)


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_the_verb(sizeup: Run, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """Today's rents in the table and the JSON."""
    pretend(monkeypatch)
    asked = ("machines", "Qwen/Qwen3-8B", "--rent", "--live-prices", "--limit", "4")
    told = sizeup(*asked, "--lang", language)
    assert told.code == 0
    assert TODAY in told.out
    content = json.loads(sizeup(*asked, "--json").out)
    assert content["live_prices"] == {"read": 6, "unknown": 2, "error": None}
    rents = {row["name"]: row["rent"] for row in content["machines"] if row["rent"]}
    assert rents["lambdalabs gpu_1x_l4"]["source"] == {"kind": "read", "where": "gpuhunt lambdalabs", "date": TODAY}


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_without_a_network_the_dated_table(sizeup: Run, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """The answer is that of the dated table, with a sentence more."""
    pretend(monkeypatch, error=OSError("no route"))
    asked = ("machines", "Qwen/Qwen3-8B", "--rent", "--lang", language)
    told, dated = sizeup(*asked, "--live-prices"), sizeup(*asked)
    assert told.code == dated.code == 0
    assert "OSError" in told.out
    rows = dated.out.split("\n\n")
    assert told.out.split("\n\n") == [*rows[:-1], *(part for part in told.out.split("\n\n") if "OSError" in part), rows[-1]]


def test_without_the_package(sizeup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence and the command that installs it."""
    monkeypatch.setitem(sys.modules, "gpuhunt", None)
    told = sizeup("machines", "Qwen/Qwen3-8B", "--live-prices")
    assert told.code == 5
    assert 'pip install ".[prices]" in the folder of sizeup' in told.err


def test_not_offline(sizeup: Run) -> None:
    """Two wishes that clash."""
    told = sizeup("machines", "Qwen/Qwen3-8B", "--live-prices", "--offline")
    assert told.code == 2
    assert told.err.count("\n") == 2
