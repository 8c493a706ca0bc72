"""A bench: what it asks, which clock it believes, what it makes of several answers at once, and a real engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sizeup import store
from sizeup.bench.measure import Asked, _One, bench, check, spread, together
from sizeup.errors import Unavailable, UserError
from sizeup.points import Point
from sizeup.servers.client import Server
from sizeup.servers.openai import Answered
from tests.program import Run
from tests.small_model import small_model
from tests.stores import served
from tests.test_converse import END, event


class Api:
    """An OpenAI-compatible server that counts a token a word and says its own rates; deeper prompts than `most` words are refused."""

    def __init__(self, most: int = 10**9, timings: bool = True) -> None:
        self.most, self.timings = most, timings
        self.prompts: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/v1/models":
            return 200, {"data": [{"id": "m"}]}
        text = body["messages"][-1]["content"]
        with self.lock:
            self.prompts.append(text)
        if len(text.split()) > self.most:
            return 400, {"error": {"message": "the request exceeds the available context size"}}
        return 200, self.stream(len(text.split()))

    def stream(self, words: int) -> Iterator[bytes]:
        yield event("a")
        yield event("b")
        timings = {"timings": {"prompt_n": words, "prompt_per_second": 100.0, "predicted_per_second": 10.0}} if self.timings else {}
        told = {"choices": [], "usage": {"prompt_tokens": words, "completion_tokens": 2}, **timings}
        yield b"data: " + json.dumps(told).encode() + b"\n\n"
        yield END


def test_rows_and_prompts() -> None:
    """A row for each depth, its prompt as long as asked by the server's own count, its rates the server's, and no beginning asked twice."""
    api = Api()
    with served(api) as base:
        found = bench(Server(base), "m", Asked((0, 1000), (1,), 64, 2, 3))
    assert [(p.depth_tokens, p.prefill_tokens_per_s, p.decode_tokens_per_s, p.decode_repeats) for p in found.points] == [
        (0, 100.0, 10.0, 3),
        (1000, 100.0, 10.0, 3),
    ]
    assert found.timed_by == "server"
    assert [abs(prompt - wanted) <= wanted // 50 + 1 for prompt, wanted in zip(found.prompts, (64, 1064), strict=True)] == [True, True]
    assert len({text.split()[0] for text in api.prompts}) == len(api.prompts) == 7


def test_without_timings_it_is_our_clock() -> None:
    """A server that tells no timings is timed here, and it is said."""
    with served(Api(timings=False)) as base:
        assert bench(Server(base), "m", Asked()).timed_by == "clock"


def test_a_row_that_is_refused() -> None:
    """A depth beyond the server's context has no rates; the others have theirs. When none has, the refusal is told."""
    with served(Api(most=300)) as base:
        found = bench(Server(base), "m", Asked((0, 5000), (1,), 64, 2, 1))
    assert [point.reached for point in found.points] == [True, False]
    with served(Api(most=201)) as base, pytest.raises(Unavailable):
        bench(Server(base), "m", Asked((5000,), (1,), 64, 2, 1))


def answer(times: tuple[float, ...], tokens: int, rate: float | None = None) -> _One:
    return _One(Answered("", 10, tokens, "length", 0.0, 0.0, None, rate, "server"), times)


@pytest.mark.parametrize(
    ("answers", "rate"),
    [
        ([answer((0.0, 1.0), 2, 7.5)], 7.5),
        # Two of four tokens in three seconds, both all the time: after the first of each, three tokens each in three seconds.
        ([answer((0.0, 1.0, 2.0, 3.0), 4), answer((0.0, 1.0, 2.0, 3.0), 4)], 2.0),
        # Only the second from 2 to 3 is common to both.
        ([answer((0.0, 1.0, 2.0, 3.0), 4), answer((2.0, 3.0, 4.0), 3)], 2.0),
        # Pieces of two tokens each.
        ([answer((0.0, 1.0, 2.0), 6), answer((0.0, 1.0, 2.0), 6)], 4.0),
        ([answer((0.0, 1.0), 2), answer((5.0, 6.0), 2)], None),
        ([answer((0.0,), 1), answer((0.0, 1.0), 2)], None),
    ],
)
def test_answers_at_once(answers: list[_One], rate: float | None) -> None:
    """Of several, tokens are counted while all of them came; none when they never came together."""
    assert together(answers) == rate


def test_spread() -> None:
    """Half the distance of the quartiles as a share of the median; nothing is said of fewer than three."""
    assert (spread([1.0, 2.0]), spread([10.0, 10.0, 10.0]), spread([8.0, 10.0, 12.0])) == (0.0, 0.0, 0.1)


@pytest.mark.parametrize(
    "asked", [Asked(depths=(-1,)), Asked(batches=(0,)), Asked(batches=(65,)), Asked(prompt_tokens=1), Asked(repeats=0)]
)
def test_what_cannot_be_measured(asked: Asked) -> None:
    """Refused before anything is started."""
    with pytest.raises(UserError):
        check(asked)


def test_a_server_by_its_address(sizeup: Run) -> None:
    """A table and bars within 80 columns; the measurement is kept; what is no such server is a sentence."""
    with served(Api()) as base:
        said = sizeup("bench", "--url", f"{base}/v1", "--depths", "0,1000", "--batches", "1,2", "--repeats", "1")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 80
    assert "█" in said.out
    (kept,) = store.measurements("m")
    assert [(point.depth_tokens, point.sequences) for point in kept.points] == [(0, 1), (0, 2), (1000, 1), (1000, 2)]
    with served(lambda method, path, body: (200, b"hello")) as base:
        wrong = sizeup("bench", "--url", base)
    assert (wrong.code, wrong.out) == (5, "")


def test_nothing_is_named(sizeup: Run) -> None:
    """Neither a file nor an address: a mistake."""
    assert sizeup("bench").code == 2


@pytest.mark.engine
def test_a_real_file(sizeup: Run) -> None:
    """The embedded engine at two depths, alone and two at once; rates are its own, and the row's prompt is as deep as asked."""
    said = sizeup(
        "bench", str(small_model()), "--depths", "0,300", "--batches", "1,2", "--prompt-tokens", "32", "--decode-tokens", "8",
        "--repeats", "1", "--json",
    )  # fmt: skip
    found = json.loads(said.out)
    assert (said.code, found["timed_by"], len(found["rows"])) == (0, "server", 4)
    assert all(point["decode_tokens_per_s"] > 0 for point in found["points"])
    assert 300 <= found["rows"][2]["prompt_tokens"] <= 400
    assert [Point(**{name: point[name] for name in ("depth_tokens", "sequences")}) for point in found["points"]] == [
        Point(0, 1),
        Point(0, 2),
        Point(300, 1),
        Point(300, 2),
    ]
