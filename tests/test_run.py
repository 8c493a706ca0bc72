"""A real model really runs, and what it takes is what was predicted."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sizeup import store
from sizeup.engines.llamacpp.pieces import Pieces
from sizeup.engines.llamacpp.run import run
from sizeup.errors import EngineFailed, NotFound
from sizeup.plan import Measurement, Plan
from sizeup.search import fit
from tests.ghosts import unpack
from tests.small_model import small_model


def plan_of(path: Path, **settings: object) -> Plan:
    return fit(str(path), context_tokens=2048, **settings)[0]


@pytest.mark.engine
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"repack": False},
        {"mmap": False},
        {"k": "q8_0", "v": "q8_0"},
        {"sequences": 2, "unified_cache": True},
        {"flash_attention": False},
    ],
)
def test_what_runs_takes_what_was_predicted(settings: dict[str, object]) -> None:
    """Weights, repacked weights, cache, output and compute are equal to the byte (output to the printed MiB)."""
    plan = plan_of(small_model(), **settings)
    text: list[str] = []
    found = run(plan, "The capital of France is", max_tokens=4, raw=True, on_text=text.append)
    predicted = plan.breakdown.as_reported()
    assert {part: found.buffers[part] for part in ("weights", "repacked", "cache", "compute")} == {
        part: predicted.get(part, 0) for part in ("weights", "repacked", "cache", "compute")
    }
    assert abs(found.buffers["output"] - predicted["output"]) <= 0.005 * 2**20
    assert "".join(text).strip()
    assert found.decode_tokens_per_s
    assert found.load_s


@pytest.mark.engine
@pytest.mark.parametrize("words", [3, 200, 600])
def test_resident_memory_is_within_five_percent(words: int) -> None:
    """The whole process, the engine's own program and tokenizer included, after short and long prompts."""
    plan = plan_of(small_model())
    found = run(plan, "word " * words, max_tokens=4, raw=True)
    assert found.peak_resident_bytes is not None
    assert found.expected_resident_bytes is not None
    assert abs(found.peak_resident_bytes / found.expected_resident_bytes - 1) <= 0.05
    if found.prompt_tokens >= plan.settings.micro_batch_tokens:
        assert found.expected_resident_bytes == plan.breakdown.bytes(pool="ram")


@pytest.mark.engine
def test_a_file_that_the_engine_refuses_is_told_with_its_log(tmp_path: Path) -> None:
    """A sparse file without a tokenizer: the engine says no; the user gets one sentence, the log's end and exit 6."""
    plan = plan_of(unpack("SmolLM2-135M-Q8_0", tmp_path))
    with pytest.raises(EngineFailed) as caught:
        run(plan, "Hello", max_tokens=1)
    assert caught.value.exit_code == 6
    assert "\n" not in caught.value.message


def test_a_model_without_weights_cannot_run() -> None:
    """The catalogue describes models; it does not hold them."""
    plan = plan_of_catalogue()
    with pytest.raises(NotFound):
        run(plan, "Hello")


def plan_of_catalogue() -> Plan:
    return fit("Qwen/Qwen3-0.6B", context_tokens=2048)[0]


def test_a_measurement_comes_back_as_it_was_kept() -> None:
    """What is stored is what is read, newest first."""
    first = Measurement("measured", "llama.cpp", "m", {"context_tokens": 1}, {"weights": 5}, date="2026-11-21T00:00:00+00:00")
    second = dataclasses.replace(first, buffers={"weights": 6})
    assert store.measurements() == []
    store.keep(first, {"weights": 5})
    store.keep(second, {"weights": 5})
    assert store.measurements("m") == [second, first]
    assert store.measurements("other") == []


WRITER = """
import sys
from sizeup import store
from sizeup.plan import Measurement
print("ready", flush=True)
while True:
    store.keep(Measurement("measured", "e", "m", {}, {"weights": 1}, text="x" * 100_000), {})
"""


def test_the_store_survives_a_kill_at_any_moment() -> None:
    """Killed while writing, ten times: the file is sound, every row is whole, and it can be written again."""
    rows = 0
    for round_ in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE, env=dict(os.environ))
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.02 + 0.013 * round_)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        found = store.measurements()
        assert len(found) >= rows
        assert all(len(m.text) == 100_000 for m in found)
        rows = len(found)
    with sqlite3.connect(Path(os.environ["SIZEUP_HOME"]) / "sizeup.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert store.keep(Measurement("measured", "e", "m", {}, {}), {}) == rows + 1


def test_public_names_exist() -> None:
    """Every public name loads, and importing the modules does not hide one."""
    import sizeup.hardware
    import sizeup.readers.gguf

    for name in sizeup.__all__:
        assert callable(getattr(sizeup, name))


def test_pieces_are_given_whole_and_not_oftener_than_they_can_be_seen() -> None:
    """The first at once, those within a twentieth of a second together, a character of two tokens once it is whole; nothing is lost."""
    said = {1: b"Hello", 2: "é".encode()[:1], 3: "é".encode()[1:], 4: b" there", 5: b"!", 6: b"?"}
    given: list[str] = []
    pieces = Pieces(given.append, 0.05)
    for token, now in ((1, 0.0), (2, 0.06), (3, 0.07), (4, 0.10), (5, 0.12)):
        pieces.add(token, now, said.__getitem__)
    assert given == ["Hello", "é there!"]
    pieces.add(6, 0.13, said.__getitem__)
    pieces.end(said.__getitem__)
    assert given == ["Hello", "é there!", "?"]
