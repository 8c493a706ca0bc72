"""Chromium for tests: where it is, its flags, and pages that fail a test when anything goes wrong in them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

MS = 1000
START_MS = 60 * MS
STEP_MS = 30 * MS
"""A browser that hangs must fail a test, not the whole run."""

BASE = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    # Containers often have 64 MB of shared memory, where a page with a model in it crashes.
    "--disable-dev-shm-usage",
    # Nothing but this machine can be reached, so a page that asks the world shows up as an error.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
FLAGS = {
    "default": (),
    "no-gpu": ("--disable-gpu",),
    "webgpu": ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"),
}
"""Sets of flags by name: as it comes (on a machine without a GPU: the API, no adapter), and a software adapter (SwiftShader)."""


def executable() -> str | None:
    """Path of the Chromium to use: SIZEUP_CHROMIUM, else the system's; None when there is none."""
    return os.environ.get("SIZEUP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Any, flags: str) -> Browser:
    """A headless browser with a set of FLAGS."""
    # Chromium's sandbox refuses to start for root, and only there is it given up.
    rootless = ("--no-sandbox",) if os.geteuid() == 0 else ()
    browser: Browser = playwright.chromium.launch(
        executable_path=executable(), headless=True, args=[*BASE, *FLAGS[flags], *rootless], timeout=START_MS
    )
    return browser


class Watched:
    """Pages of one test and what went wrong in them."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._forgiven: list[str] = []
        self.requests: list[str] = []
        self._contexts: list[BrowserContext] = []

    def page(self, browser: Browser, **options: Any) -> Page:
        """A page in a new, empty profile; `options` are those of Playwright's `new_context` (locale, viewport, color_scheme, …)."""
        context = browser.new_context(**options)
        context.set_default_timeout(STEP_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._wrong(f"console: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: self._wrong(f"page: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))
        return page

    def forgive(self, text: str) -> None:
        """Drop errors that hold this text: the test has provoked and checked them. Also those that are told only later."""
        self._forgiven.append(text)
        self.errors = [error for error in self.errors if text not in error]

    def _wrong(self, error: str) -> None:
        if not any(text in error for text in self._forgiven):
            self.errors.append(error)

    def close(self) -> None:
        for context in self._contexts:
            with contextlib.suppress(Exception):
                context.close()


@contextlib.contextmanager
def browsers() -> Iterator[Any]:
    """A function from a name of FLAGS to a running browser, started when first asked for; all are closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running: dict[str, Browser] = {}

        def browser(flags: str = "default") -> Browser:
            if flags not in running or not running[flags].is_connected():
                running[flags] = launch(playwright, flags)
            return running[flags]

        try:
            yield browser
        finally:
            for one in running.values():
                with contextlib.suppress(Exception):
                    one.close()
