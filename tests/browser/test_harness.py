"""The harness itself: a real Chromium, a server with ranges and isolation, and errors that do not pass unseen."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe import violations
from tests.browser.chromium import Watched
from tests.browser.serving import Server

PAGE = '<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,"><main><h1>t</h1>{}</main></html>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pages in a folder."""
    (tmp_path / "index.html").write_text(PAGE.format("<p>fine</p>"), encoding="utf-8")
    (tmp_path / "bad.html").write_text(PAGE.format('<img src="data:,"><script>console.error("no")</script>'), encoding="utf-8")
    (tmp_path / "ten.bin").write_bytes(bytes(range(10)))
    return tmp_path


def test_ranges(static_server: Callable[..., Server], folder: Path) -> None:
    """A range answers 206 with just those bytes, and a path cannot leave its folder."""
    server = static_server({"/files": folder})
    request = urllib.request.Request(f"{server.url}/files/ten.bin", headers={"Range": "bytes=3-5"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert (answer.status, answer.headers["Content-Range"], answer.read()) == (206, "bytes 3-5/10", bytes([3, 4, 5]))
    assert server.file("/files/../serving.py") is None
    assert server.file("/files/") == folder / "index.html"


@pytest.mark.parametrize("isolated", [False, True])
def test_isolation(new_page: Callable[..., Any], static_server: Callable[..., Server], folder: Path, isolated: bool) -> None:
    """A page is cross-origin isolated exactly when the server's headers say so."""
    page = new_page()
    page.goto(static_server({"/": folder}, isolated=isolated).url)
    assert page.evaluate("crossOriginIsolated") is isolated


@pytest.mark.parametrize(("flags", "expected"), [("no-gpu", False), ("webgpu", True)])
def test_adapters(new_page: Callable[..., Any], static_server: Callable[..., Server], folder: Path, flags: str, expected: bool) -> None:
    """The software adapter is there with its flags and only with them."""
    page = new_page(flags)
    page.goto(static_server({"/": folder}).url)
    assert page.evaluate("async () => !!(await navigator.gpu?.requestAdapter())") is expected


def test_errors_and_axe_are_seen(
    new_page: Callable[..., Any], watched: Watched, static_server: Callable[..., Server], folder: Path
) -> None:
    """A console error is kept until it is forgiven; axe finds nothing on the good page and the missing text on the bad one."""
    url = static_server({"/": folder}).url
    page = new_page()
    page.goto(url)
    assert violations(page) == []
    page.goto(f"{url}/bad.html")
    assert [line.split(":")[0] for line in violations(page)] == ["critical image-alt"]
    assert watched.errors == ["console: no"]
    watched.forgive("no")
