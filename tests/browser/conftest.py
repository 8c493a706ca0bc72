"""Fixtures for tests in a real browser. `make browser` installs Chromium; without it these tests are skipped by name."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium as chrome
from tests.browser.serving import Server, served


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[..., Any]]:
    """`chromium("default" | "no-gpu" | "webgpu")`: one running browser for each set of flags and session."""
    if chrome.executable() is None:
        pytest.skip("no Chromium on this machine: `make browser` installs it (as root, with apt-get)")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install -r requirements.txt")
    with chrome.browsers() as browser:
        yield browser


@pytest.fixture
def watched() -> Iterator[chrome.Watched]:
    """Errors and requests of this test's pages; the test fails at its end when a page had an error that it did not forgive."""
    watching = chrome.Watched()
    yield watching
    watching.close()
    assert watching.errors == []


@pytest.fixture
def new_page(chromium: Callable[..., Any], watched: chrome.Watched) -> Callable[..., Any]:
    """`new_page(flags="default", **context_options)`: an empty profile's page; any console or page error fails the test."""

    def page(flags: str = "default", **options: Any) -> Any:
        return watched.page(chromium(flags), **options)

    return page


@pytest.fixture
def static_server() -> Iterator[Callable[..., Server]]:
    """`static_server({"/": folder}, isolated=False, cors=False).url`: a loopback server with byte ranges."""
    with contextlib.ExitStack() as stack:

        def serve(mounts: dict[str, Path], isolated: bool = False, cors: bool = False) -> Server:
            return stack.enter_context(served(mounts, isolated, cors))

        yield serve


@pytest.fixture(scope="session")
def sizeup_server() -> Iterator[str]:
    """The address of `sizeup serve` on loopback, in a thread of this process, ending with a slash."""
    uvicorn = pytest.importorskip("uvicorn")
    from sizeup.web.app import app
    from sizeup.web.run import bound
    from sizeup.web.serving import Serving

    listening = bound("127.0.0.1", 0, True)
    server = uvicorn.Server(uvicorn.Config(app(Serving(port=listening.getsockname()[1])), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)
