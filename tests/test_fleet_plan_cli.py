"""sizeup fleet plan as it is typed: every language within 80 columns, JSON for programs, files with several models."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from sizeup.i18n import LANGUAGES
from sizeup.page import cells
from tests.conftest import Run

FLEET = ("--on", "2x h100-sxm", "--count", "2", "--on", "epyc-9654", "--count", "1")
LOAD = """
availability = "1-node"

[[model]]
model = "Qwen/Qwen3-8B"
requests_per_s = 6
ttft = "1s"
tpot = "40ms"

[[model]]
model = "Qwen/Qwen3-0.6B"
users = 4
prompt_tokens = 300
answer_tokens = 100
engine = "vllm"
"""


@pytest.fixture
def load(tmp_path: Path) -> str:
    path = tmp_path / "load.toml"
    path.write_text(LOAD)
    return str(path)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rate", ["5", "500"])
def test_eighty_columns(sizeup: Run, language: str, rate: str) -> None:
    """A possible plan ends with 0 and an impossible one with 3, with the workings too, and no place is left unfilled."""
    said = sizeup("fleet", "plan", "--model", "Qwen/Qwen3-8B", "--requests-per-s", rate, *FLEET, "--why", "--lang", language)
    assert said.err == ""
    assert said.code == (0 if rate == "5" else 3)
    assert max(map(cells, said.out.splitlines())) <= 80
    assert "{" not in said.out
    assert "fplan." not in said.out


def test_json(sizeup: Run, load: str) -> None:
    """Everything of the text: who serves what where, memory of every rank, limits, changes, a lost node."""
    told = json.loads(sizeup("fleet", "plan", "--load", load, *FLEET, "--json").out)
    assert (told["possible"], told["availability"]) == (True, "1-node")
    for target in told["targets"]:
        (served,) = target["served_by"]
        split = served["split"]
        assert len(served["rank_bytes"]) == split["tensor_parallel"] * split["pipeline_parallel"]
        assert len(served["nodes"]) == served["replicas"] == 2
        assert served["load_each"] * 2 == target["requests_per_s"] or served["load_each"] * 2 == target["users"]
        assert served["under"]["first_token_p90_s"] <= target["first_token_goal_s"]
        assert served["command"].startswith("vllm serve Qwen/")
    assert [model["goals_hold"] for one in told["lost_node"] for model in one["models"]].count(False) == 0
    assert len(told["binding"]) == 3
    assert told["cost"]["cards"] == sum(served["cards"] for target in told["targets"] for served in target["served_by"])


def test_nodes_of_a_file(sizeup: Run, tmp_path: Path) -> None:
    """A described cluster and one that a scan saved give the same plan."""
    described, saved = tmp_path / "nodes.toml", tmp_path / "inventory.json"
    described.write_text('[[node]]\nname = "g"\nmachine = "2x h100-sxm"\ncount = 2\nfree_cards = 1\n')
    assert sizeup("fleet", "scan", "--file", str(described), "--save", str(saved)).code == 0
    ask = ("fleet", "plan", "--model", "Qwen/Qwen3-8B", "--users", "20", "--json", "--nodes")
    first, second = (json.loads(sizeup(*ask, str(path)).out) for path in (described, saved))
    assert first["free_cards"] == 2
    assert first["targets"] == second["targets"]


def test_files_for_the_scheduler(sizeup: Run, load: str, tmp_path: Path) -> None:
    """A folder for each model with its replicas; a second time nothing is replaced that is another."""
    ask = ("fleet", "plan", "--load", load, *FLEET, "--emit", "deployment", "--to", str(tmp_path / "out"))
    said = sizeup(*ask)
    assert said.code == 0
    written = {path.parent.name: path.read_text() for path in (tmp_path / "out").glob("*/deployment.yaml")}
    assert sorted(written) == ["qwen3-0-6b", "qwen3-8b"]
    assert ["replicas: 2" in text for text in written.values()] == [True, True]
    assert sizeup(*ask).code == 0
    (tmp_path / "out" / "qwen3-8b" / "deployment.yaml").write_text("mine")
    assert "is there already" in sizeup(*ask).err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--users", "5", *FLEET), "Nothing says which model"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--emit", "deployment", *FLEET), "go to a folder"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--emit", "nomad", "--to", "x", *FLEET), "no files for"),
        (("--model", "Qwen/Qwen3-8B", *FLEET), "either users or requests"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5"), "one cluster"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--on", "l40s", "--nodes", "x.json"), "one cluster"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--on", "l40s", "--count", "2", "--count", "3"), "--count is said 2 times"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--ttft", "soon", *FLEET), "is no time"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--availability", "always", *FLEET), "no availability"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--engine", "mlx", *FLEET), "no server"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--cache-type", "q3", *FLEET), "no type of cache"),
        (("--model", "Qwen/Qwen3-8B", "--users", "5", "--quant", "bf17", *FLEET), "bf17"),
    ],
)
def test_mistakes(sizeup: Run, args: tuple[str, ...], said: str) -> None:
    """Each is one sentence and a hint, exit 2."""
    found = sizeup("fleet", "plan", *args)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model = 3", "names no model"),
        ("[[model]]\nusers = 4", "says no model"),
        ('[[model]]\nmodel = "Qwen/Qwen3-8B"\nuser = 4', "knows no “user”"),
        ('[[model]]\nmodel = "Qwen/Qwen3-8B"\nusers = "many"', "is not a number"),
        ("[[model", "is not TOML"),
    ],
)
def test_broken_loads(sizeup: Run, tmp_path: Path, text: str, said: str) -> None:
    """What is wrong with a file is said in a sentence."""
    path = tmp_path / "load.toml"
    path.write_text(text)
    found = sizeup("fleet", "plan", "--load", str(path), *FLEET)
    assert found.code in (2, 4)
    assert said in found.err


def test_a_file_on_processors_is_handed_to_ray(sizeup: Run, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that the plan prints is one that `fleet up` takes, with the plan's context and slots: without Ray it ends where Ray is needed."""
    told = sizeup("fleet", "plan", "--model", model, "--users", "2", "--prompt-tokens", "300", "--on", "epyc-9654", "--count", "2")
    words = re.search(r"sizeup (fleet up\s.*?)\n\n", told.out, re.DOTALL)
    assert words is not None
    command = shlex.split(words[1])
    assert command[2] == model
    # Where lines break depends on how long the path is.
    assert f" -c {command[-3]} -np {command[-1]} " in " ".join(told.out.split())
    monkeypatch.setitem(sys.modules, "ray", None)
    said = sizeup(*command)
    assert (said.code, "Ray is not installed" in said.err) == (5, True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_over_nodes(sizeup: Run, language: str) -> None:
    """What lies between the nodes of a replica is told with its interval, or that it is not known and not counted."""
    ask = ("fleet", "plan", "--model", "Qwen/Qwen2.5-72B-Instruct", "--users", "2", "--ttft", "20s", "--tpot", "300ms")
    ask += ("--on", "1x h100-sxm", "--count", "2", "--lang", language)
    for more, told in (((), "--network"), (("--network", "25gbe"), "25gbe")):
        said = sizeup(*ask, *more)
        assert (said.code, told in said.out, max(map(cells, said.out.splitlines())) <= 80) == (0, True, True)
        between = json.loads(sizeup(*ask, *more, "--json").out)["targets"][0]["served_by"][0]["between_nodes"]
        assert (between["network"], between["crossings"]) == (more[-1] if more else None, 1)
        assert (between["token_s"] is None) == (not more)
    assert sizeup(*ask, "--network", "token-ring").code == 2
