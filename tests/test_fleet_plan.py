"""Plans for clusters: laws that hold whatever the cards, and an oracle that tries everything on small fleets."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cache

import pytest

import sizeup
from sizeup.errors import UserError
from sizeup.facts import Source
from sizeup.fleet.alike import alike
from sizeup.fleet.binding import binding, missed
from sizeup.fleet.changes import changes
from sizeup.fleet.described import described
from sizeup.fleet.layout import Layout, Rejected, Split
from sizeup.fleet.layouts import Layouts, served, splits
from sizeup.fleet.lost import left_of, lost, secure
from sizeup.fleet.network import crossing, known
from sizeup.fleet.node import Inventory, Node
from sizeup.fleet.paced import under, utilisation
from sizeup.fleet.placing import FleetPlan, grown, lay, place, priced, rooms, without
from sizeup.fleet.target import Target
from sizeup.fleet.ways import Cost, needed, ways
from sizeup.model import ModelSpec

KNOWN = Layouts()
"""What one test looked at the next need not."""


@cache
def model(name: str) -> ModelSpec:
    return sizeup.read(name, offline=True)


@pytest.mark.parametrize(
    ("name", "cards", "expected"),
    [
        ("Qwen/Qwen3-8B", 3, [(1, 1), (1, 2), (1, 3), (2, 1)]),
        ("HuggingFaceTB/SmolLM2-135M", 3, [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1)]),
        ("Qwen/Qwen3-8B", 6, [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, 1), (2, 2), (2, 3), (4, 1)]),
        ("Qwen/Qwen3-8B", 4, [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (4, 1)]),
    ],
)
def test_splits_of_cards_that_are_no_power_of_two(name: str, cards: int, expected: list[tuple[int, int]]) -> None:
    """Stages come in any number; tensors are split by powers of two, and by other counts where heads and vocabulary come out even (9 of 3)."""
    (kind,) = alike(fleet((f"{cards}x h100-sxm", 1)).nodes)
    found = [(split.tensor_parallel, split.pipeline_parallel) for split in splits(Target(model(name), users=1), kind, None)]
    assert found == expected


def test_splits_over_nodes() -> None:
    """Each node gives as many cards as it can: two nodes of six as 4 x 1 of each, and as 2 x 3 where all are used."""
    (kind,) = alike(fleet(("6x h100-sxm", 2)).nodes)
    found = [split for split in splits(Target(model("Qwen/Qwen3-8B"), users=1), kind, None) if split.nodes > 1]
    assert found == [Split(2, 6, 2), Split(4, 2, 2)]


def test_engines_take_every_split_that_is_no_power_of_two() -> None:
    """What is tried beyond powers of two is refused by neither engine."""
    (kind,) = alike(fleet(("6x h100-sxm", 1)).nodes)
    found, rejected = KNOWN.of(Target(model("HuggingFaceTB/SmolLM2-135M"), users=1), kind)
    assert {one.split.tensor_parallel for one in found} == {1, 3}
    assert {one.split.tensor_parallel for one in rejected if one.why == "refused"} == {2, 4}


def fleet(*machines: tuple[str, int]) -> Inventory:
    return described([(name, sizeup.machine(name), count) for name, count in machines])


def small(**wishes: object) -> Target:
    return Target(model("Qwen/Qwen3-8B"), **({"requests_per_s": 10} | wishes))  # type: ignore[arg-type]


def plan(inventory: Inventory, *targets: Target, spare: bool = False) -> FleetPlan:
    return place(targets, inventory, spare, KNOWN)


def layouts(target: Target, inventory: Inventory) -> list[Layout]:
    return [layout for kind in alike(inventory.nodes) for layout in KNOWN.of(target, kind)[0]]


H100, L40S, HOST = ("4x h100-sxm", 2), ("4x l40s", 1), ("epyc-9654", 2)


def test_only_what_a_checkpoint_becomes_at_load_starts_on_ray() -> None:
    """vLLM makes fp8 of what is stored; AWQ is another checkpoint, which `fleet up` would have to be told the name of."""
    for format, starts in (("fp8", True), ("awq", False)):
        target = small(quant=format)
        told = {layout.ray_command(target, 1) for layout in layouts(target, fleet(L40S)) if layout.engine == "vLLM"}
        assert told
        assert all(command.startswith("sizeup fleet up Qwen/Qwen3-8B --ray auto") is starts and bool(command) is starts for command in told)


def test_more_load_never_needs_fewer_replicas() -> None:
    """Of each layout; and what the cheapest plan costs never falls."""
    inventory = fleet(("8x h100-sxm", 4))
    for layout in layouts(small(), inventory):
        counts = [needed(load, layout.capacity) for load in (1, 5, 20, 80)]
        assert counts == sorted(counts)
    costs = [plan(inventory, small(requests_per_s=load)).cost for load in (1, 5, 20, 80)]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


@pytest.mark.parametrize("load", [20, 45, 70, 120])
def test_more_nodes_never_make_a_possible_plan_impossible(load: float) -> None:
    """Nor dearer: what fitted before still does."""
    before = None
    for count in range(1, 5):
        found = plan(fleet(("2x h100-sxm", count)), small(requests_per_s=load))
        if before is not None and before.possible:
            assert found.possible
            assert found.cost <= before.cost
        before = found


def test_memory_of_a_rank_is_what_account_says() -> None:
    """The plan has no memory rule of its own."""
    found = plan(fleet(("4x h100-sxm", 1)), Target(model("Qwen/Qwen3-32B"), users=60))
    layout = found.placed[0].way.parts[0].layout
    told = sizeup.account(
        model("Qwen/Qwen3-32B"),
        engine="vllm",
        context_tokens=2560,
        tensor_parallel=layout.split.tensor_parallel,
        cards=layout.settings.cards,
    )
    assert layout.split.tensor_parallel > 1
    assert layout.rank_bytes() == [{part: int(told.bytes(part, pool)) for part in told.by_part()} for pool in told.by_pool()]


def test_shards_are_no_less_than_the_whole() -> None:
    """All ranks together hold at least what one would, for every split of every engine."""
    for name in ("Qwen/Qwen3-8B", "Qwen/Qwen3-30B-A3B"):
        target = Target(model(name), requests_per_s=1, expert_parallel=True)
        found = layouts(target, fleet(("8x h100-sxm", 2)))
        for engine in ("vLLM", "SGLang"):
            same = [layout for layout in found if layout.engine == engine]
            whole = next(layout for layout in same if layout.split.cards == 1).breakdown.bytes("weights")
            assert len(same) > 5
            assert [layout.split for layout in same if layout.breakdown.bytes("weights") < whole] == []


def test_a_replica_at_its_capacity_meets_the_goals() -> None:
    """And is no busier than planned; a little more would not do."""
    for target in (small(), small(token_s=0.012), small(first_token_s=0.09)):
        for layout in layouts(target, fleet(("4x h100-sxm", 1))):
            full, more = (under(layout.paced, target, layout.capacity * times) for times in (1, 1.01))
            assert full.meets(target)
            assert full.busy <= utilisation() * (1 + 1e-9)
            assert not more.meets(target) or more.busy > utilisation()


def test_users_are_served_whole() -> None:
    """A replica serves a number of people that meets the goals; one more would not, or takes more places than planned."""
    target = small(users=50, requests_per_s=None)
    for layout in layouts(target, fleet(("2x l40s", 1))):
        assert layout.capacity == int(layout.capacity)
        assert under(layout.paced, target, layout.capacity).meets(target)
        more = under(layout.paced, target, layout.capacity + 1)
        assert not more.meets(target) or layout.capacity + 1 > utilisation() * layout.paced.places


@pytest.mark.parametrize(("loads", "spare"), [((8, 30), False), ((14, 3), False), ((20, 20), False), ((5, 5), True), ((26, 26), False)])
def test_the_cheapest_of_all_combinations(loads: tuple[float, float], spare: bool) -> None:
    """On a small mixed fleet the plan costs what the best of every pair of ways costs that finds room."""
    inventory = fleet(("2x h100-sxm", 2), ("2x l40s", 1))
    targets = [small(requests_per_s=loads[0]), Target(model("Qwen/Qwen3-4B"), requests_per_s=loads[1])]
    found = place(targets, inventory, spare, KNOWN)
    kinds = found.kinds
    numbers, space = {id(kind): number for number, kind in enumerate(kinds)}, rooms(kinds)
    options = [ways(target, [layout for kind in kinds for layout in KNOWN.of(target, kind)[0]], spare, priced(kinds)) for target in targets]
    best: Cost | None = None
    for pair in itertools.product(*options):
        cost = pair[0].cost(True).plus(pair[1].cost(True))
        if (best is None or cost < best) and lay(targets, pair, numbers, space) is not None:
            best = cost
    assert (found.cost if found.possible else None) == best


def test_a_lost_node_is_spared() -> None:
    """With 1-node the goals hold for whichever node is lost, and without it they do not."""
    for spare in (True, False):
        found = plan(fleet(("4x h100-sxm", 3), ("4x l40s", 1)), small(requests_per_s=30), spare=spare)
        held = [left_of(placed, name).holds for placed in found.placed for name in found.nodes_used]
        assert all(held) == spare


def test_what_it_takes_to_spare_a_node() -> None:
    """Where a plan may not lose one: more cards, or none that suffice; where it may, nothing is to be told."""
    roomy, full = fleet(("2x h100-sxm", 3)), fleet(("2x h100-sxm", 1))
    for inventory, possible in ((roomy, True), (full, False)):
        found = plan(inventory, small(requests_per_s=8))
        other = secure(found, KNOWN)
        assert other is not None
        assert other.possible == possible
        assert not possible or other.cost > found.cost
    assert secure(plan(roomy, small(requests_per_s=8), spare=True), KNOWN) is None


def test_host_memory_binds_where_it_is_known() -> None:
    """Cards beside too little of it take no replica; what was only assumed of a host binds nothing."""
    box = sizeup.machine("4x h100-sxm")
    ram = box.pool("ram")
    assert ram is not None
    known = dataclasses.replace(ram, bytes=6 << 30, free_bytes=5 << 30, source=Source("read", "a test", "2026-11-21"))
    pools = tuple(known if pool.name == "ram" else pool for pool in box.pools)
    tight = Node("a", dataclasses.replace(box, pools=pools), "ready", 4)
    loads = [(small(requests_per_s=10), True), (small(requests_per_s=20), False)]
    for target, possible in loads:
        assert plan(Inventory("file", "test", (tight,), ""), target).possible == possible
        assert plan(fleet(("4x h100-sxm", 1)), target).possible


def test_the_cards_of_a_lost_node_are_not_used() -> None:
    """The plan without it names it nowhere, and has fewer cards."""
    inventory = fleet(("4x h100-sxm", 3))
    found = plan(without(inventory, "a1"), small(requests_per_s=60))
    assert found.free_cards == 8
    assert "a1" not in found.nodes_used


def test_a_lost_node_of_an_only_replica() -> None:
    """Nothing is left before it is started again; the other node has room."""
    found = plan(fleet(("h100-sxm", 2)), small(requests_per_s=5))
    (one,) = lost(found, KNOWN)
    assert (one.nodes, one.left[0].share, one.holds, one.again) == (found.nodes_used, 0.0, False, True)


def test_cards_of_others_are_left_alone() -> None:
    """A node's granted cards are in no plan; a node that takes no work is in none either."""
    machine = sizeup.machine("4x h100-sxm")
    nodes = (Node("half", machine, "ready", 2), Node("closed", machine, "closed", 4), Node("full", machine, "ready", 0))
    found = plan(Inventory("file", "test", nodes, ""), small(requests_per_s=15))
    assert found.free_cards == 2
    assert found.nodes_used == ("half",)
    assert sum(part.replicas * part.layout.cards for part in found.placed[0].way.parts) <= 2


def test_a_mixed_fleet_gives_each_model_its_kind() -> None:
    """The large model where its memory is, the small one on processors when it is asked for there."""
    targets = (
        Target(model("Qwen/Qwen3-32B"), users=100),
        Target(model("Qwen/Qwen3-0.6B"), requests_per_s=0.1, token_s=0.2, first_token_s=5, engine="llama.cpp"),
    )
    found = plan(fleet(H100, L40S, HOST), *targets)
    ons = [[part.layout.on.name for part in placed.way.parts] for placed in found.placed]
    assert ons == [["H100 SXM5 80GB HBM3"], ["EPYC 9654"]]
    assert found.placed[1].way.parts[0].layout.cards == 0
    assert found.cost.nodes == 1


def test_experts_kept_whole_take_the_same_memory() -> None:
    """A rank has as many bytes of whole experts as of parts of all, and the command says which."""
    inventory = fleet(("4x l40s", 1))
    tells = {}
    for whole in (False, True):
        target = Target(model("Qwen/Qwen3-30B-A3B"), users=4, expert_parallel=whole)
        found = plan(inventory, target).placed[0].way.parts[0].layout
        tells[whole] = found
        assert ("--enable-expert-parallel" in found.command(target)) == whole
    assert tells[False].rank_bytes() == tells[True].rank_bytes()


def test_experts_whose_blocks_do_not_divide_are_kept_whole() -> None:
    """Scales of 128 rows: 768 rows of an expert on four ranks leave half a block, so four ranks have whole experts."""
    target = Target(model("Qwen/Qwen3-30B-A3B"), users=4, quant="fp8-block128")
    (kind,) = alike(fleet(("4x l40s", 1)).nodes)
    found, rejected = KNOWN.of(target, kind)
    assert {layout.split.tensor_parallel: layout.split.expert_parallel for layout in found} == {1: False, 2: False, 4: True}
    assert [one for one in rejected if one.why == "refused"] == []


def test_processors_of_one_name_with_other_memory_are_not_alike() -> None:
    """What fits one of them is not taken to fit the other."""
    nodes = [Node(name, sizeup.machine("epyc-9654", ram=ram), "ready") for name, ram in (("small", "2GiB"), ("large", "64GiB"))]
    found = plan(Inventory("file", "test", tuple(nodes), ""), small(requests_per_s=0.01, first_token_s=60, token_s=1))
    assert found.nodes_used == ("large",)


def test_a_cluster_with_nothing_free() -> None:
    """Nothing is placed and nothing breaks."""
    node = Node("a", sizeup.machine("4x h100-sxm"), "down")
    found = plan(Inventory("file", "test", (node,), ""), small())
    assert (found.possible, found.free_cards, binding(found), lost(found, KNOWN)) == (False, 0, (), ())


def test_a_model_larger_than_a_node_spans_several() -> None:
    """Stages lie on nodes of their own, each with all of its cards."""
    found = plan(fleet(("4x h100-sxm", 4)), Target(model("Qwen/Qwen3-235B-A22B"), requests_per_s=0.5))
    (part,), (seats,) = found.placed[0].way.parts, found.placed[0].seats
    assert part.layout.split.nodes == 2
    assert all(len(set(seat)) == 2 for seat in seats)
    assert part.layout.cards == 8


def test_no_tensor_is_split_beyond_the_fastest_link() -> None:
    """Cards that are bridged in pairs split tensors by two."""
    inventory = fleet(("2x rtx-3090 nvlink", 1))
    (kind,) = alike(inventory.nodes)
    assert kind.domain == 2
    bridged = dataclasses.replace(kind.nodes[0].machine)
    four = sizeup.machine("4x rtx-3090")
    node = Node("a", dataclasses.replace(four, links=bridged.links), "ready", 4)
    (pairs,) = alike([node])
    assert (pairs.cards, pairs.domain) == (4, 2)


@pytest.mark.parametrize("spare", [False, True])
def test_changes_that_make_it_possible_do(spare: bool) -> None:
    """An impossible plan says why, and each change leads to a possible one; the nodes that are missing are the fewest."""
    inventory = fleet(("2x h100-sxm", 1))
    found = plan(inventory, small(requests_per_s=100), spare=spare)
    assert not found.possible
    assert [limit.what for limit in binding(found)] == ["cards"]
    told = changes(found, KNOWN)
    # One node carries nothing that may lose a node.
    assert {change.kind for change in told} >= ({"nodes"} if spare else {"nodes", "load"})
    assert [change.plan.possible for change in told] == [True] * len(told)
    more = next(change for change in told if change.kind == "nodes")
    fewer = grown(inventory, inventory.nodes[0], int(more.value) - 1)
    assert not plan(fewer, small(requests_per_s=100), spare=spare).possible


def test_changes_of_a_possible_plan_cost_less() -> None:
    """None is named that saves nothing."""
    found = plan(fleet(("4x h100-sxm", 2)), Target(model("Qwen/Qwen3-32B"), users=150))
    told = changes(found, KNOWN)
    assert [change.kind for change in told if change.plan.cost[:3] >= found.cost[:3]] == []
    assert "quant" in {change.kind for change in told}


def test_a_goal_that_nothing_meets() -> None:
    """What fails is the goal, and the change that helps is a looser one."""
    found = plan(fleet(("h100-sxm", 1)), small(token_s=0.001))
    assert binding(found)[0].what == "between_tokens"
    assert [change.kind for change in changes(found, KNOWN)] == ["between_tokens"]


def test_three_limits_and_the_nearest_first() -> None:
    """Those that a replica reaches, at their whole share."""
    told = binding(plan(fleet(H100), small(requests_per_s=30)))
    shares = [min(limit.share, 1.0) for limit in told]
    assert len(told) == 3
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.99


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"users": 3}, "either users or requests"),
        ({"requests_per_s": 0}, "makes no load"),
        ({"prompt_tokens": 10**7}, "longer than the context"),
        ({"context_tokens": 100}, "shorter than the mean request"),
    ],
)
def test_wishes_that_make_no_sense(wishes: dict[str, float], said: str) -> None:
    """Each is refused in a sentence."""
    with pytest.raises(UserError, match=said):
        small(**wishes)


def test_the_network_between_nodes() -> None:
    """A slower network makes a pipeline over nodes slower and its interval wider, by the bytes of each token and a wait at every boundary;
    within a node, and where nobody says what it is, nothing is added."""
    target = Target(model("Qwen/Qwen3-32B"), users=1, prompt_tokens=1000, answer_tokens=100)
    nodes = fleet(("2x rtx-4090", 2)).nodes

    def token_s(network: str) -> tuple[float, float]:
        (kind,) = alike([dataclasses.replace(node, network=network) for node in nodes])
        made = served(target, kind, "vLLM", "fp8", Split(2, 2, 2))
        assert not isinstance(made, Rejected)
        return made[3].at_users(target, 1).token_s, made[3].band()[1]

    unknown, slow, fast = (token_s(network) for network in ("", "1gbe", "400gbe"))
    hop = crossing("1gbe", 1, 5120)
    assert hop is not None
    assert hop.likely.seconds(1) == pytest.approx(0.00015 + 2 * 2 * 5120 / 125e6)
    assert unknown[0] < fast[0] < slow[0]
    assert slow[0] - unknown[0] == pytest.approx(hop.likely.seconds(1))
    assert unknown[1] < slow[1]
    with pytest.raises(UserError, match="No network is called"):
        known("100gbee")
    assert crossing("1gbe", 0, 5120) is crossing("", 1, 5120) is None


def test_nodes_without_cards_are_counted_as_nodes() -> None:
    """What a Mac is short of are Macs: as many are there as replicas have room, not none."""
    found = plan(fleet(("m4-max-128gb", 3)), Target(model("Qwen/Qwen3-8B"), users=10))
    (short,) = found.short
    assert [(one.what, one.value, one.limit) for one in missed(found)] == [("cards", sum(p.replicas for p in short.way.parts), 3)]  # type: ignore[union-attr]
