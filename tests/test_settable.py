"""Settings of each engine by their own names: `--set NAME=VALUE`, read off the engines' Settings and nowhere else."""

from __future__ import annotations

import dataclasses
import json
import os
import re

import pytest

from sizeup.engines import HOME, engine
from sizeup.errors import UserError
from sizeup.i18n import LANGUAGES, texts
from sizeup.page import cells
from sizeup.settable import settable, typed
from tests.program import Run
from tests.test_cli_process import program_run

TYPED_WRONG = {
    ("vllm", "gpu_mem_util=0.9"): ("vLLM has no setting “gpu_mem_util”.", "gpu_memory_utilization"),
    ("vllm", "gpu_memory_utilization=2"): ("gpu_memory_utilization = 2.0 is no share of a card's memory.", "0.9"),
    ("vllm", "max_num_seqs=many"): ("max_num_seqs = many is not a number.", "max_num_seqs=64"),
    ("vllm", "enforce_eager=7"): ("enforce_eager = 7 is neither on nor off.", "enforce_eager=on or enforce_eager=off"),
    ("vllm", "kv_cache_bytes=2G"): ("“2G” has two readings that differ by 7 %.", "2GiB (binary) or 2GB (decimal)"),
    ("vllm", "context_tokens=4096"): ("context_tokens has an option of its own.", "--context"),
    ("vllm", "eager"): ("“eager” is not a setting and its value.", "--set NAME=VALUE, or --set help for the names"),
    ("mlx", "kv_bits=3"): ("kv_bits = “3” is not one of 0, 2, 4, 8.", "0, 2, 4, 8"),
    ("transformers", "cache=statik"): ("cache = “statik” is not one of dynamic, static.", "static"),
    ("mlx", "xyz=1"): ("mlx has no setting “xyz”.", ", ".join(settable(engine("mlx").Settings))),
}
"""Engine and setting -> the error and its way out."""

SHOWN = {
    ("vllm", "h100", "enforce_eager=on"): "--enforce-eager",
    ("vllm", "h100", "max_num_seqs=64"): "--max-num-seqs 64",
    ("vllm", "h100", "max-num-batched-tokens=4K"): "--max-num-batched-tokens 4096",
    ("vllm", "h100", "gpu_memory_utilization=0.85"): "--gpu-memory-utilization 0.85",
    ("vllm", "h100", "num_blocks=2000"): "--num-gpu-blocks-override 2000",
    ("vllm", "h100", "kv_cache_bytes=8GiB"): "--kv-cache-memory-bytes 8589934592",
    ("vllm", "2x h100", "pipeline_parallel=2"): "--pipeline-parallel-size 2",
    ("sglang", "h100", "mem_fraction_static=0.7"): "--mem-fraction-static 0.7",
    ("sglang", "h100", "prefix_caching=off"): "--disable-radix-cache",
    ("mlx", "m4-max-128gb", "kv_bits=4"): "--kv-bits 4",
    ("mlx", "m4-max-128gb", "server=on"): "mlx_lm.server",
    ("transformers", "rtx-4090", "cache=static"): 'cache_implementation="static"',
    ("transformers", "rtx-4090", "device_map=sequential"): 'device_map="sequential"',
    ("llama.cpp", "rtx-4090", "op_offload=off"): "--no-op-offload",
    ("llama.cpp", "rtx-4090", "gpu_layers=20"): "-ngl 20",
}
"""Engine, machine and setting -> what the command that is told says of it."""


@pytest.mark.parametrize("name", HOME)
def test_settings_are_the_fields(name: str) -> None:
    """What can be typed are the engine's own fields, all but models, cards and the context; each is worded in every language."""
    kind = engine(name).Settings
    rest = {field.name for field in dataclasses.fields(kind)} - settable(kind).keys()
    assert rest <= {"context_tokens", "cards", "draft", "projector", "adapters"}
    assert [one for one in settable(kind) for language in LANGUAGES if f"setting.{one}" not in texts(language).group(["setting"])] == []


@pytest.mark.parametrize("name", HOME)
def test_defaults_can_be_typed(name: str) -> None:
    """A default as help shows it means itself."""
    kind = engine(name).Settings
    for setting in settable(kind).values():
        if setting.default not in (None, "", ()):
            assert typed(name, kind, [(setting.name, str(setting.default))]) == {setting.name: setting.default}


@pytest.mark.parametrize("asked", TYPED_WRONG)
def test_mistakes(sizeup: Run, asked: tuple[str, str]) -> None:
    """A wrong name offers the nearest, a wrong value what it may be; the range is the engine's own check."""
    said = sizeup("plan", "qwen3:8b", "--on", "m4-max-128gb" if asked[0] == "mlx" else "h100", "--engine", asked[0], "--set", asked[1])
    message, hint = TYPED_WRONG[asked]
    assert (said.code, said.err) == (2, f"{message}\nTry: {hint}\n")


@pytest.mark.parametrize("asked", SHOWN)
def test_settings_reach_the_command(sizeup: Run, asked: tuple[str, str, str]) -> None:
    """What was set stands in the JSON and in the command."""
    name, machine, text = asked
    answer = json.loads(sizeup("plan", "qwen3:8b", "--on", machine, "--engine", name, "--set", text, "--json").out)
    field, _, value = text.replace("-", "_").partition("=")
    kind = engine(name).Settings
    expected = typed(name, kind, [(field, value)])[field]
    assert answer["settings"][field] == expected
    assert SHOWN[asked] in answer["command"]


def test_a_setting_is_said_once(sizeup: Run) -> None:
    """By its option or by its name, not by both; nor twice by its name."""
    ask = ("plan", "qwen3:8b", "--on", "h100", "--engine", "vllm", "--set", "tensor_parallel=1")
    for again in (("--tensor-parallel", "1"), ("--set", "tensor-parallel=1")):
        assert sizeup(*ask, *again).err == "tensor_parallel is given twice.\nTry: tensor_parallel once\n"


def test_all_the_ways_of_asking(sizeup: Run) -> None:
    """`fit`, its grid and what is driven take settings too."""
    fitted = json.loads(sizeup("fit", "qwen3:8b", "--on", "m4-max-128gb", "--engine", "mlx", "--set", "kv_bits=8", "--json").out)
    assert {plan["settings"]["kv_bits"] for plan in (fitted, *fitted["others"])} == {8}
    grid = sizeup(
        "fit", "qwen3:8b", "--on", "h100", "--engine", "vllm", "--set", "max_num_seqs=8", "--grid", "--contexts", "4096", "--json"
    )
    assert {"--max-num-seqs 8" in cell["command"] for cell in json.loads(grid.out)["cells"] if cell["command"]} == {True}
    driven = sizeup("run", "qwen3:8b", "--engine", "ollama", "--set", "k=q8_0", "--set", "v=q8_0", "hello")
    assert "OLLAMA_KV_CACHE_TYPE=q8_0" in driven.out


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", HOME)
def test_the_list(sizeup: Run, name: str, language: str) -> None:
    """`--set help` needs no model, lists every setting in 80 columns, and as JSON the same."""
    said = sizeup("fit", "--engine", name, "--set", "help", "--lang", language)
    assert (said.code, said.err) == (0, "")
    assert max(map(cells, said.out.splitlines())) <= 80
    content = json.loads(sizeup("fit", "--set=help", "--engine", name, "--json").out)
    assert [one["name"] for one in content["settings"]] == list(settable(engine(name).Settings))
    assert [one["name"] for one in content["settings"] if f"  {one['name']}=" not in said.out] == []


def test_settings_over_rest() -> None:
    """A repeated `set=` is the same question; the list has a route of its own."""
    pytest.importorskip("starlette", reason="needs the extra `web`")
    from sizeup.web.app import app
    from tests.client import Client

    client = Client(app())
    reply = client.get("/api/plan?model=qwen3:8b&on=h100&engine=vllm&set=max_num_seqs%3D8&set=enforce_eager=on")
    assert (reply.json["settings"]["max_num_seqs"], reply.json["settings"]["enforce_eager"]) == (8, True)
    wrong = client.get("/api/plan?model=qwen3:8b&on=h100&engine=vllm&set=help").json["error"]
    assert (wrong["message"], wrong["try"]) == ("“help” is not a setting and its value.", "--set help by itself, or /api/settings")
    listed = client.get("/api/settings?engine=mlx").json
    assert (listed["engine"], listed["settings"][3]["name"], listed["settings"][3]["value"]) == ("mlx", "kv_bits", "0|2|4|8")


def test_completion() -> None:
    """The shell completes the engine's names, then the words that a value may be."""
    for word, expected in (("kv_b", ["kv_bits="]), ("server=o", ["server=on", "server=off"])):
        environment = {**os.environ, "_SIZEUP_COMPLETE": "bash_complete", "COMP_CWORD": "6"}
        said = program_run(env={**environment, "COMP_WORDS": f"sizeup fit x --engine mlx --set {word}"})
        assert said.stdout.split() == [f"plain,{text}" for text in expected]


def test_a_model_cannot_be_typed() -> None:
    """Python's objects are for Python."""
    with pytest.raises(UserError, match=re.escape("llama.cpp has no setting “draft”")):
        typed("llama.cpp", engine("llama.cpp").Settings, [("draft", "qwen3:0.6b")])
