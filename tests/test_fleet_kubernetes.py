"""Nodes of a Kubernetes cluster: from objects as its API lists them, and by kubectl from an API on loopback."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sizeup.api.fleet import inventory_json
from sizeup.errors import NotFound, Unavailable, Unreadable
from sizeup.fleet import kubernetes_scan, saved
from sizeup.fleet.kubernetes_node import node as made
from sizeup.fleet.kubernetes_pods import granted, quantity, requests
from sizeup.fleet.node import Node
from tests.kubernetes_api import api, gpus, node, pod
from tests.program import Run

GIB = 2**30
H100 = "NVIDIA-H100-80GB-HBM3"
DATE = "2026-11-21T12:00:00+00:00"
kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


def seen(labels: dict[str, str], allocatable: dict[str, str], taken: dict[str, int] | None = None, **spec: Any) -> Node:
    """A node that was granted so much."""
    return made(node("a", labels, allocatable, **spec), {key: Decimal(value) for key, value in (taken or {}).items()}, DATE)


def told(found: Node) -> list[tuple[str, int, str]]:
    """Its cards: name, whole GiB, how many; the free ones first."""
    rows = [(one.name, found.machine.pool(one.pool).bytes // GIB) for one in found.machine.devices]  # type: ignore[union-attr]
    return [(name, size, f"{rows.count((name, size))}x") for name, size in dict.fromkeys(rows)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("191", 191),
        ("500m", Decimal("0.5")),
        ("1.5Gi", 3 * 2**29),
        ("2100000000Ki", 2100000000 * 1024),
        ("12e3", 12000),
        ("2E", 2 * 10**18),
        (3, 3),
    ],
)
def test_quantities(text: str | int, value: int | Decimal) -> None:
    """Kubernetes's quantities, binary and decimal, with exponents and parts."""
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "ten", "1.2.3", "nan", "Infinity"])
def test_no_quantity(text: str) -> None:
    """What is no quantity is refused, not taken as 0."""
    with pytest.raises(Unreadable):
        quantity(text)


def test_requests_of_a_pod() -> None:
    """Init containers run one by one before the others: the larger counts. A sidecar stays. Limits stand in for requests; overhead adds."""
    sidecar = {"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}
    first = {"resources": {"requests": {"cpu": "6", "nvidia.com/gpu": "1"}}}
    asked = {"resources": {"limits": {"nvidia.com/gpu": "2", "memory": "4Gi"}, "requests": {"cpu": "2", "memory": "1Gi"}}}
    found = requests({"spec": {"initContainers": [sidecar, first], "containers": [asked, asked], "overhead": {"memory": "1Gi"}}})
    assert found == {"cpu": 7, "nvidia.com/gpu": 4, "memory": 3 * GIB}


def test_pods_that_ended_or_wait_hold_nothing() -> None:
    """Running pods and those that wait on their node count; those that ended or have no node do not."""
    pods = [
        pod("a", {"cpu": "1"}),
        pod("a", {"cpu": "2"}, "Pending"),
        pod("a", {"cpu": "4"}, "Succeeded"),
        pod("", {"cpu": "8"}, "Pending"),
    ]
    assert granted(pods) == {"a": {"cpu": 3, "pods": 2}}


def test_whole_cards() -> None:
    """Cards by product and memory of the labels, free ones less what pods asked for; SXM cards are joined by NVLink."""
    found = seen(gpus(H100, 8, 81559), {"nvidia.com/gpu": "7"}, {"nvidia.com/gpu": 3, "cpu": 16, "memory": 100 * GIB})
    ram = found.machine.pool("ram")
    assert ram is not None
    assert (told(found), found.free_cards, found.resource) == ([("H100 SXM5 80GB HBM3", 79, "7x")], 4, "nvidia.com/gpu")
    assert (found.free_cpus, ram.bytes, ram.free_bytes) == (175.0, 2015 * GIB, 1900 * GIB)
    assert (len(found.machine.links), found.machine.links[0].bytes_per_s) == (21, 900e9)
    assert (len(found.free().devices), dict(found.evidence)["cards"].where) == (4, f"label nvidia.com/gpu.product={H100}")


def test_labels_that_name_no_placement_are_left_out() -> None:
    """Labels by which a pod is placed are kept; a cluster's own stay where they are."""
    assert set(seen(gpus("NVIDIA-L40S", 4, 46068), {}).labels) == {
        "kubernetes.io/hostname", "nvidia.com/gpu.product", "nvidia.com/gpu.count", "nvidia.com/gpu.memory",
    }  # fmt: skip


def test_slices_under_the_name_of_a_card() -> None:
    """MIG strategy “single”: the product names the slice. Half the memory has half the bandwidth, 3 of 7 parts compute."""
    found = seen(gpus("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb", 2, 40192), {"nvidia.com/gpu": "2"})
    pool, device = found.machine.pool("vram:0"), found.machine.devices[0]
    assert pool is not None
    assert (device.name, pool.bytes, pool.bytes_per_s) == ("A100 SXM4 80GB 3g.40gb", 40192 * 2**20, 2039e9 / 2)
    assert (round(device.flops_per_s or 0), found.machine.links) == (round(311.84e12 * 3 / 7), ())


def test_slices_by_names_of_their_own() -> None:
    """MIG strategy “mixed”: every kind of slice is a resource; the free ones of each stand before what pods have."""
    labels = gpus("NVIDIA-A100-SXM4-80GB", 1, 81920, **{"nvidia.com/mig-3g.40gb.product": "NVIDIA-A100-SXM4-80GB-MIG-3g.40gb"})
    found = seen(
        labels, {"nvidia.com/gpu": "1", "nvidia.com/mig-3g.40gb": "2", "nvidia.com/mig-1g.10gb": "3"}, {"nvidia.com/mig-3g.40gb": 1}
    )
    names = [device.name.removeprefix("A100 SXM4 80GB").strip() for device in found.machine.devices]
    assert (names, found.free_cards) == (["", "3g.40gb", "1g.10gb", "1g.10gb", "1g.10gb", "3g.40gb"], 5)
    assert found.resource == "nvidia.com/gpu"
    assert (
        "Its cards are asked for by several names, the first one here: nvidia.com/gpu 1/1, nvidia.com/mig-3g.40gb 1/2, nvidia.com/mig-1g.10gb 3/3."
        in found.warnings
    )


def test_shared_cards_are_counted_once() -> None:
    """Time-sliced: four pods may have each card, and a card is free when none of them has."""
    found = seen(gpus("NVIDIA-L40S-SHARED", 2, 46068, **{"nvidia.com/gpu.replicas": "4"}), {"nvidia.com/gpu": "8"}, {"nvidia.com/gpu": 3})
    assert (told(found), found.free_cards) == ([("L40S", 44, "2x")], 1)
    assert "Up to 4 pods share each card's memory, and nothing keeps them apart." in found.warnings


@pytest.mark.parametrize(
    ("labels", "resource", "cards"),
    [
        ({"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM", "amd.com/gpu.vram": "192G"}, "amd.com/gpu", ("Instinct MI300X", 192, "8x")),
        ({"gpu.intel.com/product": "Max_1550", "gpu.intel.com/memory.max": str(128 * GIB)}, "gpu.intel.com/xe", ("Data Center GPU Max 1550", 128, "8x")),
        ({"cloud.google.com/gke-accelerator": "nvidia-l4"}, "nvidia.com/gpu", ("L4", 22, "8x")),
        ({"karpenter.k8s.aws/instance-gpu-name": "a10g"}, "nvidia.com/gpu", ("A10G", 24, "8x")),
        ({"node.kubernetes.io/instance-type": "p5.48xlarge"}, "nvidia.com/gpu", ("H100 SXM5 80GB HBM3", 79, "8x")),
        ({}, "nvidia.com/gpu", ("unnamed card", 0, "8x")),
    ],
)  # fmt: skip
def test_who_names_a_card(labels: dict[str, str], resource: str, cards: tuple[str, int, str]) -> None:
    """AMD's and Intel's labels, a cloud's labels, the kind of rented machine; without any the memory is unknown and said so."""
    found = seen(labels, {resource: "8"})
    assert (told(found), found.resource, found.free_cards) == ([cards], resource, 8)
    assert bool(cards[1]) or "No label says which cards these are" in " ".join(found.warnings)


@pytest.mark.parametrize(
    ("changes", "state", "taints"),
    [
        ({}, "ready", ()),
        ({"unschedulable": True, "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}, "closed", ("node.kubernetes.io/unschedulable:NoSchedule",)),
        ({"taints": [{"key": "team", "value": "a", "effect": "NoExecute"}]}, "ready", ("team=a:NoExecute",)),
    ],
)  # fmt: skip
def test_states_and_taints(changes: dict[str, Any], state: str, taints: tuple[str, ...]) -> None:
    """A cordoned node is closed and has nothing free; taints are told as kubectl writes them."""
    found = seen(gpus("NVIDIA-L40S", 4, 46068), {"nvidia.com/gpu": "4"}, **changes)
    assert (found.state, found.taints, len(found.free().devices)) == (state, taints, 4 if state == "ready" else 0)


def test_a_node_that_is_not_ready() -> None:
    """Down with its reason; unknown when it does not answer."""
    states = []
    for status in ("False", "Unknown"):
        found = node("a", {}, {})
        found["status"]["conditions"] = [{"type": "Ready", "status": status, "reason": "KubeletNotReady"}]
        states.append((made(found, {}, DATE).state, made(found, {}, DATE).warnings))
    why = ("The node is not ready (KubeletNotReady).",)
    assert states == [("down", why), ("unknown", why)]


NODES = [node(f"n{number}", gpus(H100, 8, 81559), {"nvidia.com/gpu": "8"}) for number in range(5)]
PODS = [pod("n1", {"nvidia.com/gpu": "1"}) for _ in range(3)]


@kubectl
def test_kubectl_lists_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five nodes in three pages, pods that ended not asked for; nothing but GET; it is written down and read back the same."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with api(NODES, PODS) as (url, asked):
        found = kubernetes_scan.scan(server=url)
    assert [(one.name, one.free_cards) for one in found.nodes] == [("n0", 8), ("n1", 5), ("n2", 8), ("n3", 8), ("n4", 8)]
    assert (found.address, found.version, found.warnings) == (url, "1.34.1", ())
    lists = [path.partition("?")[0] for path in asked if path.startswith("/api/v1/")]
    assert lists == ["/api/v1/nodes"] * 3 + ["/api/v1/pods"] * 2
    saved.save(inventory_json(found), tmp_path / "inventory.json")
    assert saved.load(tmp_path / "inventory.json") == found


@kubectl
def test_pods_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role that may list nodes alone: what is free is assumed, and that is said."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with api(NODES, PODS, forbidden=True) as (url, _):
        found = kubernetes_scan.scan(server=url)
    assert (found.warnings, {dict(one.evidence)["free_cards"].kind for one in found.nodes}) == ((kubernetes_scan.UNSEEN,), {"assumed"})


@kubectl
def test_a_cluster_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, not a traceback of somebody else."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(Unavailable):
        kubernetes_scan.scan(server="http://127.0.0.1:9", timeout=5)


def test_without_kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to type elsewhere is told."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable) as said:
        kubernetes_scan.scan()
    assert said.value.hint == kubernetes_scan.TYPED


def test_what_kubectl_printed(sizeup: Run, tmp_path: Path) -> None:
    """The lists that kubectl printed are read without it; without pods what is free is assumed."""
    file = tmp_path / "cluster.json"
    file.write_text(json.dumps({"kind": "List", "items": [*NODES, *PODS]}))
    assert sum(one.free_cards for one in kubernetes_scan.read(str(file)).nodes) == 37
    file.write_text(json.dumps({"kind": "List", "items": NODES}))
    said = sizeup("fleet", "scan", "--kubernetes-file", str(file))
    assert (said.code, said.err, "The pods may not be listed" in said.out) == (0, "", True)


@pytest.mark.parametrize("content", ["", "[]", '{"items": 3}', '{"items": [{"kind": "Pod"}]}', '{"items": [{"kind": "Node"}]}', "\x00"])
def test_what_is_no_list(tmp_path: Path, content: str) -> None:
    """Broken lists are refused in one sentence."""
    file = tmp_path / "cluster.json"
    file.write_text(content)
    with pytest.raises(Unreadable):
        kubernetes_scan.read(str(file))
    with pytest.raises(NotFound):
        kubernetes_scan.read(str(tmp_path / "none.json"))
