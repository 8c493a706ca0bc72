"""The page in a real browser: it says what the command line says, in three languages, by mouse, keyboard and link."""

from __future__ import annotations

import json
import re
import time
import xml.etree.ElementTree as Xml
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sizeup
from sizeup.i18n import LANGUAGES, texts
from sizeup.units import show_bytes
from tests.browser.axe import violations
from tests.small_model import small_model

FIT = "#fit?model=qwen3:8b&on=rtx-4090&context=8192"


@pytest.fixture
def open_page(new_page: Callable[..., Any], sizeup_server: str) -> Callable[..., Any]:
    """`open_page("#fit?…", **context_options)`: the page with its answer shown."""

    def opened(fragment: str = FIT, **options: Any) -> Any:
        page = new_page(**{"locale": "en", **options})
        page.goto(sizeup_server + fragment)
        page.wait_for_selector(".answer:not(.stale) :is(h1, .title, .failed)")
        page.wait_for_load_state("networkidle")
        return page

    return opened


def plan(**settings: Any) -> Any:
    """The plan that the library makes for the same question."""
    settings = {"context_tokens": 8192, **settings}
    return sizeup.fit(sizeup.read("qwen3:8b"), sizeup.machine("rtx-4090"), **settings)[0]


def cache_cell(page: Any) -> str:
    return str(page.locator('tr:has([data-part="cache"]) td').nth(1).inner_text())


def until(page: Any, condition: str) -> None:
    """Wait until a condition holds. Asked through the debugger, since the page's policy forbids to evaluate text in it."""
    end = time.monotonic() + 20
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(30)


def settled(page: Any) -> None:
    """Wait until the answer shown is the answer to what is asked."""
    page.wait_for_timeout(50)
    until(page, "!document.querySelector('.answer.stale')")


def test_a_slider_says_what_the_command_line_says(open_page: Callable[..., Any]) -> None:
    """Each step of the context slider shows the bytes and the pace that the library answers for that context."""
    page = open_page()
    slider = page.get_by_role("slider", name="Context")
    for key in ("ArrowRight", "PageUp", "End", "Home"):
        slider.press(key)
        settled(page)
        tokens = int(page.get_by_role("spinbutton", name="Context").input_value())
        expected = plan(context_tokens=tokens)
        assert cache_cell(page) == show_bytes(int(expected.breakdown.bytes("cache")))
        low, high = expected.speed.decode.lower, expected.speed.decode.upper
        assert f"{low:.0f}–{high:.0f} tok/s" in page.locator(".summary").inner_text()
        assert f"{tokens:,} tokens" in page.locator(".summary").inner_text()


def test_the_longest_context_is_the_longest(open_page: Callable[..., Any]) -> None:
    """The slider's mark is the longest context as things are placed: there the command stays, a block of cells later it must change."""
    page = open_page("#fit?model=llama3.1:8b&on=rtx-3060-12gb&quant=Q6_K&kv_type=q8_0&context=8192")

    def command() -> str:
        settled(page)
        return re.sub(r" -c \d+", "", page.locator(".command code").first.inner_text())

    placed = command()
    page.get_by_role("button", name="longest").click()
    number = page.get_by_role("spinbutton", name="Context")
    assert command() == placed
    assert int(number.input_value()) > 8192
    number.fill(str(int(number.input_value()) + 256))
    number.press("Enter")
    assert command() != placed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", ["fit", "models", "machines", "compare", "train", "tables"])
def test_every_view_in_every_language(open_page: Callable[..., Any], view: str, language: str) -> None:
    """All words are words: no key of the catalogue stands on the page, and the page says which language it speaks."""
    page = open_page(f"#{view}?model=qwen3:0.6b&on=rtx-4090&lang={language}")
    settled(page)
    assert page.locator("html").get_attribute("lang") == language
    assert page.title() == texts(language)("page.title")
    everything = page.locator("body").inner_text() + " ".join(
        page.locator("[aria-label]").evaluate_all("all => all.map(one => one.ariaLabel)")
    )
    keys = r"\b(?:page|part|pool|speed|fit|why|machines?|models?|compare|task|basis|kind|unit|leaf|option|train)\.[a-z_]+\b"
    assert re.findall(keys, everything) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["fit", "models", "machines", "compare", "train", "tables"])
def test_nothing_serious_for_who_cannot_see_it(open_page: Callable[..., Any], view: str, theme: str) -> None:
    """axe-core finds no serious breach of WCAG AA, on paper and in the dark."""
    page = open_page(f"#{view}?model=qwen3:0.6b&on=rtx-4090", color_scheme=theme, reduced_motion="reduce")
    settled(page)
    page.wait_for_timeout(300)
    assert violations(page) == []


def test_by_keyboard_alone(open_page: Callable[..., Any]) -> None:
    """A model is found, a cell of the map chosen, a derivation read and closed, without a mouse."""
    page = open_page()
    page.keyboard.press("/")
    page.keyboard.type("gemma-3-4b-it")
    page.wait_for_selector("#model-list li")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.verdict h1').textContent.startsWith('gemma-3-4b')")
    page.wait_for_selector(".heatmap .cell[tabindex='0']")
    settled(page)
    page.locator(".heatmap .cell[tabindex='0']").focus()
    before = page.locator(".summary").inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('.summary').innerText !== {json.dumps(before)}")
    settled(page)
    figure = page.locator("tr:has([data-part='weights']) button.figure").last
    figure.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] .step")
    assert "weights" in page.locator("dialog .step").first.inner_text()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")


def test_a_link_restores_everything(open_page: Callable[..., Any]) -> None:
    """What was set stands in the fragment, and opening it again shows the same answer."""
    page = open_page()
    page.get_by_text("q8_0", exact=True).click()
    page.get_by_label("Quantization").select_option("Q6_K")
    page.get_by_role("slider", name="Context").press("PageUp")
    settled(page)
    page.wait_for_load_state("networkidle")
    answer, link = page.locator(".verdict").inner_text(), page.evaluate("location.hash")
    assert "kv_type=q8_0" in link
    assert open_page(link).locator(".verdict").inner_text() == answer


def test_a_figure_of_the_machine_is_overruled(open_page: Callable[..., Any]) -> None:
    """A clicked figure takes another value, is marked as given, changes the answer, and goes back."""
    page = open_page("#fit?model=qwen3:32b&on=rtx-4090&context=8192&quant=Q4_K_M")
    assert page.locator(".verdict > .mark").inner_text() == "✓ fits"
    row = page.locator(".facts li", has_text="GPU memory")
    row.get_by_role("button").first.click()
    page.keyboard.type("16GiB")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.facts').textContent.includes('given')")
    settled(page)
    assert row.locator(".badge").inner_text() == "given"
    assert "16.0 GiB" in page.locator(".bar", has_text="RTX 4090").inner_text()
    row.get_by_label("Back to what was read").click()
    until(page, "!document.querySelector('.facts').textContent.includes('given')")
    settled(page)
    assert "24.0 GiB" in page.locator(".bar", has_text="RTX 4090").inner_text()


@pytest.mark.engine
def test_a_dropped_file_is_read_by_its_header(open_page: Callable[..., Any]) -> None:
    """A real GGUF dropped on the page is described from its header alone: the same bytes as the library reads from the file."""
    path = small_model()
    page = open_page()
    sent: list[int] = []
    page.on("request", lambda request: sent.append(len(request.post_data_buffer or b"")))
    page.locator("input[type=file]").evaluate("input => input.addEventListener('change', event => event.stopImmediatePropagation(), true)")
    page.locator("input[type=file]").set_input_files(path)
    page.evaluate("""() => {
        const files = new DataTransfer();
        files.items.add(document.querySelector("input[type=file]").files[0]);
        document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
    }""")
    until(page, "location.hash.includes('header:')")
    until(page, "document.querySelector('.facts') && document.querySelector('.verdict h1').textContent.includes('emma')")
    settled(page)
    expected = sizeup.fit(sizeup.read(str(path)), sizeup.machine("rtx-4090"), context_tokens=8192)[0]
    assert cache_cell(page) == show_bytes(int(expected.breakdown.bytes("cache")))
    assert 0 < max(sent) < Path(path).stat().st_size / 4


def test_a_broken_file_leaves_the_answer(open_page: Callable[..., Any], watched: Any, tmp_path: Path) -> None:
    """A file that is no GGUF, or ends within its header, is refused by its name, and what was shown stays."""
    (tmp_path / "other.gguf").write_bytes(b"hello, not a model")
    (tmp_path / "cut.gguf").write_bytes(b"GGUF" + (3).to_bytes(4, "little") + (99).to_bytes(8, "little") + (9).to_bytes(8, "little"))
    page = open_page()
    shown = page.locator(".verdict").inner_text()
    for name in ("other.gguf", "cut.gguf"):
        page.locator("input[type=file]").set_input_files(tmp_path / name)
        until(page, f"document.querySelector('.drop [role=alert]')?.innerText.includes('{name}')")
        assert page.locator(".verdict").inner_text() == shown
    watched.forgive("400")


def test_what_leaves_the_page(open_page: Callable[..., Any]) -> None:
    """JSON is the REST answer, CSV has a line a claim, SVG is a picture that stands alone, the command line asks the same."""
    page = open_page()

    def saved(name: str) -> str:
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        return Path(download.value.path()).read_text(encoding="utf-8")

    answer = json.loads(saved("JSON"))
    assert answer["breakdown"]["total_bytes"] == plan().breakdown.total_bytes
    assert len(saved("CSV").splitlines()) == 1 + len(answer["breakdown"]["claims"])
    picture = Xml.fromstring(saved("SVG"))
    assert [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")] != []
    assert "var(" not in Xml.tostring(picture, encoding="unicode")
    assert page.locator(".command code").nth(1).inner_text() == "sizeup fit qwen3:8b --on rtx-4090 --context 8192"


def test_small_still_and_alone(new_page: Callable[..., Any], watched: Any, sizeup_server: str) -> None:
    """The first load is below 150 KB, moves nothing that was shown, and asks nobody but this server."""
    page = new_page(locale="en")
    weights: list[int] = []
    page.on("requestfinished", lambda request: weights.append(request.sizes()["responseBodySize"]))
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => { if (!entry.hadRecentInput) window.shift += entry.value; }))"
        ".observe({ type: 'layout-shift', buffered: true })"
    )
    page.goto(sizeup_server + FIT)
    page.wait_for_selector(".heatmap")
    page.wait_for_load_state("networkidle")
    assert 20_000 < sum(weights) < 150_000
    assert page.evaluate("window.shift") < 0.01
    assert [url for url in watched.requests if not url.startswith((sizeup_server, "blob:", "data:"))] == []


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("view", ["fit", "models", "machines", "compare", "train", "tables"])
def test_no_width_scrolls_sideways(open_page: Callable[..., Any], view: str, width: int) -> None:
    """From a phone to a desk nothing is wider than the window."""
    page = open_page(f"#{view}?model=qwen3:0.6b&on=rtx-4090&lang=zh-Hant", viewport={"width": width, "height": 800})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_mistake_is_told(open_page: Callable[..., Any], watched: Any) -> None:
    """An unknown model is one sentence and what to try, in the page's language."""
    page = open_page("#fit?model=qwen9:900b&lang=zh-Hant")
    watched.forgive("404")
    watched.forgive("400")
    assert page.get_by_role("alert").first.inner_text() != ""
    assert "試" in page.locator(".failed").inner_text()


def test_numbers_are_written_as_in_the_terminal(open_page: Callable[..., Any]) -> None:
    """The page's sizes and the terminal's are the same text, for every order of magnitude and both systems of units."""
    page = open_page()
    counts = [0, 1, 1023, 1024, 10_239, 10_240, 999_999, 2**20 - 1, 104_857_599, 10**9, 2**30, 123_456_789_012, 2**40, 5 * 10**15]
    for units in ("iec", "si"):
        shown = page.evaluate(
            "async ([counts, units]) => { const text = await import('./text.js'); return counts.map(one => text.bytes(one, units)); }",
            [counts, units],
        )
        assert shown == [show_bytes(count, units) for count in counts]
