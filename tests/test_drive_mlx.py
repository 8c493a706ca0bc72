"""mlx_lm.server really started, asked, measured and ended by `sizeup run --engine mlx`, where it is installed (a CPU will do)."""

from __future__ import annotations

import importlib.util
import json
import os
import sysconfig
from pathlib import Path

import pytest

from sizeup.drive import program
from sizeup.engines.llamacpp.server import free_port
from tests.program import Run
from tests.words_model import with_weights

pytestmark = [
    pytest.mark.mlx,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("mlx", "mlx_lm"))), reason='mlx and mlx-lm are not here: pip install "mlx[cpu]" mlx-lm'
    ),
]


def test_it_is_started_asked_measured_and_gone(sizeup: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder of the checkpoint, on a machine without a cache of the hub; nobody listens afterwards."""
    monkeypatch.setenv("PATH", f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "none"))
    port = free_port(0, False)
    monkeypatch.setattr("sizeup.engines.llamacpp.server.free_port", lambda *_: port)
    folder = tmp_path / "words"
    folder.mkdir()
    said = sizeup("run", str(with_weights(folder)), "w1 w2 w3 w4", "--engine", "mlx", "--context", "64", "--max-tokens", "6", "--json")
    found = json.loads(said.out)
    assert (said.code, found["ran"], found["engine"], found["prompt_tokens"]) == (0, True, "mlx", 4)
    assert 0 < len(found["text"].split()) <= 6
    assert found["load_s"] > 0
    assert not program._answers(program.Server(f"http://127.0.0.1:{port}"), lambda server: True)
