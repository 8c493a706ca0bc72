"""sizeup-browser.js as a site's own page imports it: from its own server and from another's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sizeup
from sizeup.browser.limits import engines
from sizeup.browser.model import STATIC
from tests.browser.serving import Server

FOREIGN = """<!doctype html><html lang="en"><title>a site of somebody else</title><link rel="icon" href="data:,"><p>hello</p></html>"""


@pytest.fixture
def foreign(new_page: Callable[..., Any], static_server: Callable[..., Server], tmp_path: Path) -> Any:
    """A page of one origin, and the module served by another that allows it; the module is `window.sizeup`."""
    (tmp_path / "index.html").write_text(FOREIGN, encoding="utf-8")
    module = static_server({"/v1": STATIC}, cors=True).url
    page = new_page()
    page.goto(static_server({"/": tmp_path}).url)
    page.evaluate("async url => { window.sizeup = await import(url); }", f"{module}/v1/sizeup-browser.js")
    return page


def test_from_a_foreign_page(foreign: Any) -> None:
    """The documented call works on a page of another origin, and gives a reason and bytes."""
    answer = foreign.evaluate("sizeup.canRun('Llama-3.2-1B-Instruct', { engine: 'webllm' })")
    assert (answer["engine"], answer["verdict"], answer["reason"]["key"]) == ("webllm", "no", "no_adapter")
    assert answer["download"]["bytes"] > 6e8
    assert [other["engine"] for other in answer["others"]] == ["webllm"] * len(answer["others"])


def test_measuring_on_a_foreign_page(foreign: Any) -> None:
    """A worker of another origin may not be started, and is imported by one of the page's own; speeds come from what it found."""
    assert foreign.evaluate("async () => (await sizeup.measure({ ms: 200 })).measuredIn") == "worker"
    answer = foreign.evaluate("sizeup.canRun('gemma-3-270m-q4_k_m.gguf', { engine: 'wllama' })")
    assert answer["speed"]["lower"] > 0
    assert answer["speed"]["why"] is None


def test_a_model_of_ones_own(foreign: Any) -> None:
    """Bytes alone are enough for a download; what is not said is unknown, not guessed."""
    answer = foreign.evaluate("sizeup.canRun({ bytes: 5e8 }, { engine: 'llama.cpp' })")
    assert (answer["engine"], answer["speed"]["lower"], answer["speed"]["why"]) == ("wllama", None, "parameters_unknown")
    nothing = foreign.evaluate("sizeup.canRun({}, { engine: 'wllama' })")
    assert (nothing["verdict"], nothing["reason"]["key"]) == ("unknown", "bytes_unknown")
    f16 = foreign.evaluate("sizeup.canRun({ bytes: 5e8, quant: 'q4f16' }, { engine: 'transformers.js' })")
    assert f16["reason"]["key"] == "no_adapter"


def test_another_device(foreign: Any) -> None:
    """A device that somebody exported can be judged without being there."""
    device = {"webgpu": "adapter", "features": [], "deviceMemory": 8}
    call = "device => sizeup.canRun('Llama-3.2-1B-Instruct-q4f16_1-MLC', { device })"
    assert foreign.evaluate(call, device)["reason"] == {"key": "no_feature", "figures": {"feature": "shader-f16"}}


@pytest.mark.parametrize(
    ("call", "words"), [("'x', { engine: 'none' }", "no engine is called"), ("'nobody'", "no build of"), ("{}", "name the engine")]
)
def test_mistakes(foreign: Any, call: str, words: str) -> None:
    """A wrong name is an error in words."""
    assert words in foreign.evaluate(f"sizeup.canRun({call}).catch(error => error.message)")


def test_evidence_has_a_source(foreign: Any) -> None:
    """Every fact that an answer rests on can be looked up."""
    answer = foreign.evaluate("sizeup.canRun('gemma-3-270m-q4_k_m.gguf', { engine: 'wllama' })")
    for name in answer["load"]["evidence"] + answer["download"]["evidence"]:
        assert foreign.evaluate("name => sizeup.evidence(name)", name)["source"]


def test_network_rate(foreign: Any, static_server: Callable[..., Server], tmp_path: Path) -> None:
    """A file that the page names is timed by range; one that cannot be had gives null."""
    (tmp_path / "big.bin").write_bytes(bytes(64 << 20))
    url = static_server({"/": tmp_path}, cors=True).url
    call = "async url => (await sizeup.measure({ ms: 50, networkUrl: url })).networkBytesPerS"
    found = foreign.evaluate(call, f"{url}/big.bin")
    # Loopback may be through before the first 200 ms are over; then nothing was timed.
    assert found is None or found > 1e6


def test_package() -> None:
    """The folder is ready for npm: its version is sizeup's, every file that it names exists, every engine is in its types."""
    package = json.loads((STATIC / "package.json").read_text(encoding="utf-8"))
    assert (package["version"], package["license"], package["type"]) == (sizeup.__version__, "Apache-2.0", "module")
    named = [package["types"], package["exports"]["."]["default"], *package["files"]]
    assert [name for name in named if not (STATIC / name).exists()] == []
    types = (STATIC / "sizeup-browser.d.ts").read_text(encoding="utf-8")
    assert [one for one in engines() if f'"{one}"' not in types] == []
    readme = (STATIC / "README.md").read_text(encoding="utf-8")
    assert [one for one in engines() if one not in readme] == []
    own = {
        line.split('"')[1]
        for file in STATIC.rglob("*.js")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("import ")
    }
    assert [name for name in own if not name.startswith(".")] == []
