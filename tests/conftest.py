"""Shared fixtures: nothing a test writes may land in the user's own folders."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test its own data folder and a fixed language."""
    monkeypatch.setenv("SIZEUP_HOME", str(tmp_path_factory.mktemp("sizeup-home")))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
