"""REST says what the command line says, operation by operation."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlencode

import pytest

pytest.importorskip("starlette", reason="needs the extra `web`")

from sizeup.engines import HOME
from sizeup.operations import NAMES, operations
from sizeup.operations.skins import LANG, UNITS, WHY
from sizeup.web.app import app
from tests.client import Client
from tests.program import Run

SAME = {
    "fit qwen3:8b --on rtx-4090 --context 8192 --kv-type q8_0": "fit?model=qwen3:8b&on=rtx-4090&context=8192&kv_type=q8_0",
    "fit qwen3:32b --on rtx-3060 --quant Q8_0": "fit?model=qwen3:32b&on=rtx-3060&quant=Q8_0",
    "fit qwen3:8b --on rtx-4090 --no-flash-attention --no-mmap": "fit?model=qwen3:8b&on=rtx-4090&flash_attention=false&no_mmap=true",
    "fit qwen3:8b --on rtx-4090 --why cache --lang zh-Hant": "fit?model=qwen3:8b&on=rtx-4090&why=cache&lang=zh-Hant",
    "fit qwen3:8b --on rtx-4090 --front --context 4096": "fit?model=qwen3:8b&on=rtx-4090&front=1&context=4096",
    "fit qwen3:8b gemma3:4b --on rtx-4090 --together": "fit?model=qwen3:8b&model=gemma3:4b&on=rtx-4090&together=true",
    "fit qwen3:8b --on rtx-3060 --grid --quants Q8_0,Q4_K_M --contexts 4096,32K": "grid?model=qwen3:8b&on=rtx-3060&quants=Q8_0,Q4_K_M&contexts=4096,32K",
    "plan qwen3:8b --on rtx-4090 --vram 12GiB --in-use 1GiB --in-use ram=3GiB": "plan?model=qwen3:8b&on=rtx-4090&vram=12GiB&in_use=1GiB&in_use=ram=3GiB",
    "models --on rtx-4090 --limit 3 --for code": "models?on=rtx-4090&limit=3&for=code",
    "fit qwen3:8b --engine mlx --on m4-max-128gb": "fit?model=qwen3:8b&engine=mlx&on=m4-max-128gb",
    "fit qwen3:8b --engine transformers --on rtx-4090": "fit?model=qwen3:8b&engine=transformers&on=rtx-4090",
    "plan qwen3:8b --engine vllm --on h100 --tensor-parallel 1": "plan?model=qwen3:8b&engine=vllm&on=h100&tensor_parallel=1",
    "plan qwen3:8b --engine vllm --on h100 --set enforce_eager=on --set max_num_seqs=8": "plan?model=qwen3:8b&engine=vllm&on=h100&set=enforce_eager%3Don&set=max_num_seqs=8",
    "fit qwen3:8b --engine sglang --on rtx-4090": "fit?model=qwen3:8b&engine=sglang&on=rtx-4090",
    "models Qwen/Qwen3-8B --on rtx-4090": "models?model=Qwen/Qwen3-8B&on=rtx-4090",
    "machines qwen3:8b --rent --limit 3 --budget $2": "machines?model=qwen3:8b&rent=true&limit=3&budget=$2",
    "model qwen3:8b": "model?model=qwen3:8b",
    "machine m3-max-64gb": "machine?name=m3-max-64gb",
    "machine rtx-40 --list": "machine?name=rtx-40&list=1",
    "compare qwen3:8b gemma3:4b --on rtx-4090": "compare?things=qwen3:8b&things=gemma3:4b&on=rtx-4090",
    "table machines --context 4096": "table?which=machines&context=4096",
    "upgrade --on rtx-3060 --for qwen3:32b --limit 2": "upgrade?on=rtx-3060&for=qwen3:32b&limit=2",
    "shrink Qwen/Qwen3-0.6B --on rtx-3060 --layers 21 --quant Q4_K_M": "shrink?model=Qwen/Qwen3-0.6B&on=rtx-3060&layers=21&quant=Q4_K_M",
    "shrink qwen3:4b --on rtx-3060 --to 3GiB": "shrink?model=qwen3:4b&on=rtx-3060&to=3GiB",
    "shrink Qwen/Qwen3-0.6B --on rtx-3060 --sparsity 2:4 --why": "shrink?model=Qwen/Qwen3-0.6B&on=rtx-3060&sparsity=2:4&why=all",
    "train qwen3:0.6b --method lora --rank 8": "train?model=qwen3:0.6b&method=lora&rank=8",
    "train qwen3:0.6b --on rtx-4090": "train?model=qwen3:0.6b&on=rtx-4090",
    "pretrain --parameters 8B": "pretrain?parameters=8B",
    "pretrain qwen3:8b --gpu h100 --gpus 64 --why": "pretrain?model=qwen3:8b&gpu=h100&gpus=64&why=all",
    "dataset": "dataset",
    "browser llama3.2:1b --engine webllm": "browser?model=llama3.2:1b&engine=webllm",
    "browser qwen3:0.6b --quant Q8_0 --slowest 2.5": "browser?model=qwen3:0.6b&quant=Q8_0&slowest=2.5",
    "explain kv cache --lang zh-Hans --on raspberry-pi-5-8gb": "explain?word=kv&word=cache&lang=zh-Hans&on=raspberry-pi-5-8gb",
    "explain LoRA --model qwen3:8b --on rtx-4090": "explain?word=LoRA&model=qwen3:8b&on=rtx-4090",
}
"""A command line -> the same question to REST."""


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(app())


@pytest.mark.parametrize("typed", SAME)
def test_the_command_line_and_rest_answer_alike(sizeup: Run, client: Client, typed: str) -> None:
    """The JSON of `sizeup … --json` is the body of the same question over HTTP; "does not fit" is an answer."""
    said = sizeup(*shlex.split(typed.replace("$", "\\$")), "--json")
    reply = client.get(f"/api/{SAME[typed]}")
    assert said.code in (0, 3)
    assert (reply.status, reply.json) == (200, json.loads(said.out))


def test_every_operation_is_compared() -> None:
    """Each operation that has a verb stands above; those that are posted are compared in test_rest_fleet."""
    assert sorted(set(NAMES) - {question.partition("?")[0] for question in SAME.values()}) == [
        "fleet_plan",
        "installed",
        "names",
        "prove",
        "rehearse",
        "settings",
        "texts",
        "tokens",
        "verify",
    ]


def test_every_parameter_is_worded() -> None:
    """No parameter of any operation lacks its text."""
    from sizeup.i18n import texts

    every = [*((one.name, p) for one in operations() for p in one.parameters), *(("", p) for p in (LANG, UNITS, WHY))]
    assert [f"{name} {p.name}" for name, p in every if not texts("en").has(p.text_key)] == []


MISTAKES = {
    "fit?modle=qwen3:8b": (400, "There is no parameter modle.", "model"),
    "fit?model=qwen3:8b&context=1&context=2": (400, "context is given 2 times.", "context once"),
    "fit": (400, "model is missing.", "model=…"),
    "fit?model=qwen3:8b&context=many": (400, "“many” is not a number.", "8192 or 32K"),
    "fit?model=no-such-model-anywhere": (404, None, None),
    "fit?model=/etc/passwd": (
        403,
        "A model is named by its path, and this server reads no files for others.",
        "sizeup serve --allow-files",
    ),
    "fit?model=./config.json": (403, None, None),
    "compare?things=/etc/passwd&things=qwen3:8b": (403, None, None),
    "train?model=qwen3:8b&teacher=/etc/passwd": (403, None, None),
    "upgrade?on=rtx-3060&for=/etc/passwd": (403, None, None),
    "shrink?model=qwen3:8b&sibling=/etc/passwd": (403, None, None),
    "machine?name=/etc/passwd": (
        403,
        "A machine is named by a file, and this server reads no files for others.",
        "sizeup serve --allow-files",
    ),
    "machine?name=rtx-4090 and ./box.toml over 10gbe": (403, None, None),
    "pretrain?parameters=8B&gpu=/etc/passwd": (403, None, None),
    "dataset?file=/etc/passwd": (403, None, None),
    "tokens?file=/etc/passwd": (403, "A file is named, and this server reads no files for others.", "sizeup serve --allow-files"),
    "tokens": (400, "No file is named.", "sizeup tokens FILE, or a folder"),
    "installed": (
        403,
        "The models on this machine are asked for, and this server reads no files for others.",
        "sizeup serve --allow-files",
    ),
    "models?limit=0": (400, "--limit = 0 is below 1.", "--limit 10"),
    "shrink?model=qwen3:8b&layers=18.5": (400, "“18.5” is not a whole number.", "8192 or 32K"),
    "shrink?model=qwen3:8b&to=0": (400, "--to = 0 is below 1.", "--to 24GiB"),
    "shrink?model=qwen3:8b&context=2000000000000000000": (
        400,
        "--context = 2,000,000,000,000,000,000 is above 1,000,000,000,000,000,000.",
        "--context 8192",
    ),
    "models?why=all": (400, None, None),
    "machines?model=qwen3:8b&why=all": (400, "There is no parameter why.", None),
    "fit?model=%ff": (400, "The question is not a query string of UTF-8.", None),
    "fitt": (404, "There is no operation fitt.", "/api/fit"),
}


@pytest.mark.parametrize("question", MISTAKES)
def test_mistakes(client: Client, question: str) -> None:
    """A mistake is one sentence and a way out, with its status."""
    status, message, hint = MISTAKES[question]
    reply = client.get("/api/" + question.replace(" ", "%20"))
    error = reply.json["error"]
    assert (reply.status, sorted(error)) == (status, ["kind", "message", "try"])
    assert message in (None, error["message"])
    assert hint in (None, error["try"])


@pytest.mark.parametrize(("asked", "accepted", "expected"), [
    ("zh-Hant", "en", "沒有 modle 這個參數。"),
    ("", "zh-CN,zh;q=0.9,en;q=0.8", "没有 modle 这个参数。"),
    ("", "en;q=0.5, zh-TW;q=0.9", "沒有 modle 這個參數。"),
    ("", "de", "There is no parameter modle."),
])  # fmt: skip
def test_languages(client: Client, asked: str, accepted: str, expected: str) -> None:
    """Errors speak the language asked for, else the one that the client accepts."""
    query = urlencode({"modle": "x", **({"lang": asked} if asked else {})})
    assert client.get(f"/api/fit?{query}", accept_language=accepted).json["error"]["message"] == expected


def test_names(client: Client) -> None:
    """Names begin with what was typed before they hold it; a machine says its label and memory."""
    models = client.get("/api/names?q=qwen3:8&limit=5").json["names"]
    assert models[0] == {
        "name": "qwen3:8b",
        "id": "Qwen/Qwen3-8B",
        "parameters": 8190735360,
        "active_parameters": 8190735360,
        "context_tokens": 40960,
    }
    assert [one["name"] for one in client.get("/api/names?kind=engine").json["names"]] == list(HOME)
    boxes = client.get("/api/names?kind=machine&q=rtx-4090&limit=1").json["names"]
    assert [(one["name"], one["label"], one["memory_bytes"]) for one in boxes] == [("rtx-4090", "GeForce RTX 4090", 25757220864)]


def test_names_are_names(client: Client) -> None:
    """What is offered is taken: a sample of models and of machines is read by the names told."""
    from sizeup.operations.names import machine_names
    from sizeup.probe import machine

    assert [one.name for one in machine_names()[::15] if not machine(one.name).pools] == []
    for one in client.get("/api/names?limit=200").json["names"][::40]:
        assert client.get(f"/api/model?model={one['name']}").json["parameters"] == one["parameters"]


def test_texts(client: Client) -> None:
    """The page's words, flat, in the language asked for."""
    words = client.get("/api/texts?lang=zh-Hant").json
    assert words["part.weights"] == "權重"
    assert {key.partition(".")[0] for key in words} >= {"part", "pool", "bound", "option", "fit"}


def test_words_of_an_answer(client: Client) -> None:
    """`told` adds the words that the terminal would say."""
    reply = client.get("/api/fit?model=qwen3:8b&on=rtx-4090&told=1&lang=zh-Hant").json
    assert reply["told"]["fits"] is True
    assert reply["told"]["origins"].keys() == {claim["part"] for claim in reply["breakdown"]["claims"] if claim["bytes"]}


def test_an_operation_that_is_posted(client: Client) -> None:
    """What exists is not said to be missing: operations are asked for with GET."""
    reply = client.send("POST", "/api/shrink", b"{}", content_type="application/json", origin="http://127.0.0.1:8780")
    assert (reply.status, reply.json["error"]["message"], reply.json["error"]["try"]) == (
        405,
        "The operation shrink is asked for with GET.",
        "GET /api/shrink?…",
    )
