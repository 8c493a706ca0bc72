"""sizeup browser: a model in typical browsers, and in those of one's visitors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sizeup
from sizeup.browser import Device, Model, judge
from sizeup.browser.audience import Audience, Visitor, read_audience
from sizeup.browser.classes import Typical, typical
from sizeup.browser.describe import builds
from sizeup.browser.device import device_json, from_json
from sizeup.browser.limits import engines
from sizeup.browser.model import models
from sizeup.browser.shares import reach
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import cells
from tests.program import Run

LLAMA = "meta-llama/Llama-3.2-1B-Instruct"
VISITORS = """count,platform,browser,deviceMemory,webgpu,features,maxStorageBufferBindingSize,gpuReadBytesPerS,country
60,windows,chrome,16,adapter,shader-f16 subgroups,2GiB,54e9,TW
30,android,chrome,8,adapter,,128MiB,,TW
10,linux,chrome,16,no-adapter,,,,JP
"""


@pytest.fixture
def visitors(tmp_path: Path) -> str:
    """An audience of three kinds of browsers."""
    path = tmp_path / "devices.csv"
    path.write_text(VISITORS, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_typical_browsers(sizeup: Run, language: str) -> None:
    """Every class of browsers has its row, within 80 columns, in every language; each cause is told."""
    said = sizeup("browser", LLAMA, "--lang", language)
    t = texts(language)
    assert (said.code, said.err) == (0, "")
    assert [one.id for one in typical() if t(f"browser.class.{one.id}") not in said.out] == []
    assert t("browser.reason.no_adapter")[:12] in said.out
    assert max(map(cells, said.out.splitlines())) <= 80


@pytest.mark.parametrize("language", LANGUAGES)
def test_audience(sizeup: Run, visitors: str, language: str) -> None:
    """Shares are of all visitors; columns that say nothing are named."""
    said = sizeup("browser", LLAMA, "--audience", visitors, "--slowest", "20", "--lang", language)
    assert (said.code, said.err) == (0, "")
    assert "country" in said.out
    assert texts(language)("browser.cli.any") in said.out
    assert max(map(cells, said.out.splitlines())) <= 80


def test_audience_as_json(sizeup: Run, visitors: str) -> None:
    """60 of 100 surely run it at 20 tokens/s; those without an adapter are out for WebLLM, for that reason."""
    answer = json.loads(sizeup("browser", LLAMA, "--audience", visitors, "--slowest", "20", "--engine", "webllm", "--json").out)
    (row,) = answer["engines"]
    assert (answer["rows"], answer["ignored_columns"], row["engine"]) == (3, ["country"], "webllm")
    assert (row["pace"]["sure"], row["load"]["possible"]) == (0.6, 0.9)
    assert (row["main_reason"]["key"], row["main_reason"]["share"]) == ("no_adapter", 0.1)


def test_json_says_what_is_assumed(sizeup: Run) -> None:
    """Every typical browser names the values that nobody states; keys are in snake case."""
    answer = json.loads(sizeup("browser", LLAMA, "--engine", "wllama", "--json").out)
    assert [row["browser"] for row in answer["browsers"]] == [one.id for one in typical()]
    assert all(row["assumed"] for row in answer["browsers"])
    verdict = answer["browsers"][0]["verdicts"][0]
    assert {"engine_bytes", "precision", "quota"} <= set(verdict["download"])
    assert {"runs_on", "peak_bytes", "room_bytes"} <= set(verdict["load"])


def test_a_file_of_ones_own(sizeup: Run, model: str) -> None:
    """A GGUF on disk is judged by its own bytes."""
    answer = json.loads(sizeup("browser", model, "--engine", "wllama", "--json").out)
    (build,) = answer["builds"]
    assert (build["bytes"], build["precision"]) == (Path(model).stat().st_size, "exact")


def test_nothing_fits(sizeup: Run) -> None:
    """A model that no browser can load is an answer, and exit 3."""
    assert sizeup("browser", "meta-llama/Llama-3.1-405B-Instruct", "--engine", "wllama").code == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("count,platform,deviceMemory\n1,windows,much\n", "Line 2"),
        ("count,platform,webgpu\n1,windows,adapter\n2,ios,perhaps\n", "Line 3"),
        ("count,wasmSimd\n1,maybe\n", "wasmSimd is not yes or no"),
        ("count,maxBufferSize\n1,2G\n", "maxBufferSize is not a size"),
        ("count,platform\nmany,ios\n", "count is not a number"),
        ("count,country\n1,TW\n", "no column that says anything"),
        ("count,platform\n", "no rows"),
        ("count,share,platform\n1,2,ios\n", "mixed"),
        ("", "no column"),
    ],
)
def test_broken_audiences(sizeup: Run, tmp_path: Path, content: str, words: str) -> None:
    """A mistake names its line, its column and its value; there is never a traceback."""
    path = tmp_path / "broken.csv"
    path.write_text(content, encoding="utf-8")
    said = sizeup("browser", LLAMA, "--audience", str(path))
    assert said.code in (2, 4)
    assert words in said.err
    assert "Try" in said.err


def test_unreadable_audiences(sizeup: Run, tmp_path: Path) -> None:
    """No file, a folder, and bytes that are no text are told apart from rows."""
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\x01" * 10)
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "bytes.csv"):
        assert sizeup("browser", LLAMA, "--audience", str(path)).code == 4


def test_tolerant_audiences(tmp_path: Path) -> None:
    """Semicolons, a byte order mark, other spellings of names, thousands, percents, blanks and short rows are taken as meant."""
    path = tmp_path / "excel.csv"
    path.write_text(
        "\ufeffShare;Device Memory;max_buffer_size;WEBGPU;Features\n75 %;8;1073741824;Adapter;shader-f16|subgroups\n25;;;\n\n", "utf-8"
    )
    first, second = read_audience(str(path)).visitors
    assert (first.share, first.device.memory_gib, first.device.buffer_bytes) == (0.75, 8, 2**30)
    assert (first.device.gpu, first.device.features) == ("adapter", ("shader-f16", "subgroups"))
    assert second.device == Device()


@given(st.lists(st.sampled_from(range(11)), min_size=1, max_size=12))
def test_shares_hold_together(chosen: list[int]) -> None:
    """What is sure is possible; all engines together reach at least what each does; nothing exceeds the whole."""
    rows = tuple(Visitor(typical()[i].device, 1 / len(chosen), n) for n, i in enumerate(chosen))
    found = reach(SOME, Audience(rows, ()), 5)
    together = found[-1]
    for row in found:
        for share, whole in ((row.download, together.download), (row.load, together.load), (row.pace, together.pace)):
            assert 0 <= share.sure <= share.possible + 1e-9 <= 1 + 2e-9
            assert share.sure <= whole.sure + 1e-9
            assert share.possible <= whole.possible + 1e-9


SOME = [model for model in models() if "Llama-3.2-1B" in model.name]
SIZES = st.integers(min_value=1, max_value=40_000_000_000)
ORDER = {"yes": 0, "maybe": 1, "unknown": 1, "no": 2}


@given(st.sampled_from(typical()), st.sampled_from(["wllama", "webllm", "transformers.js", "mediapipe"]), SIZES, SIZES)
def test_more_bytes_are_never_easier(one: Typical, engine: str, a: int, b: int) -> None:
    """Of two models for one browser the larger is never loaded or downloaded where the smaller is not."""
    small, large = sorted((a, b))
    device = one.device
    first, second = (judge(Model("x", engine, bytes=size, parameters=size), device) for size in (small, large))
    assert ORDER[first.load.answer] <= ORDER[second.load.answer]
    assert ORDER[first.download.answer] <= ORDER[second.download.answer]


@given(st.sampled_from(typical()), SIZES)
def test_more_memory_is_never_worse(one: Typical, size: int) -> None:
    """Twice the memory, the binding limit and the quota never turn a yes into less."""
    device = one.device
    if device.memory_gib is None or device.quota_bytes is None:
        return
    more = replace(device, memory_gib=device.memory_gib * 2, quota_bytes=device.quota_bytes * 2)
    for engine in ("wllama", "webllm", "transformers.js", "mediapipe"):
        model = Model("x", engine, bytes=size, parameters=size)
        assert ORDER[judge(model, more).load.answer] <= ORDER[judge(model, device).load.answer]


def test_devices_survive_json() -> None:
    """A device written as JSON is read back as it was."""
    assert [from_json(device_json(one.device)) for one in typical()] == [one.device for one in typical()]


def test_a_quant_of_ones_choice() -> None:
    """--quant changes the GGUF and nothing else."""
    spec = sizeup.read(LLAMA)
    by_mix = {mix: next(builds(spec, mix, [engines()["wllama"]])).bytes for mix in ("Q2_K", "Q8_0")}
    assert by_mix["Q2_K"] < by_mix["Q8_0"]


def test_no_phone_holds_what_no_phone_has() -> None:
    """“8 GB or more” on a phone is not without end: a model of 17 GB is out; on a PC nobody knows the card."""
    device = {one.id: one.device for one in typical()}
    build = Model("x", "webllm", bytes=17 * 2**30, parameters=30_000_000_000)
    answers = {name: judge(build, device[name]).load.answer for name in ("phone-new", "iphone", "desktop-gpu")}
    assert answers == {"phone-new": "no", "iphone": "no", "desktop-gpu": "maybe"}
