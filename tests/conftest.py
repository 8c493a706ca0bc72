"""Shared fixtures: nothing a test writes may land in the user's own folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from sizeup import __main__ as program
from tests.ghosts import unpack
from tests.program import Run, Said

# Timings never decide a test.
settings.register_profile("sizeup", deadline=None)
settings.load_profile("sizeup")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what is printed now as the golden text")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/golden/NAME.txt, or write that file with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test its own data folder and a fixed language."""
    monkeypatch.setenv("SIZEUP_HOME", str(tmp_path_factory.mktemp("sizeup-home")))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    # Tests have no internet; those of tests/online lift this for servers of their own.
    monkeypatch.setenv("SIZEUP_OFFLINE", "1")


@pytest.fixture
def sizeup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the program in this process."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "SIZEUP_LANG", "SIZEUP_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run(*args: str) -> Said:
        code = program.main(list(args))
        found = capsys.readouterr()
        return Said(code, found.out, found.err)

    return run


SMALL_BOX = """
[cpu]
cores = 2
threads = 2
[ram]
memory = "1GiB"
free = "900MiB"
bandwidth = "10 GB/s"
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model file of a few KB on disk: the header of a real one."""
    return str(unpack("SmolLM2-135M-Q4_K_M", tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(unpack("Llama-3.1-8B-Q4_K_M", tmp_path_factory.mktemp("models")))


@pytest.fixture
def small_box(tmp_path: Path) -> str:
    path = tmp_path / "box.toml"
    path.write_text(SMALL_BOX)
    return str(path)
