"""The program as a process: what it imports, where it writes, colours and locales."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import Any

import pytest


def program_run(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sizeup", *args], capture_output=True, text=True, check=False, **options)


def test_nobody_reads(model: str) -> None:
    """A closed pipe is no error that anybody has to read about."""
    child = subprocess.Popen([sys.executable, "-m", "sizeup", "fit", model], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    assert (child.wait(), said) == (141, "")


HEAVY = ("numpy", "rich", "httpx", "httpx2", "xllamacpp", "pynvml", "sqlite3", "asyncio", "email", "importlib.metadata", "sizeup.recommend")


@pytest.mark.parametrize("extra", [[], ["--json"], ["--lang", "zh-Hant"]])
def test_cold_start_imports_nothing_heavy(model: str, extra: list[str]) -> None:
    """An answer from a local file imports none of the heavy packages, and no verb but its own."""
    code = "import sys; from sizeup.__main__ import main; code = main(sys.argv[1:]); print('\\n' + ' '.join(sys.modules)); sys.exit(code)"
    found = subprocess.run([sys.executable, "-c", code, "fit", model, *extra], capture_output=True, text=True, check=True)
    loaded = set(found.stdout.splitlines()[-1].split())
    assert sorted(loaded & set(HEAVY)) == []
    assert sorted(name for name in loaded if name.startswith("sizeup.cli.")) == [
        "sizeup.cli.fit",
        "sizeup.cli.settings",
        "sizeup.cli.verb",
    ]


def test_a_locale_that_cannot_show_it(model: str) -> None:
    """Where standard output is ASCII the answer is still one, drawn with plain characters."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "SIZEUP_LANG": "en"}
    said = program_run("fit", model, env=environment)
    assert (said.returncode, said.stderr) == (0, "")
    assert "#" in said.stdout
    assert said.stdout.isascii()


@pytest.mark.parametrize(
    ("variables", "options", "coloured"), [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--no-color"], False)]
)
def test_colours_only_where_a_person_looks(model: str, variables: dict[str, str], options: list[str], coloured: bool) -> None:
    """A terminal gets colours unless it refuses them."""
    parent, child = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm", **variables}
    subprocess.run([sys.executable, "-m", "sizeup", "fit", model, *options], stdout=child, env=environment, check=True)
    os.close(child)
    said = b""
    try:
        while chunk := os.read(parent, 65536):
            said += chunk
    except OSError:
        pass  # how a terminal says that its other end is closed
    os.close(parent)
    assert (b"\x1b[" in said) == coloured
