"""Thousands of questions made from the OpenAPI document, right and wrong ones, asked of the server in this process.

    python -m tools.rest_cases [--cases 10000]

Prints how many there were by status, the slowest, and every one that was answered with 5xx or with what its schema does not say. Needs
schemathesis. Half of the questions name a real model or machine, since random names hardly ever do.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from sizeup.web.app import app
from sizeup.web.examples import LOAD, NODES
from sizeup.web.serving import Serving

REAL = {
    "model": ("qwen3:8b", "gemma3:4b", "qwen3:30b-a3b", "deepseek-r1", "mamba-130m-hf", "openai/gpt-oss-20b", "whisper-large-v3"),
    "things": ("qwen3:8b", "gemma3:4b", "qwen3:8b@rtx-4090", "qwen3:8b:Q8_0@", "rtx-4090", "m3-max-64gb"),
    "on": ("rtx-4090", "2x rtx-3090", "m3-max-64gb", "raspberry-pi-5-8gb", "8x h100", "rtx-4090 and rtx-3060 over 10gbe"),
    "name": ("rtx-4090", "strix halo", "Standard_NC4as_T4_v3"),
    "gpu": ("h100", "rtx-4090"),
    "teacher": ("qwen3:32b",),
    "sibling": ("qwen3:0.6b",),
    "quant": ("Q4_K_M", "Q8_0", "IQ2_XXS", "F16"),
    "which": ("sizes", "machines"),
    "for": ("chat", "code", "qwen3:8b"),
    "word": ("moe", "kv cache"),
    "engine": ("llama.cpp",),
}
"""Names that mean something, by parameter."""
DOCUMENTS = {"nodes": (NODES, {"node": [{"machine": "2x l40s", "count": 2}]}), "load": (LOAD,)}
"""Documents that mean something."""
SLOW = ("/api/fleet_plan", "/api/table", "/api/upgrade", "/api/machines", "/api/shrink")
"""Routes that look at dozens of machines or models for one answer: asked a twentieth as often, so that the others are asked more."""
PATIENCE_S = 60.0
"""A server waits less long; here a busy machine must not look like a failure."""
CHECKS = (not_a_server_error, response_schema_conformance, status_code_conformance)


class Outcome(NamedTuple):
    """What came of the questions."""

    statuses: Counter[int]
    slowest: list[tuple[float, str]]
    failures: list[str]


def real_names(case: Any, chance: random.Random) -> None:
    """Put real names into most of a question, and leave out most of what may be left out."""
    case.query = realer(dict(case.query or {}), chance)
    if isinstance(case.body, dict):
        case.body = realer(case.body, chance)


def realer(fields: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The fields with real names in most of them."""
    found = dict(fields)
    for name in fields:
        if name in REAL and chance.random() < 0.8:
            many = isinstance(found[name], list)
            found[name] = [chance.choice(REAL[name]) for _ in found[name][:4]] if many else chance.choice(REAL[name])
        elif name in DOCUMENTS and chance.random() < 0.5:
            found[name] = chance.choice(DOCUMENTS[name])
        elif name not in REAL and chance.random() < 0.6:
            del found[name]
    return found


def ask(cases: int, number: int = 0) -> Outcome:
    """Ask this many questions, spread over all routes, the same ones for the same number."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app(Serving(names=("testserver",), seconds=PATIENCE_S)))
    routes = [found.ok() for found in schema.get_all_operations()]
    statuses: Counter[int] = Counter()
    slowest: list[tuple[float, str]] = []
    failures: list[str] = []
    chance = random.Random(number)
    weights = {route.path: 0.05 if route.path in SLOW else 1.0 for route in routes}
    unit = cases / sum(weights.values())
    for route in routes:
        print(f"{time.strftime('%H:%M:%S')}  {statuses.total():6,}  {route.path}", file=sys.stderr, flush=True)
        for mode, share in ((schemathesis.GenerationMode.POSITIVE, 0.6), (schemathesis.GenerationMode.NEGATIVE, 0.4)):
            for case, real in _cases(route, mode, max(1, round(unit * weights[route.path] * share)), chance):
                start = time.perf_counter()
                try:
                    response = case.call(timeout=2 * PATIENCE_S)
                except Exception as error:  # what the application itself raises comes through an in-process client
                    failures.append(f"{case.method} {case.path} {case.query}\n  {type(error).__name__}: {error}")
                    continue
                took = time.perf_counter() - start
                statuses[response.status_code] += 1
                slowest = sorted([*slowest, (took, f"{case.method} {case.path} {case.query}")], reverse=True)[:5]
                try:
                    case.validate_response(response, checks=CHECKS if real else CHECKS[:1])
                except Exception as error:  # what schemathesis raises is many exceptions
                    failures.append(f"{case.method} {case.path} {case.query}\n  {str(error)[:600]}")
    return Outcome(statuses, slowest, failures)


def _cases(route: Any, mode: Any, count: int, chance: random.Random) -> Iterator[tuple[Any, bool]]:
    """So many questions for one route."""
    found: list[Any] = []

    @seed(chance.randrange(1 << 30))
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=route.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    for case in found:
        if chance.random() < 0.7:
            real_names(case, chance)
        yield case, mode == schemathesis.GenerationMode.POSITIVE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    start = time.perf_counter()
    found = ask(wanted.cases, wanted.seed)
    print(f"{found.statuses.total():,} questions in {time.perf_counter() - start:.0f} s:", dict(sorted(found.statuses.items())))
    for took, question in found.slowest:
        print(f"{took:8.2f} s  {question}")
    for failure in found.failures[:50]:
        print("FAILED", failure)
    print(f"{len(found.failures)} failures")
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(main())
