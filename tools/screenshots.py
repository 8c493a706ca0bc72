"""The README's pictures of the page: `python -m tools.screenshots`. Needs Chromium and the extra `web`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[1] / "docs" / "images"


class Picture(NamedTuple):
    """One picture: what is shown, how wide and high, on which paper."""

    name: str
    address: str
    width: int
    height: int
    theme: str = "light"


FIT = "#fit?model=Qwen/Qwen3-8B&on=rtx-4090&context=32768&quant=Q6_K"
PICTURES = (
    Picture("page-fit-light", f"{FIT}&lang=en", 1440, 1180),
    Picture("page-fit-dark-zh-Hant", "#fit?model=openai/gpt-oss-120b&on=rtx-4090&ram=128GiB&lang=zh-Hant", 1440, 1180, "dark"),
    Picture("page-models-zh-Hans", "#models?on=m4-max-128gb&for=code&lang=zh-Hans", 768, 900),
    Picture("page-phone-zh-Hans", f"{FIT}&lang=zh-Hans", 360, 1500),
    Picture("page-train-dark", "#train?model=Qwen/Qwen3-8B&on=rtx-4090&method=qlora&lang=en", 768, 900, "dark"),
)


def main() -> None:
    """Draw them all."""
    import uvicorn
    from playwright.sync_api import sync_playwright
    from tests.browser.chromium import launch

    from sizeup.web.app import app
    from sizeup.web.run import bound
    from sizeup.web.serving import Serving

    listening = bound("127.0.0.1", 0, True)
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app(Serving(port=port)), log_level="error"))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright, "default")
        for picture in PICTURES:
            page = browser.new_context(viewport={"width": picture.width, "height": picture.height}, color_scheme=picture.theme).new_page()
            page.goto(f"http://127.0.0.1:{port}/{picture.address}")
            page.wait_for_selector(".answer:not(.stale) :is(h1, .title)")
            page.wait_for_selector(":is(.heatmap, .ranking, .parts.short)")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{picture.name}.png")
        browser.close()
    server.should_exit = True


if __name__ == "__main__":
    main()
