"""The page of the browser in Chromium: what it asks, what it shows, in three languages, by keyboard, and that it sends nothing."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sizeup.browser import judge
from sizeup.browser.device import NAMES, from_json
from sizeup.browser.model import STATIC, models
from sizeup.browser.verdict import verdict_json
from sizeup.i18n import LANGUAGES, texts
from tests.browser.axe import violations
from tests.browser.chromium import Watched
from tests.browser.serving import Server

WIDTHS = (360, 768, 1440)
PHONE = {"width": 360, "height": 740}


SLOW_FETCH = """() => {
  const whole = fetch;
  window.fetch = async (...asked) => {
    const answer = await whole(...asked);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    let at = 0;
    const pull = async (to) => {
      await new Promise((done) => setTimeout(done, 100));
      if (at >= bytes.length) to.close();
      else to.enqueue(bytes.subarray(at, (at += bytes.length >> 3)));
    };
    return new Response(new ReadableStream({ pull }), { status: 200 });
  };
}"""
"""The body of an answer arrives in eight pieces, a tenth of a second apart: an answer of a test comes all at once."""


@pytest.fixture
def opened(new_page: Callable[..., Any], static_server: Callable[..., Server]) -> Callable[..., Any]:
    """`opened(path="", flags="default", isolated=False, **options)`: the page with its verdicts drawn."""

    def go(path: str = "", flags: str = "default", isolated: bool = False, **options: Any) -> Any:
        server = static_server({"/browser": STATIC}, isolated=isolated)
        page = new_page(flags, **options)
        page.goto(f"{server.url}/browser/{path}")
        page.wait_for_selector(".row")
        return page

    return go


def clicked(page: Any) -> None:
    """Click on the test and wait for its end."""
    page.click("#test")
    page.wait_for_selector("#test:disabled")
    page.wait_for_selector("#test:not(:disabled)")


def exported(page: Any) -> dict[str, Any]:
    """What the page's export holds."""
    with page.expect_download() as waiting:
        page.click("#export")
    content: dict[str, Any] = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize(("flags", "state"), [("no-gpu", "no-adapter"), ("webgpu", "fallback")])
@pytest.mark.parametrize("isolated", [False, True])
def test_probe(opened: Callable[..., Any], flags: str, state: str, isolated: bool) -> None:
    """The probe tells apart an adapter that is missing and one that is software, and whether threads are to be had."""
    page = opened(flags=flags, isolated=isolated)
    found = exported(page)
    assert (found["webgpu"], found["crossOriginIsolated"]) == (state, isolated)
    assert (found["platform"], found["browser"], found["wasmSimd"], found["secureContext"]) == ("linux", "chrome", True, True)
    assert (found["maxBufferSize"] is None, found["features"] is None) == (state == "no-adapter",) * 2
    assert set(NAMES.values()) - set(found) == {
        "wasmReadBytesPerS",
        "wasmFlopsPerS",
        "gpuReadBytesPerS",
        "gpuAllocatedBytes",
        "gpuAllocationFailed",
        "networkBytesPerS",
    }


@pytest.mark.parametrize("flags", ["no-gpu", "webgpu"])
def test_measurement(opened: Callable[..., Any], flags: str) -> None:
    """A click measures WebAssembly, and WebGPU only where there is an adapter; what ran is said; speeds appear and were not there before."""
    page = opened(flags=flags)
    wllama = "[data-engine=wllama]"
    assert texts("en")("browser.why.not_measured") in page.inner_text(wllama)
    clicked(page)
    found = exported(page)
    assert found["wasmReadBytesPerS"] > 1e8
    assert found["wasmFlopsPerS"] > 1e8
    assert ("gpuReadBytesPerS" in found) == (flags == "webgpu")
    assert found["measuredIn"] == "worker"
    said = page.inner_text("#what")
    assert texts("en")("browser.ran.worker") in said
    assert ("swiftshader" in said) == (flags == "webgpu")
    assert "tokens/s" in page.inner_text(wllama)


def test_export_is_what_python_judges(opened: Callable[..., Any]) -> None:
    """A device exported from the page, judged by Python, is what the page's module says of it."""
    page = opened("#model=gemma3-270m", flags="webgpu")
    clicked(page)
    content = exported(page)
    row = next(model for model in models() if model.id == "gemma-3-270m-q4_k_m.gguf:Q4_K_M")
    expected = verdict_json(judge(row, from_json(content)))
    call = """async ([id, device]) => {
      const { canRun } = await import("./sizeup-browser.js");
      const { build, others, ...answer } = await canRun(id, { device });
      return answer;
    }"""
    assert page.evaluate(call, [row.id, content]) == expected
    assert expected["verdict"] == "yes"


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages(opened: Callable[..., Any], language: str) -> None:
    """The page speaks the language of the address; nothing is left unworded."""
    page = opened(f"?lang={language}", flags="no-gpu", locale="de-DE")
    assert page.get_attribute("html", "lang") == language
    assert page.inner_text("h1") == texts(language)("browser.heading")
    assert page.inner_text("#test") == texts(language)("browser.test")
    keys = ["reason.", "verdict.", "badge.", "why.", "feeling.", "{", "undefined", "NaN"]
    assert [key for key in keys if key in page.inner_text("main").replace(page.inner_text("pre"), "")] == []
    assert texts(language)("browser.reason.no_adapter") in page.inner_text("[data-engine=webllm]")


@pytest.mark.parametrize(("locale", "expected"), [("zh-TW", "zh-Hant"), ("zh-CN", "zh-Hans"), ("fr-FR", "en")])
def test_language_of_the_reader(opened: Callable[..., Any], locale: str, expected: str) -> None:
    """Without an address that says otherwise, the reader's own language decides."""
    assert opened(locale=locale).get_attribute("html", "lang") == expected


def test_language_changes_without_a_new_test(opened: Callable[..., Any]) -> None:
    """What was measured stays when the language changes, and the address keeps it."""
    page = opened()
    clicked(page)
    page.select_option("#language", "zh-Hant")
    page.wait_for_function("document.documentElement.lang === 'zh-Hant'")
    assert page.url.endswith("?lang=zh-Hant")
    assert "token/s" in page.inner_text("[data-engine=wllama]")


def test_keyboard(opened: Callable[..., Any]) -> None:
    """The whole page is reached by Tab; arrows choose a model; the test starts with Enter."""
    page = opened("#model=qwen3-0.6b")
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name || document.activeElement.tagName"))
        if reached[-1] == "go":
            break
    assert [
        name for name in ("language", "export", "test", "network", "search", "only", "model", "file", "prompt", "go") if name not in reached
    ] == []
    before = page.inner_text("#chosen")
    page.focus("#list input:checked")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#chosen") != before
    assert "#model=" in page.url
    page.focus("#test")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rates:not([hidden])")


def test_search(opened: Callable[..., Any]) -> None:
    """A name narrows the list; one that nothing has says so."""
    page = opened()
    page.fill("#search", "llama-3.2-1b")
    assert [name for name in page.locator("#list .label").all_inner_texts() if "3.2-1B" not in name] == []
    page.fill("#search", "no such model")
    assert page.inner_text("#list").strip() == texts("en")("browser.models.none")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_accessible_and_narrow(opened: Callable[..., Any], width: int, scheme: str) -> None:
    """axe finds nothing serious at any width, light or dark, and nothing is wider than the window."""
    page = opened("?lang=zh-Hant", flags="webgpu", viewport={"width": width, "height": 900}, color_scheme=scheme)
    clicked(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_sent(opened: Callable[..., Any], watched: Watched) -> None:
    """Every request goes to the page's own server, with the test too, and none carries anything but a file's name."""
    page = opened(flags="webgpu")
    clicked(page)
    page.check("#only")
    own = page.url.split("/browser/")[0]
    assert [url for url in watched.requests if not url.startswith((f"{own}/browser/", "data:", f"blob:{own}"))] == []
    assert [url for url in watched.requests if "?" in url] == []


def test_time_of_a_download(opened: Callable[..., Any], watched: Watched) -> None:
    """A click times two seconds of the chosen model's own file; times of downloads then rest on it, and before on no claim."""
    page = opened("#model=llama3.2-1b")
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(f"{route.request.url} {route.request.headers.get('range')}")
        route.fulfill(status=206, body=bytes(8 << 20), headers={"Access-Control-Allow-Origin": "*"})

    page.context.route("https://huggingface.co/**", answer)
    words = texts("en")("browser.download.time_unknown").split("{time}")[1]
    assert words in page.inner_text("[data-engine=wllama]")
    page.evaluate(SLOW_FETCH)
    page.click("#network")
    page.wait_for_selector("#network:not(:disabled)")
    assert [line.partition("/resolve")[0] for line in asked] == ["https://huggingface.co/mlc-ai/Llama-3.2-1B-Instruct-q4f16_1-MLC"]
    assert texts("en")("browser.rate.network") in page.inner_text("#rates")
    assert words not in page.inner_text("[data-engine=wllama]")


def test_a_download_that_cannot_be_timed(opened: Callable[..., Any], watched: Watched) -> None:
    """Without a network the page says so and claims nothing."""
    page = opened()
    page.click("#network")
    page.wait_for_selector("#network:not(:disabled)")
    assert texts("en")("browser.test.no_download", host="huggingface.co") in page.inner_text("#status")
    assert page.is_hidden("#rates")
    watched.forgive("ERR_NAME_NOT_RESOLVED")


def test_works_from_any_web_server(new_page: Callable[..., Any]) -> None:
    """The folder is enough: `python -m http.server` serves the page."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(STATIC)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split("port ")[1].split()[0]
            page = new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector(".row")
            assert page.inner_text("h1") == texts("en")("browser.heading")
        finally:
            server.terminate()
            server.wait(10)


SHIFTS = """new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => (sum += entry.value))).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_moves_while_it_loads(opened: Callable[..., Any], width: int) -> None:
    """The layout does not shift under a reader."""
    assert opened("?lang=zh-Hans", flags="webgpu", viewport={"width": width, "height": 900}).evaluate(SHIFTS) < 0.02


def test_weight(opened: Callable[..., Any], watched: Watched) -> None:
    """The first load is below 150 KB, compressed as a server does it."""
    own = opened().url
    files = {urlsplit(url).path.removeprefix("/browser/") or "index.html" for url in watched.requests if url.startswith(own)}
    assert "models.json" in files
    assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in files) < 150_000


def test_served_by_sizeup(new_page: Callable[..., Any], watched: Watched) -> None:
    """Under `sizeup serve`, with its content security policy: isolated, the test runs in its worker, the name leads to the main page."""
    pytest.importorskip("uvicorn", reason="needs the extra `web`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sizeup", "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            page = new_page("webgpu")
            reached(page, f"http://127.0.0.1:{port}/browser/?lang=en")
            page.wait_for_selector(".row")
            assert page.evaluate("crossOriginIsolated") is True
            clicked(page)
            assert texts("en")("browser.ran.worker") in page.inner_text("#what")
            assert page.get_attribute("#home", "href") == "../?lang=en"
        finally:
            server.terminate()
            server.wait(10)


def reached(page: Any, url: str) -> None:
    """Open a page of a server that is just starting."""
    for attempt in range(50):
        try:
            page.goto(url)
            return
        except Exception:
            if attempt == 49:
                raise
            time.sleep(0.2)
