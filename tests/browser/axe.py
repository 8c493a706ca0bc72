"""axe-core in a page: what a checker of accessibility finds. The script comes with the PyPI package axe-playwright-python."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

SERIOUS = ("serious", "critical")


def script() -> str:
    """The source of axe-core (MPL-2.0), from the installed package; only tests use it."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None
    assert found.submodule_search_locations
    return (Path(next(iter(found.submodule_search_locations))) / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Any, impacts: tuple[str, ...] = SERIOUS) -> list[str]:
    """What breaks WCAG 2.2 A and AA on the page as it stands, one line each: the rule, and the first element that breaks it."""
    # Evaluated through the debugger, so that a content security policy of the page does not stop it.
    page.evaluate(script() + "; void 0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    report = page.evaluate("tags => axe.run(document, { runOnly: tags })", tags)
    return [
        f"{rule['impact']} {rule['id']}: {rule['nodes'][0]['target']} {rule['nodes'][0].get('failureSummary', '')}"
        for rule in report["violations"]
        if rule["impact"] in impacts
    ]
