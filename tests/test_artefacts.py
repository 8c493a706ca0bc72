"""A plan as files for the programs that run it: what they ask for, and that the log which is expected reads back as the plan."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sizeup.errors import Refused, SizeupError, UserError
from sizeup.facts import Source
from sizeup.fleet.artefacts import LOG, TARGETS, emit, expected, write
from sizeup.fleet.artefacts.wanted import Wanted, wanted
from sizeup.fleet.cards import card, host
from sizeup.fleet.node import Inventory, Node
from sizeup.readers import read
from sizeup.verification import verify
from tests.handed import plan, several_nodes
from tests.program import Run

DATA = Path(__file__).parent / "data" / "fleet"
GIB = 2**30
SCHEMA = jsonschema.Draft7Validator


def documents(found: Wanted, target: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(emit(found, target).files[TARGETS[target].file]))


def pods(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every pod template within an object."""
    if isinstance(document, dict):
        own = [document] if "containers" in document.get("spec", {}) else []
        return own + [pod for value in document.values() for pod in pods(value)]
    return [pod for value in document for pod in pods(value)] if isinstance(document, list) else []


def cluster(
    free: int = 8, count: int = 2, product: str = "NVIDIA-H100-80GB-HBM3", free_gib: int = 2048, state: Any = "ready", **changes: Any
) -> Inventory:
    """Nodes with eight cards each, labelled and tainted."""
    where = Source("read", "a label")
    box = host("a", 2048 * GIB, free_gib * GIB, 192, [card(product, where)] * 8, where)
    labels = {"nvidia.com/gpu.product": product, "topology.kubernetes.io/zone": "a"}
    values: dict[str, Any] = {"resource": "nvidia.com/gpu", "labels": labels, "taints": ("nvidia.com/gpu:NoSchedule", "team=llm:NoExecute")}
    nodes = tuple(Node(f"n{number}", box, state, free, 192.0, **{**values, **changes}) for number in range(count))
    return Inventory("kubernetes", "prod", nodes, "2026-11-21")


def test_what_a_pod_asks_for() -> None:
    """Cards by the resource's name, memory for every rank and its shard, two processors and one a rank, /dev/shm within the memory."""
    found = wanted(plan(), 2, cluster())
    (pod,) = (pod["spec"] for pod in pods(documents(found, "deployment")[0]))
    (server,) = pod["containers"]
    assert server["resources"]["limits"]["nvidia.com/gpu"] == server["resources"]["requests"]["nvidia.com/gpu"] == "2"
    assert server["resources"]["requests"] == {"cpu": "4", "memory": f"{found.memory_bytes // GIB}Gi", "nvidia.com/gpu": "2"}
    shard = max(int(claim.bytes) for claim in found.plan.breakdown.claims if claim.part == "weights")
    assert 0 <= found.memory_bytes - (shard + 4 * GIB + 2 * GIB + 2 * 6 * GIB) < GIB
    assert pod["volumes"][1]["emptyDir"] == {"medium": "Memory", "sizeLimit": "4096Mi"}
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    assert pod["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "operator": "Equal", "value": "llm", "effect": "NoExecute"},
    ]


def test_the_image_is_of_the_release_that_was_planned() -> None:
    """Another release is another image."""
    images = {wanted(plan(engine_version=version)).image for version in ("0.33.0", "0.21.0")}
    assert images == {"vllm/vllm-openai:v0.33.0", "vllm/vllm-openai:v0.21.0"}


def test_the_pool_is_pinned() -> None:
    """vLLM is told the bytes of the fewest blocks that are sure, so that what it prints is known before it starts."""
    asked, found = plan(), wanted(plan())
    assert found.plan.breakdown.pool.num_blocks == asked.breakdown.pool.least_blocks  # type: ignore[attr-defined]
    words = found.words()
    assert int(words[words.index("--kv-cache-memory-bytes") + 1]) == found.plan.breakdown.by_part()["cache"] // 2


def test_a_start_is_waited_for() -> None:
    """Twice the download, the reading and the preparation: the probe gives up no earlier; each figure stands above it in the file."""
    found = wanted(plan())
    weights = sum(int(claim.bytes) for claim in found.plan.breakdown.claims if claim.part == "weights")
    probe = pods(documents(found, "deployment")[0])[0]["spec"]["containers"][0]["startupProbe"]
    assert 0 <= probe["periodSeconds"] * probe["failureThreshold"] - 2 * (weights / 1e8 + weights / 1e9 + 300) < 11
    text = emit(found, "deployment").files["deployment.yaml"]
    assert all(f"# {line}" in text for line in found.start.words())


@pytest.mark.parametrize("target", sorted({*TARGETS} - {"lws"}))
def test_the_expected_log_is_in_every_file(target: str) -> None:
    """As a file of its own and as comments; the scheduler's directives are still seen."""
    found = wanted(plan())
    files = emit(found, target).files
    assert files[LOG] == "\n".join(expected.lines(found)) + "\n"
    assert all(f"#   {line}\n" in files[TARGETS[target].file] for line in expected.lines(found))


@pytest.mark.parametrize(
    ("name", "on", "engine", "asked"),
    [
        ("Qwen/Qwen3-32B", "2x h100-sxm nvlink", "vllm", {}),
        ("Qwen/Qwen3-8B", "l40s", "vllm", {"context_tokens": 32768}),
        ("google/gemma-3-27b-it", "2x h100-sxm nvlink", "vllm", {"quant": "fp8"}),
        ("Qwen/Qwen3-8B", "h100-sxm", "sglang", {}),
    ],
)  # fmt: skip
def test_verify_reads_the_expected_log_back(name: str, on: str, engine: str, asked: dict[str, Any]) -> None:
    """Every line that is expected is one that `sizeup verify` knows, and it finds that it went as planned."""
    found = wanted(plan(name, on, engine, **asked))
    text = emit(found, "args").files[LOG]
    (read_back,) = verify(text.encode(), model=read(name), keep=False)
    parts = {row.part for row in read_back.rows}
    assert (read_back.why, parts >= {"weights"}, {row.verdict for row in read_back.rows}) == ("", True, {"equal"})
    assert [(one.name, one.logged) for one in read_back.counts] == [(one.name, one.predicted) for one in read_back.counts]
    assert len(read_back.counts) == (2 if engine == "vllm" else 0)


def test_llama_cpp_is_read_back() -> None:
    """Buffers of llama.cpp's log are those of the plan, card by card."""
    found = wanted(plan("Qwen/Qwen3-8B", "rtx-4090", "llama.cpp", quant="Q4_K_M"))
    (read_back,) = verify(emit(found, "compose").files[LOG].encode(), model=read("Qwen/Qwen3-8B"), keep=False)
    assert {(b.part, b.pool) for b in read_back.reading.buffers} >= {("weights", "vram:0"), ("cache", "vram:0"), ("compute", "vram:0")}
    assert "off" not in {row.verdict for row in read_back.rows}


def known_options() -> set[str]:
    return set((DATA / "vllm-0.33.0-options.txt").read_text().split())


@pytest.mark.parametrize("target", ["args", "deployment", "compose", "lws", "sbatch"])
def test_vllm_has_every_option(target: str) -> None:
    """Whatever is typed is an option of the release."""
    found = (
        several_nodes()
        if target == "lws"
        else wanted(plan(kv_cache_dtype="fp8", max_num_seqs=64, enforce_eager=True, prefix_caching=False))
    )
    text = emit(found, target).files[TARGETS[target].file]
    typed = re.findall(r"(?<![\w#])(--[a-z][a-z-]+)", "\n".join(line for line in text.splitlines() if "SBATCH" not in line))
    # The parser itself reads --no-enable-X as --disable-X.
    typed = [word.replace("--no-enable-", "--disable-") for word in typed]
    assert (set(typed) - known_options(), len(typed) > 5) == (set(), True)


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp"])
def test_compose_files_are_of_the_schema(engine: str) -> None:
    """Two servers on cards of their own, listening on this machine alone; what the specification does not know is refused."""
    found = wanted(plan("Qwen/Qwen3-8B", "rtx-4090", engine), 2)
    (document,) = documents(found, "compose")
    schema = json.loads((DATA / "compose-spec.json").read_text())
    SCHEMA(schema).validate(document)
    one, other = document["services"].values()
    devices = [service["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"] for service in (one, other)]
    assert (devices, {port.rpartition(":")[0].rpartition(":")[0] for port in (*one["ports"], *other["ports"])}) == (
        [["0"], ["1"]],
        {"127.0.0.1"},
    )
    document["services"]["extra"] = {**one, "imag": "x"}
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA(schema).validate(document)


def custom(kind: str, document: dict[str, Any]) -> None:
    """Check an object against the schema of its own project. Raises ValidationError."""
    SCHEMA(json.loads((DATA / f"{kind}.json").read_text())).validate(document)


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_several_nodes_are_a_leader_and_its_workers(engine: str) -> None:
    """Eight cards of each of two nodes, the leader alone serves; the set's own schema takes it and no misspelt field."""
    found = several_nodes(engine)
    group, service = documents(found, "lws")
    custom("leaderworkerset", group)
    inner = group["spec"]["leaderWorkerTemplate"]
    leader, worker = (inner[f"{name}Template"]["spec"]["containers"][0] for name in ("leader", "worker"))
    assert (inner["size"], group["spec"]["replicas"], leader["resources"]["limits"]["nvidia.com/gpu"]) == (2, 2, "8")
    words = [one.get("args") or one["command"] for one in (leader, worker)]
    assert [one[one.index("--node-rank") + 1] for one in words] == ["0", "$(LWS_WORKER_INDEX)"]
    assert ("startupProbe" in leader, "startupProbe" in worker, service["spec"]["selector"]["role"]) == (True, False, "leader")
    group["spec"]["leaderWorkerTemplate"]["sized"] = 2
    with pytest.raises(jsonschema.ValidationError):
        custom("leaderworkerset", group)


def test_a_ray_service() -> None:
    """KubeRay's own schema takes it; a worker a node's share; what it serves is what `fleet up --to` writes."""
    for found, workers in ((wanted(plan(), 2), 2), (several_nodes(), 4)):
        (document,) = documents(found, "rayservice")
        custom("rayservice", document)
        (group,) = document["spec"]["rayClusterConfig"]["workerGroupSpecs"]
        assert (group["replicas"], group["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"]) == (
            workers,
            str(found.cards),
        )
        (served,) = yaml.safe_load(document["spec"]["serveConfigV2"])["applications"]
        (config,) = served["args"]["llm_configs"]
        assert (len(config["placement_group_config"]["bundles"]), config["accelerator_type"]) == (found.nodes * found.cards, "H100")
    document["spec"]["rayClusterConfig"]["headGroupSpecs"] = {}
    with pytest.raises(jsonschema.ValidationError):
        custom("rayservice", document)


def test_sbatch_on_several_nodes() -> None:
    """A task a node, every server of a rank of its own and all but the first without a port; one job a replica."""
    text = emit(several_nodes(), "sbatch").files["serve.sbatch"]
    directives = dict(re.findall(r"^#SBATCH --([\w-]+)=(.*)$", text, re.MULTILINE))
    assert (directives["nodes"], directives["gres"], directives["array"], directives["ntasks-per-node"]) == ("2", "gpu:8", "0-1", "1")
    (typed,) = shlex.split(text.splitlines()[-1])[-1:]
    assert typed.endswith('--nnodes 2 --node-rank $SLURM_PROCID --master-addr $LEADER $([ "$SLURM_PROCID" = 0 ] || echo --headless)')


@pytest.mark.parametrize(
    ("engine", "target", "nodes", "said"),
    [
        ("vllm", "lws", None, "several nodes"),
        ("vllm", "deployment", 2, "is of one"),
        ("vllm", "compose", 2, "is of one"),
        ("sglang", "ray-llm", None, "does not start"),
        ("sglang", "rayservice", None, "does not start"),
        ("vllm", "deploymnt", None, "There are no files"),
    ],
)
def test_what_a_target_has_no_way_for(engine: str, target: str, nodes: int | None, said: str) -> None:
    """It is refused in a sentence, with what to try."""
    with pytest.raises(SizeupError, match=said) as caught:
        emit(wanted(plan(engine=engine), nodes=nodes), target)
    assert caught.value.hint


def test_what_does_not_fit_is_not_handed_over() -> None:
    """Neither a plan that is too large for its machine, nor one for which no node has the cards."""
    with pytest.raises(Refused):
        wanted(plan("Qwen/Qwen3-32B", "rtx-4090", "vllm", quant="bf16"))
    with pytest.raises(Refused, match="room for 0"):
        wanted(plan(), 1, cluster(free=1))
    assert wanted(plan(), 8, cluster()).replicas == 8
    with pytest.raises(Refused, match="room for 8"):
        wanted(plan(), 9, cluster())
    with pytest.raises(Refused, match="room for 0"):
        wanted(plan(), 1, cluster(product="NVIDIA-L40S"))
    with pytest.raises(Refused, match="room for 0"):
        wanted(plan(), 1, cluster(state="closed"))
    assert wanted(plan(), 2, cluster(free_gib=80)).replicas == 2
    with pytest.raises(Refused, match="room for 4"):
        wanted(plan(), 5, cluster(free_gib=80))
    with pytest.raises(UserError, match="do not spread evenly"):
        wanted(plan(), nodes=3)


def test_files_are_not_replaced(tmp_path: Path) -> None:
    """What is the same may be written again; another file stays unless it is forced, and nothing is written beside it."""
    emitted = emit(wanted(plan()), "args")
    assert [path.name for path in write(emitted, tmp_path / "a")] == ["serve.sh", LOG]
    write(emitted, tmp_path / "a")
    (tmp_path / "a" / LOG).write_text("mine")
    with pytest.raises(UserError):
        write(emitted, tmp_path / "a")
    write(emitted, tmp_path / "a", force=True)
    assert (tmp_path / "a" / LOG).read_text() == emitted.files[LOG]


def test_the_verb(sizeup: Run, tmp_path: Path) -> None:
    """`fit --emit` prints one file, or puts several into a folder; its companions alone are refused."""
    asked = ("fit", "Qwen/Qwen3-8B", "--engine", "vllm", "--on", "l40s")
    printed = sizeup(*asked, "--emit", "deployment")
    assert (printed.code, [one["kind"] for one in yaml.safe_load_all(printed.out)]) == (0, ["Deployment", "Service"])
    written = sizeup(*asked, "--emit", "deployment", "--emit", "sbatch", "--to", str(tmp_path), "--lang", "zh-Hant")
    assert (written.code, sorted(path.name for path in tmp_path.iterdir())) == (0, ["deployment.yaml", LOG, "serve.sbatch"])
    assert sizeup(*asked, "--replicas", "2").code == 2
    assert sizeup(*asked, "--emit", "args", "--emit", "sbatch").code == 2
