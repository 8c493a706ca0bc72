"""One formula: the page's module and Python say the same of every device and every model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sizeup.browser import judge
from sizeup.browser.device import device_json
from sizeup.browser.model import STATIC, model_json
from sizeup.browser.verdict import verdict_json
from tests.browser import vectors
from tests.browser.serving import Server

RULES = """async ([devices, models, cases]) => {
  const { judge } = await import("/rules/verdict.js");
  const { facts, loadLimits } = await import("/rules/limits.js");
  const known = facts(await loadLimits());
  const plain = value => JSON.stringify(value, (key, one) => one && typeof one === "object" && !Array.isArray(one)
    ? Object.fromEntries(Object.entries(one).sort()) : one);
  const wrong = [];
  for (const [device, model, expected] of cases) {
    const found = judge(models[model], devices[device], known);
    if (plain(found) !== plain(expected)) wrong.push([device, model, plain(expected), plain(found)]);
  }
  return [cases.length, wrong.slice(0, 3)];
}"""


@pytest.fixture
def page(new_page: Callable[..., Any], static_server: Callable[..., Server]) -> Any:
    """A bare page of the static folder's origin."""
    page = new_page()
    page.goto(f"{static_server({'/': STATIC}).url}/limits.json")
    return page


def test_vectors_are_current() -> None:
    """vectors.json is what Python says today; `python -m tests.browser.vectors` writes it."""
    assert vectors.PATH.read_text(encoding="utf-8") == vectors.written()


def test_the_page_says_what_the_file_says(page: Any) -> None:
    """Every case of vectors.json, in Chromium, to the last digit."""
    found = json.loads(vectors.PATH.read_text(encoding="utf-8"))
    cases = found["cases"]
    assert page.evaluate(RULES, [found["devices"], found["models"], cases]) == [len(cases), []]


def test_the_page_says_what_python_says_of_every_model(page: Any) -> None:
    """Every model of the list in every device, which the file is too small for."""
    pairs = list(vectors.cases(whole=True))
    devices, models = list(dict.fromkeys(d for d, _ in pairs)), list(dict.fromkeys(m for _, m in pairs))
    places = {d: i for i, d in enumerate(devices)}, {m: i for i, m in enumerate(models)}
    cases = [[places[0][d], places[1][m], verdict_json(judge(m, d))] for d, m in pairs]
    assert len(cases) > 5000
    content = [list(map(device_json, devices)), list(map(model_json, models)), cases]
    assert page.evaluate(RULES, content) == [len(cases), []]
