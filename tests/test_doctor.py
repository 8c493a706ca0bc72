"""The doctor: every check has words, trouble is a finding, and what is missing comes with its way out."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from sizeup import doctor as examined
from sizeup import probe
from sizeup.doctor import Check, examine
from sizeup.errors import Unavailable
from sizeup.facts import data_json
from sizeup.hardware import Device, Unused
from sizeup.i18n import texts
from sizeup.page import Page
from sizeup.render.doctor import doctor as render

from .program import Run

NAMES = ["python", "engine", "proof", "programs", "gpu", "memory", "rates", "logs", "disk", "extras", "letters"]


@pytest.mark.engine
def test_everything_is_looked_at_here(sizeup: Run) -> None:
    """With the engine installed nothing is bad, the proof agrees, and each check is told in each language within 80 columns."""
    done = sizeup("doctor", "--json")
    assert done.code == 0
    checks = {row["name"]: row for row in json.loads(done.out)["checks"]}
    assert list(checks) == NAMES
    assert checks["proof"]["state"] == "ok"
    for language in ("en", "zh-Hant", "zh-Hans"):
        page = Page(texts(language), 80, False, "iec")
        text = render(page, examine())
        assert "doctor." not in text


def test_a_missing_engine_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a check raises is told with its way out, and the other checks go on."""

    def missing() -> str:
        raise Unavailable("The embedded engine is not installed.", 'pip install ".[run]" in the folder of sizeup')

    monkeypatch.setattr(examined, "installed_version", missing)
    found = {check.name: check for check in examine()}
    assert found["engine"] == Check(
        "engine", "bad", {}, "The embedded engine is not installed.", 'pip install ".[run]" in the folder of sizeup'
    )
    assert found["memory"].state in ("ok", "note")


def test_what_is_not_installed_names_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """llama-server by its system's own ways, from the table; nothing where it is there."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(examined.platform, "system", lambda: "Windows")
    (row,) = data_json("install.json")["programs"]
    assert examined._programs().hint == " | ".join(row["windows"])
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert examined._programs() == Check("programs", "ok", {"names": "llama-server"})


def test_cards_used_and_unused() -> None:
    """A card is named; one without a driver is named with what keeps it out."""
    box = replace(probe.machine(), devices=(), unused=())
    card = Device("RTX 4090", "NVIDIA", "cuda", "vram:0")
    assert examined._gpu(replace(box, devices=(card,))).values == {"names": "RTX 4090"}
    idle = examined._gpu(replace(box, unused=(Unused("Arc A770", "Intel", "gpu", "no driver"),)))
    assert (idle.state, idle.values) == ("note", {"names": "Arc A770", "why": "no driver"})
    assert "processor" in examined._gpu(box).said


def test_every_extra_is_looked_for() -> None:
    """The extras that the doctor knows are those that the project declares."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert {row["name"] for row in data_json("install.json")["extras"]} == set(project["project"]["optional-dependencies"])


def test_hints_are_true_of_a_clone() -> None:
    """sizeup is in no registry of packages, so no text tells to install it from one."""
    package = Path(__file__).parents[1] / "src" / "sizeup"
    texts = [path for suffix in ("*.py", "*.json") for path in package.rglob(suffix)]
    assert [path.name for path in texts if re.search(r"pip install \\*[\"']sizeup", path.read_text(encoding="utf-8"))] == []
