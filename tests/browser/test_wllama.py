"""The real engine in the real browser: wllama generates with Gemma 3 270M, and what was predicted stands beside what happened."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from sizeup.browser.model import STATIC
from tests.browser import engines
from tests.browser.chromium import MS, Watched
from tests.browser.serving import Server
from tests.small_model import small_model

RUN_MS = 240 * MS
WITHOUT_JSPI = "delete WebAssembly.Suspending; delete WebAssembly.promising;"
MIB = 2**20


@pytest.fixture(scope="module")
def model() -> Path:
    """The real small model, fetched once."""
    try:
        return small_model()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(f"the small model cannot be had: {error}")


@pytest.fixture(scope="module")
def engine() -> Path:
    """wllama, fetched once."""
    try:
        return engines.wllama()
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"wllama cannot be had from npm: {error}")


def renderers() -> dict[int, tuple[int, int]]:
    """Resident bytes and their peak of every renderer that this process started, by process id."""
    found = {}
    for child in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in child.cmdline():
                status = Path(f"/proc/{child.pid}/status").read_text()
                resident, peak = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) * 1024 for name in ("VmRSS", "VmHWM"))
                found[child.pid] = (resident, peak)
        except (psutil.Error, OSError, TypeError):
            continue
    return found


def grown(before: dict[int, tuple[int, int]]) -> int:
    """How far the renderer that grew most went beyond what it held before."""
    return max(peak - before.get(process, (0, 0))[0] for process, (_, peak) in renderers().items() if process in before)


@pytest.mark.engine
@pytest.mark.parametrize(("isolated", "build"), [(False, "memory64"), (True, "memory64"), (False, "compat")])
def test_wllama_really_generates(
    new_page: Callable[..., Any],
    watched: Watched,
    static_server: Callable[..., Server],
    engine: Path,
    model: Path,
    isolated: bool,
    build: str,
) -> None:
    """The page fetches the engine from its own server after the click only, runs the file, and tells what ran.

    The verdict was yes and the tab stayed within the predicted peak; the speed is printed beside its interval.
    """
    server = static_server({"/browser": STATIC, "/engines": engine}, isolated=isolated)
    page = new_page()
    if build == "compat":
        page.add_init_script(WITHOUT_JSPI)
    page.goto(f"{server.url}/browser/?engines=/engines/")
    page.wait_for_selector(".row")
    page.click("#test")
    page.wait_for_selector("#test:disabled")
    page.wait_for_selector("#test:not(:disabled)")
    page.set_input_files("#file", model)
    assert [url for url in watched.requests if url.startswith(f"{server.url}/engines/")] == []
    before = renderers()
    page.click("#go")
    page.wait_for_selector("#go:disabled")
    page.wait_for_selector("#go:not(:disabled)", timeout=RUN_MS)
    assert page.inner_text("#run-status") == ""
    ran = json.loads(page.get_attribute("#run", "data-ran"))
    peak, predicted = grown(before), ran["predicted"]
    speed, bytes_ = predicted["speed"], predicted["load"]["peakBytes"]
    print(
        f"\n{build}, isolated {isolated}: {ran['tokens']} tokens, {ran['tokensPerS']:.1f} tokens/s "
        f"(predicted {speed['lower']:.1f} to {speed['upper']:.1f}), loaded in {ran['loadedS']:.1f} s, "
        f"peak {peak / MIB:.0f} MiB (predicted {bytes_['lower'] / MIB:.0f} to {bytes_['upper'] / MIB:.0f}), threads {ran['threads']}\n"
        f"  {ran['text']!r}"
    )
    assert (ran["build"], predicted["load"]["build"], predicted["verdict"]) == (build, build, "yes")
    assert ran["threads"] == predicted["load"]["threads"]
    assert len(re.findall(r"\b(the|is|are|and|in|of)\b", ran["text"])) >= 3
    assert {"Russia", "China", "Canada", "India", "United States"} & set(re.findall(r"[A-Z]\w+(?: States)?", ran["text"]))
    assert peak <= bytes_["upper"]
    own = [url for url in watched.requests if not url.startswith((server.url, f"blob:{server.url}", "data:"))]
    assert own == []


def test_an_engine_that_was_changed_does_not_run(
    new_page: Callable[..., Any], watched: Watched, static_server: Callable[..., Server], tmp_path: Path
) -> None:
    """A file of the engine whose hash is another one is refused before anything of it runs."""
    for name in engines.FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("globalThis.changed = true; export class Wllama {}")
    small = tmp_path / "small.gguf"
    small.write_bytes(b"GGUF")
    page = new_page()
    page.goto(f"{static_server({'/browser': STATIC, '/engines': tmp_path}).url}/browser/?engines=/engines/")
    page.wait_for_selector(".row")
    page.set_input_files("#file", small)
    page.click("#go")
    page.wait_for_function("document.getElementById('run-status').textContent.includes('did not run')")
    assert page.evaluate("globalThis.changed") is None
    watched.forgive("integrity")


def test_a_link_does_not_choose_whose_engine_runs(new_page: Callable[..., Any], static_server: Callable[..., Server]) -> None:
    """`?engines=` of another origin is not followed: the pinned network address stays, and says so before the click."""
    page = new_page()
    page.goto(f"{static_server({'/browser': STATIC}).url}/browser/?engines=https://example.org/")
    page.wait_for_selector(".row")
    assert "cdn.jsdelivr.net" in page.inner_text("#run-engine")
