"""transformers really started, measured and ended by `sizeup run --engine transformers`, where it is installed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from sizeup.drive import transformers as driver
from sizeup.drive.hand import Prompt
from sizeup.errors import EngineFailed
from sizeup.search import fit
from tests.program import Run
from tests.words_model import with_weights

pytestmark = [
    pytest.mark.transformers,
    pytest.mark.skipif(not driver.installed() or importlib.util.find_spec("tokenizers") is None, reason="transformers is not here"),
]
PROMPT = " ".join(f"w{number}" for number in range(24))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_weights(tmp_path_factory.mktemp("words"))


@pytest.mark.parametrize("cache", ["dynamic", "static"])
def test_it_is_loaded_asked_measured_and_gone(sizeup: Run, folder: Path, cache: str) -> None:
    """Tokens, rates and the peak of the process are told; the text is what the tokens say; nothing of it is left running."""
    said = sizeup(
        "run", str(folder), PROMPT, "--engine", "transformers", "--context", "64", "--max-tokens", "8", "--set", f"cache={cache}", "--json"
    )
    found = json.loads(said.out)
    assert (said.code, found["ran"], found["timed_by"], found["prompt_tokens"]) == (0, True, "clock", 24)
    assert found["engine"].startswith("transformers 5.")
    assert 0 < len(found["text"].split()) <= 8
    assert found["peak_resident_bytes"] > found["load_s"] > 0
    assert found["prefill_tokens_per_s"] > 0


def test_both_caches_answer_alike(folder: Path) -> None:
    """The plan's cache is really used, and what it is changes no token of a greedy answer."""
    told = []
    for cache in ("dynamic", "static"):
        plan = fit(str(folder), engine="transformers", context_tokens=64, cache=cache)[0]
        text: list[str] = []
        assert driver.job(plan, Prompt("", 0, 0.0, 1, text.append))["cache"] == cache
        driver.run(plan, Prompt(PROMPT, 8, 0.0, 1, text.append))
        told.append("".join(text))
    assert told[0] == told[1]


def test_what_transformers_refuses_is_told_in_its_words(folder: Path, tmp_path: Path) -> None:
    """A checkpoint that is cut off: one sentence with the library's reason."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    plan = fit(str(tmp_path), engine="transformers", context_tokens=64)[0]
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(EngineFailed, match=r"^The engine failed: .+\.$"):
        driver.run(plan, Prompt(PROMPT, 8, 0.0, 1, lambda text: None))


def test_a_prompt_longer_than_the_context(folder: Path) -> None:
    """Refused before anything is computed."""
    plan = fit(str(folder), engine="transformers", context_tokens=16)[0]
    with pytest.raises(EngineFailed, match="the prompt has 24 tokens, more than the context holds"):
        driver.run(plan, Prompt(PROMPT, 8, 0.0, 1, lambda text: None))
