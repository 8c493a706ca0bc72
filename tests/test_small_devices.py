"""Phones, scanners, boards: what one program may hold of their memory, from where that is known, and what fits."""

from __future__ import annotations

import pytest
from tools import small_devices

from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.i18n import LANGUAGES, texts
from sizeup.probe import machine
from sizeup.probe.apps import app_limit
from tests.program import Run

GIB = 2**30


@pytest.mark.parametrize("row", data_json("app_limits.json")["ios"]["reported"], ids=lambda row: str(row["memory_bytes"] >> 30))
def test_ios_limits_are_those_reported(row: dict[str, int]) -> None:
    """A size that apps reported has that limit, with its source and date; without the entitlement less."""
    found = app_limit("ios", row["memory_bytes"])
    assert (found.bytes, found.source.kind, found.source.where) == (row["bytes"], "published", row["source"])
    assert row["plain_bytes"] < found.bytes < row["memory_bytes"]


@pytest.mark.parametrize("system", ["ios", "android"])
def test_a_size_that_nobody_reported_is_assumed(system: str) -> None:
    """The share of an unreported size is a stated guess."""
    found = app_limit(system, 10 * GIB)
    assert (found.bytes, found.source.kind) == (5 * GIB, "assumed")


@pytest.mark.parametrize(
    ("name", "free", "kind"),
    [
        ("iphone-15-pro", 6 * GIB, "published"),
        ("iphone-16-pro", 6 * GIB, "published"),
        ("iphone-13-pro", 4_200_000_000, "published"),
        ("galaxy-s23-8gb", 4 * GIB, "assumed"),
        ("zebra-tc58", 4 * GIB, "assumed"),
        ("zebra-tc51", 1 * GIB, "assumed"),
        ("snapdragon-8-gen-3-16gb", 8 * GIB, "assumed"),
    ],
)
def test_what_one_app_may_hold_is_what_is_free(name: str, free: int, kind: str) -> None:
    """A phone's free memory is what its system lets one app hold, labelled with how that is known."""
    pool = machine(name).pools[0]
    assert pool.free_source is not None
    assert (pool.free_bytes, pool.free_source.kind) == (free, kind)


def test_a_chip_in_a_laptop_is_no_phone() -> None:
    """The A18 Pro in a MacBook has the limit of macOS for its GPU, not that of an app on iOS."""
    found = machine("macbook-neo")
    assert found.system == "macos"
    assert "iogpu.wired_limit_mb" in found.limits[0]


def test_a_guess_is_shown_as_one(sizeup: Run) -> None:
    """A scanner whose memory no data sheet told is shown as assumed."""
    assert machine("zebra-tc58").pools[0].source.kind == "assumed"
    assert "assumed" in sizeup("machine", "zebra-tc58").out


@pytest.mark.parametrize("name", ["esp32-s3", "ESP32"])
def test_a_microcontroller_is_refused_with_the_reason(name: str) -> None:
    """What cannot run a model says why."""
    with pytest.raises(UserError, match="no operating system"):
        machine(name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_names_the_limit(sizeup: Run, language: str) -> None:
    """The derivation has what is free with the limit in words and its source, in every language."""
    said = "".join(sizeup("fit", "qwen3:4b", "--on", "iphone-16-pro", "--why", "--lang", language).out.split())
    assert "increased-memory-limit" in said
    assert "854762" in said
    limit = machine("iphone-16-pro").limits[0]
    assert (texts(language).sentence(limit) != limit) == (language != "en")


def test_the_page_is_what_the_tool_makes() -> None:
    """docs/small-devices.md is generated: its phones and scanners are made again."""
    assert small_devices.PAGE.read_text(encoding="utf-8").startswith(small_devices.page(2))
