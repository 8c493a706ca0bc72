"""Files that are handed over, each checked by the program that will read it, where that is installed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sizeup.fleet.artefacts import TARGETS, emit
from sizeup.fleet.artefacts.wanted import Wanted, wanted
from tests.handed import plan, several_nodes
from tests.slurm_controller import controller
from tests.test_artefacts import cluster, documents, pods

KUBERNETES = "1.34"
ORACLE = os.environ.get("SIZEUP_VLLM_ORACLE", "")
COMPOSE = shutil.which("docker-compose")


def handed(target: str) -> list[Wanted]:
    """What there is of a target: every engine that it starts, on one node and on several."""
    if target == "lws":
        return [several_nodes(), several_nodes("sglang")]
    if target == "rayservice":
        return [wanted(plan(), 2, cluster()), several_nodes()]
    return [wanted(plan(engine=engine), 2, cluster()) for engine in ("vllm", "sglang")] + [
        wanted(plan("Qwen/Qwen3-8B", "rtx-4090", "llama.cpp"))
    ]


@pytest.mark.parametrize("target", ["deployment", "lws", "rayservice"])
def test_kubernetes_takes_them(target: str) -> None:
    """Every Deployment, Service and pod is of the schema, strictly; a misspelt field is not."""
    tool = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is not installed (pip install kubernetes-validate==1.37.0)"
    )
    seen = 0
    for document in (document for found in handed(target) for document in documents(found, target)):
        known = document["apiVersion"] in ("apps/v1", "v1")
        templates = pods(document)
        for one in (
            [document]
            if known
            else [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": pod["spec"]} for pod in templates]
        ):
            tool.validate(one, KUBERNETES, strict=True)
            seen += 1
        for pod in templates:
            wrong = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {**pod["spec"], "tolerationz": []}}
            with pytest.raises(tool.ValidationError):
                tool.validate(wrong, KUBERNETES, strict=True)
    assert seen >= 4


@pytest.mark.skipif(COMPOSE is None, reason="docker-compose is not installed (Debian: docker-compose)")
@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp"])
def test_docker_compose_takes_them(engine: str, tmp_path: Path) -> None:
    """`docker-compose config` reads the file and says the same command; a misspelt field is refused."""
    text = emit(wanted(plan("Qwen/Qwen3-8B", "rtx-4090", engine), 2), "compose").files["compose.yaml"]
    command = [str(COMPOSE), "-f", "compose.yaml", "config"]
    (tmp_path / "compose.yaml").write_text(text)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    said, meant = (next(iter(yaml.safe_load(one)["services"].values()))["command"] for one in (done.stdout, text))
    assert said == meant
    (tmp_path / "compose.yaml").write_text(text.replace("shm_size", "shm_sizes").replace("mem_limit", "mem_limits"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).returncode != 0


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with controller(tmp_path_factory.mktemp("slurm"), sleeping=True) as config:
        yield config


def test_only(config: Path, text: str, folder: Path) -> str:
    """What `sbatch --test-only` says of a script."""
    (folder / "serve.sbatch").write_text(text)
    environment = {**os.environ, "SLURM_CONF": str(config)}
    return subprocess.run(["sbatch", "--test-only", "serve.sbatch"], cwd=folder, capture_output=True, text=True, env=environment).stderr


test_only.__test__ = False  # type: ignore[attr-defined]


def test_sbatch_takes_them(slurm: Path, tmp_path: Path) -> None:
    """A real controller finds nodes for one and for two of them; more cards than a node has and a wrong directive are refused."""
    for found, nodes in ((wanted(plan()), "h1"), (several_nodes(), "h[1-2]")):
        said = test_only(slurm, emit(found, "sbatch").files["serve.sbatch"], tmp_path)
        assert ("to start at" in said, f"on nodes {nodes} in partition gpu" in said or said) == (True, True)
    text = emit(wanted(plan()), "sbatch").files["serve.sbatch"]
    wrong = [test_only(slurm, text.replace(*change), tmp_path) for change in (("gpu:2", "gpu:9"), ("--gres=", "--gress="))]
    assert ["configuration is not available" in wrong[0], "unrecognized option" in wrong[1]] == [True, True]


@pytest.mark.skipif(not ORACLE, reason="vLLM's Python files are not prepared: python -m tools.vllm_oracle FOLDER")
def test_vllm_parses_them() -> None:
    """The parser of `vllm serve` itself takes every command line and reads the plan's numbers in it; a misspelt option is refused."""
    split = several_nodes()
    lines = [
        wanted(plan()).arguments(),
        [*split.arguments(), *split.spread("1", "leader"), "--headless"],
        ["x", "--kv-cache-memory-byte-s", "1"],
    ]
    lines.append(wanted(plan(kv_cache_dtype="fp8", max_num_seqs=64, enforce_eager=True, prefix_caching=False)).arguments())
    asked = subprocess.run(
        [str(Path(ORACLE) / "venv" / "bin" / "python"), "-c", PARSE],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(ORACLE) / "wheel"), "CUDA_VISIBLE_DEVICES": ""},
    )
    told: list[Any] = json.loads(asked.stdout.splitlines()[-1])
    bytes_told = int(lines[0][lines[0].index("--kv-cache-memory-bytes") + 1])
    assert told[0] == ["Qwen/Qwen3-32B", 2, 1, bytes_told, 1, True]
    assert (told[1][1:3], told[1][4], told[2], told[3][5]) == ([8, 2], 2, None, False)


PARSE = """
import json, sys
import vllm.platforms
# No card is here, and the parser wants to know which.
type(vllm.platforms.current_platform).device_type = "cuda"
from vllm.entrypoints.common.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser, told = make_arg_parser(FlexibleArgumentParser()), []
for line in json.load(sys.stdin):
    try:
        one = parser.parse_args(line)
        told.append([one.model_tag, one.tensor_parallel_size, one.pipeline_parallel_size, one.kv_cache_memory_bytes, one.nnodes, one.enable_prefix_caching is not False])
    except SystemExit:
        told.append(None)
print(json.dumps(told))
"""


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own fields under the newest pydantic
def test_ray_takes_them() -> None:
    """Ray Serve's own schema takes the file, its own LLMConfig what is within; a misspelt field is refused."""
    pytest.importorskip("ray", reason="Ray is not installed (make test-ray)")
    from ray.llm._internal.serve.core.configs.llm_config import LLMConfig
    from ray.serve.schema import ServeDeploySchema

    for found in (wanted(plan(), 2), several_nodes()):
        (document,) = documents(found, "ray-llm")
        schema = ServeDeploySchema.model_validate(document)
        assert schema.applications[0].import_path == "ray.serve.llm:build_openai_app"
        (config,) = document["applications"][0]["args"]["llm_configs"]
        assert LLMConfig(**config).engine_kwargs == config["engine_kwargs"]
        with pytest.raises(ValueError, match="engine_kwarg\n"):
            LLMConfig(**{**config, "engine_kwarg": {}})


def test_scripts_are_shell() -> None:
    """bash reads every script that is written, and the words of the server come out as they were."""
    for name in ("args", "sbatch"):
        text = emit(wanted(plan()), name).files[TARGETS[name].file]
        assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0
    assert shlex.split(emit(wanted(plan()), "args").files["serve.sh"], comments=True)[1:] == wanted(plan()).words("127.0.0.1")
