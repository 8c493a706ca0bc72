"""What every file that starts a served model needs to say, from a plan and the nodes that it goes to."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import Any

from ...engines import engine as find_engine
from ...errors import Refused, UserError
from ...facts import data_json
from ...figure import plain
from ...plan import Plan, ServingBreakdown
from ..node import Inventory
from ..start import ENGINES, Start, start
from .places import node_for, selector, toleration

MIB = 1 << 20


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
            return [
                "--nnodes",
                str(self.nodes),
                "--node-rank",
                rank,
                "--dist-init-addr",
                f"{leader}:{data_json('handover.json')['ports']['sglang_nodes']}",
            ]
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
    node = node_for(inventory, plan, share, spread * replicas, memory)
    kind = _kind(plan) if ranks else "cpu"
    usual = data_json("handover.json")["resources"]
    return Wanted(
        pinned,
        engine,
        _version(engine, plan.settings),
        _name(plan.model.name),
        replicas,
        spread,
        share,
        node.resource if node and node.resource else usual.get(kind, ""),
        selector(node),
        tuple(toleration(taint) for taint in (node.taints if node else (usual["taint"],) if kind == "cuda" else ())),
        node.groups[0] if node and inventory and inventory.system == "slurm" and node.groups else "",
        kind,
        _cpus(plan, share),
        memory,
        shm,
        start(plan, spread),
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
        return _up(
            int(plan.breakdown.needed_bytes("ram")) + int(plain(plan.breakdown.bytes("weights"))) + facts["host"]["llamacpp_bytes"]
        ), 0
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
