"""What every file that starts a served model needs to say, from a plan and the nodes that it goes to."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ...engines import engine as find_engine
from ...errors import Refused, UserError
from ...facts import data_json
from ...figure import plain
from ...plan import Plan, ServingBreakdown
from ...units import show_bytes
from ..node import Inventory, Node

ENGINES = {"vLLM": "vllm", "SGLang": "sglang", "llama.cpp": "llama.cpp"}
RESOURCES = {"cuda": "nvidia.com/gpu", "rocm": "amd.com/gpu", "sycl": "gpu.intel.com/xe"}
"""What Kubernetes calls a card of this kind where no inventory says otherwise."""
MIB = 1 << 20
SAME_SIZE = 0.97


class Start(NamedTuple):
    """Seconds that a first start may take, as far as anyone can know."""

    weight_bytes: int
    """That one node reads."""
    disk_bytes_per_s: float
    measured: bool
    """Whether the disk's rate is the machine's own; assumed else."""
    network_bytes_per_s: float
    prepare_s: float
    slack: float

    @property
    def download_s(self) -> float:
        return self.weight_bytes / self.network_bytes_per_s

    @property
    def read_s(self) -> float:
        return self.weight_bytes / self.disk_bytes_per_s

    @property
    def seconds(self) -> int:
        """How long to wait before giving up."""
        facts = data_json("handover.json")["start"]
        return max(int(facts["least_s"]), math.ceil(self.slack * (self.download_s + self.read_s + self.prepare_s)))

    def words(self) -> list[str]:
        """How that is made up, a line each."""
        how = "measured" if self.measured else "assumed"
        return [
            f"a start may take {self.seconds} s, {self.slack:g} x the sum of: {self.weight_bytes / 1e9:.1f} GB of weights",
            f"downloaded at {self.network_bytes_per_s / 1e6:.0f} MB/s (assumed): {self.download_s:.0f} s; read at {self.disk_bytes_per_s / 1e9:.2f} GB/s ({how}): {self.read_s:.0f} s;",
            f"what the server prepares then (compiling, graphs): {self.prepare_s:.0f} s (assumed)",
        ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One served model: what is typed on each node, and what that asks for."""

    plan: Plan
    """Its pool pinned, where the engine can be told its bytes."""
    engine: str
    version: str
    name: str
    """A name that Kubernetes, Slurm and Compose take."""
    replicas: int
    nodes: int
    """That one replica spreads over."""
    cards: int
    """Of each node."""
    resource: str
    selector: dict[str, str]
    tolerations: tuple[dict[str, str], ...]
    partition: str
    kind: str
    """Backend family of the cards; "cpu" without any."""
    threads: int
    """CPUs of each node's share."""
    memory_bytes: int
    """Host memory of each node's share, /dev/shm included."""
    shm_bytes: int
    """0 where nothing is passed through it."""
    start: Start

    @property
    def port(self) -> int:
        return int(data_json("handover.json")["ports"][self.engine])

    @property
    def image(self) -> str:
        """The container image of the release that the plan is for. Raises UserError where nobody publishes one for these cards."""
        return image(self.engine, self.kind, self.version)

    @property
    def health(self) -> str:
        return "/health"

    def words(self, listen: str = "0.0.0.0", model: str | None = None) -> list[str]:
        """The server's command line with where to listen; `model` is its file inside a container."""
        words = shlex.split(self.plan.command)
        if model is not None:
            words[words.index("-m") + 1] = model
        return [*words, "--host", listen, "--port", str(self.port)]

    def arguments(self, model: str | None = None) -> list[str]:
        """What follows the image's own program: vLLM's and llama.cpp's images start their server, SGLang's does not."""
        words = self.words(model=model)
        return words[{"vllm": 2, "llama.cpp": 1}.get(self.engine, 0) :]

    def spread(self, rank: str, leader: str) -> list[str]:
        """What is added on each of several nodes. Raises Refused where the engine has no such way here."""
        if self.engine == "vllm":
            return ["--nnodes", str(self.nodes), "--node-rank", rank, "--master-addr", leader]
        if self.engine == "sglang":
            return ["--nnodes", str(self.nodes), "--node-rank", rank, "--dist-init-addr", f"{leader}:20000"]
        raise Refused("llama.cpp is not handed over to several nodes here.", "--engine vllm")

    def only(self, target: str, engines: tuple[str, ...] = ("vllm", "sglang", "llama.cpp"), spread: bool = False) -> None:
        """Raises UserError for an engine that the target does not start, Refused for several nodes where it has one."""
        if self.engine not in engines:
            raise UserError(f"{target} does not start {self.plan.engine}.", f"--engine {engines[0]}")
        if self.nodes > 1 and not spread:
            raise Refused(
                f"One replica takes {self.nodes} nodes, and {target} is of one.", "--emit lws, --emit rayservice or --emit sbatch"
            )


def image(engine: str, kind: str, version: str) -> str:
    found = data_json("handover.json")["images"][engine].get(kind)
    if found is None:
        raise UserError(f"No image of {engine} for {kind} is known here.", "--emit args")
    return str(found.format(version=version))


def wanted(
    plan: Plan, replicas: int = 1, inventory: Inventory | None = None, nodes: int | None = None, cards_per_node: int | None = None
) -> Wanted:
    """All of it. `inventory` names the cluster that it goes to, else a machine as the plan's is taken; `nodes` is how many each replica
    spreads over. Raises UserError for what cannot be served, Refused for what does not fit or no node has.
    """
    engine = ENGINES.get(plan.engine)
    if engine is None:
        raise UserError(f"{plan.engine} is no server that is handed over.", "--engine vllm, sglang or llama.cpp")
    if not plan.fits:
        raise Refused(f"{plan.model.name} does not fit {plan.machine.name}.", "the same without --emit, for what would fit")
    pinned = pin(plan)
    ranks = _ranks(plan)
    spread, share = _spread(plan, ranks, nodes)
    memory, shm = _host(pinned, share)
    node = _node(inventory, plan, share, spread * replicas, memory)
    kind = _kind(plan) if ranks else "cpu"
    return Wanted(
        pinned,
        engine,
        _version(engine, plan.settings),
        _name(plan.model.name),
        replicas,
        spread,
        share,
        node.resource if node and node.resource else RESOURCES.get(kind, ""),
        _selector(node),
        tuple(_toleration(taint) for taint in (node.taints if node else ("nvidia.com/gpu:NoSchedule",) if kind == "cuda" else ())),
        node.groups[0] if node and inventory and inventory.system == "slurm" and node.groups else "",
        kind,
        _cpus(plan, share),
        memory,
        shm,
        _start(plan, spread),
    )


def pin(plan: Plan) -> Plan:
    """The plan with a pool of the bytes that are surely there, where the engine can be told: what it prints at start is then known."""
    pool = plan.breakdown.pool if isinstance(plan.breakdown, ServingBreakdown) else None
    if (
        pool is None
        or ENGINES.get(plan.engine) != "vllm"
        or plan.settings.kv_cache_bytes is not None
        or plan.settings.num_blocks is not None
    ):
        return plan
    engine = find_engine("vllm")
    blocks, least = int(plain(pool.num_blocks)), int(plain(pool.least_blocks))
    widest = max(int(plain(claim.bytes)) for claim in plan.breakdown.claims if claim.part == "cache")
    settings = replace(plan.settings, kv_cache_bytes=widest // blocks * least)
    breakdown = engine.account(plan.model, plan.asked_quant, settings)
    return replace(plan, settings=settings, breakdown=breakdown, command=engine.command(plan.model, plan.asked_quant, settings))


def _ranks(plan: Plan) -> int:
    """Cards that one replica takes."""
    if plan.engine in ("vLLM", "SGLang"):
        return int(plan.settings.ranks)
    return len({claim.pool for claim in plan.breakdown.claims if claim.pool.startswith("vram")})


def _spread(plan: Plan, ranks: int, nodes: int | None) -> tuple[int, int]:
    """Nodes of a replica and the cards of each. Unless it is said otherwise a plan is of one node."""
    count = nodes or 1
    if count > 1 and plan.engine == "llama.cpp":
        raise Refused("llama.cpp is not handed over to several nodes here.", "--engine vllm")
    if count > max(ranks, 1) or ranks % count:
        raise UserError(f"{ranks} ranks do not spread evenly over {count} nodes.", f"--nodes {_divisor(ranks)}")
    share = ranks // count
    if count > 1 and share % int(plain(plan.settings.tensor_parallel)) and int(plain(plan.settings.tensor_parallel)) % share:
        raise UserError(
            f"Tensor parallelism of {plan.settings.tensor_parallel} does not divide {share} cards of a node.",
            f"--nodes {plan.settings.pipeline_parallel}",
        )
    return count, share


def _divisor(ranks: int) -> int:
    return next((count for count in (2, 3, 5, 7) if ranks % count == 0), 1)


def _node(inventory: Inventory | None, plan: Plan, share: int, count: int, memory: int) -> Node | None:
    """The first node of a kind of which enough are free; None without an inventory. Raises Refused with what is missing.

    Free are cards with as much memory as the plan's, and host memory beside them.
    """
    if inventory is None:
        return None
    least = min((pool.bytes for device in plan.machine.devices if (pool := plan.machine.pool(device.pool))), default=0)
    shares = {node.name: _shares(node, share, least, memory) for node in inventory.nodes}
    room: dict[tuple[str, str], int] = {}
    for node in inventory.nodes:
        room[_alike(node)] = room.get(_alike(node), 0) + shares[node.name]
    fitting = [node for node in inventory.nodes if shares[node.name] and room[_alike(node)] >= count]
    if not fitting:
        most = max(room.values(), default=0)
        raise Refused(
            f"{count} times {share} free cards of one kind are asked for, as large as the plan's and with {show_bytes(memory)} of host memory, "
            f"and {inventory.address or inventory.system} has room for {most}.",
            "fewer --replicas, or sizeup fleet scan for what is free",
        )
    return fitting[0]


def _shares(node: Node, share: int, least: int, memory: int) -> int:
    """How often a node has so many free cards of so many bytes, and so much free host memory."""
    box = node.free()
    # A round figure of a name (80 GB) and what the driver keeps of it are one size.
    cards = sum(1 for device in box.devices if (pool := box.pool(device.pool)) and pool.bytes >= SAME_SIZE * least)
    ram = box.pool("ram") or box.pool("unified")
    by_memory = ram.free_bytes // memory if ram else 0
    return min(cards // share, by_memory) if share else by_memory


def _alike(node: Node) -> tuple[str, str]:
    return node.resource, node.machine.devices[0].name if node.machine.devices else ""


def _selector(node: Node | None) -> dict[str, str]:
    """Labels that only nodes with such cards have."""
    if node is None:
        return {}
    keys = (
        "nvidia.com/gpu.product",
        "amd.com/gpu.product-name",
        "gpu.intel.com/product",
        "cloud.google.com/gke-accelerator",
        "node.kubernetes.io/instance-type",
    )
    return {key: node.labels[key] for key in keys[: 1 if "nvidia.com/gpu.product" in node.labels else None] if key in node.labels}


def _toleration(taint: str) -> dict[str, str]:
    """What tolerates key=value:Effect."""
    what, _, effect = taint.rpartition(":")
    key, sign, value = what.partition("=")
    return {"key": key, **({"operator": "Equal", "value": value} if sign else {"operator": "Exists"}), "effect": effect}


def _kind(plan: Plan) -> str:
    return str(next((device.kind for device in plan.machine.devices), "cpu"))


def _version(engine: str, settings: Any) -> str:
    if engine == "vllm":
        return str(settings.version)
    return str(data_json("sglang.json")["read"] if engine == "sglang" else data_json("handover.json")["versions"]["llama.cpp"])


def _name(name: str) -> str:
    """As DNS labels are: at most 40 characters, since others are added to it."""
    plain_name = re.sub(r"[^a-z0-9]+", "-", name.rsplit("/", 1)[-1].lower()).strip("-")[:40].strip("-") or "model"
    return plain_name if plain_name[0].isalpha() else f"m-{plain_name}"[:40].strip("-")


def _host(plan: Plan, share: int) -> tuple[int, int]:
    """Host memory of one node's share and /dev/shm within it."""
    facts = data_json("handover.json")
    if plan.engine == "llama.cpp":
        # Its accounting knows the host: everything that it claims there, weights that are mapped too.
        return _up(int(plan.breakdown.needed_bytes("ram")) + int(plain(plan.breakdown.bytes("weights"))) + 256 * MIB), 0
    shm = max(facts["shm"]["least_bytes"], facts["shm"]["rank_bytes"] * share) if share > 1 else facts["shm"]["least_bytes"]
    shard = max(int(plain(claim.bytes)) for claim in plan.breakdown.claims if claim.part == "weights")
    return _up(facts["host"]["server_bytes"] + share * facts["host"]["rank_bytes"] + shard + shm), int(shm)


def _up(size: int) -> int:
    """To whole GiB."""
    return -(-size // 2**30) * 2**30


def _cpus(plan: Plan, share: int) -> int:
    facts = data_json("handover.json")["cpus"]
    if plan.engine == "llama.cpp" and not share:
        return max(1, plan.machine.cpu.cores if plan.machine.cpu else 4)
    return int(facts["server"] + facts["rank"] * max(1, share))


def _start(plan: Plan, spread: int) -> Start:
    facts = data_json("handover.json")["start"]
    disk = next((disk.bytes_per_s for disk in plan.machine.disks if disk.bytes_per_s), None)
    weights = int(plain(plan.breakdown.bytes("weights"))) // spread
    return Start(
        weights,
        disk or facts["disk_bytes_per_s"],
        disk is not None,
        facts["network_bytes_per_s"],
        facts["prepare_s"][ENGINES[plan.engine]],
        facts["slack"],
    )
