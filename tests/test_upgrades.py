"""What to upgrade first: each change helps, is one change, and has a dated price or none."""

from __future__ import annotations

import json

import sizeup as package
from sizeup.upgrades import changes, upgrades
from tests.program import Run


def test_every_change_brings_something() -> None:
    """Gains are positive, priced ones come first by gain per dollar, and more RAM never shrinks a machine."""
    found = upgrades("rtx-3060-12gb", ["meta-llama/Llama-3.3-70B-Instruct", "openai/gpt-oss-120b"])
    assert found
    assert all(one.gain > 0 for one in found)
    rates = [one.gain_per_usd for one in found if one.gain_per_usd is not None]
    assert rates == sorted(rates, reverse=True)
    assert "ram" in {one.kind for one in found}
    before = package.machine("rtx-3060-12gb").pool("ram")
    assert before is not None
    for one in found:
        ram = one.machine.pool("ram")
        assert ram is not None
        assert ram.bytes >= before.bytes
        assert one.usd is None or one.kind in ("card", "another_card")


def test_one_memory_for_all_cannot_be_changed() -> None:
    """A Mac or a board of one piece gets no advice that nobody can follow."""
    assert list(changes(package.machine("mac-mini-m4-16gb"))) == []


def test_the_verb(sizeup: Run) -> None:
    """The same changes in words and in JSON."""
    arguments = ["upgrade", "--on", "rtx-3060-12gb", "--for", "qwen3:32b", "--limit", "5"]
    rows = json.loads(sizeup(*arguments, "--json").out)["upgrades"]
    assert 0 < len(rows) <= 5
    assert all(len(line) <= 80 for line in sizeup(*arguments).out.splitlines())
    assert sizeup("upgrade", "--limit", "0").code == 2
