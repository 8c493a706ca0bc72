"""How fast: what a step moves, what devices reach of it, and that the stated intervals are those of runs that were left out."""

from __future__ import annotations

import dataclasses
import json

import pytest

from sizeup import calibration, probe
from sizeup.calibration import Calibration
from sizeup.engines import engine
from sizeup.errors import UserError
from sizeup.facts import data_json
from sizeup.ghost import calibrate, shots
from sizeup.ghost.solve import Ghosts, Seen, solved
from sizeup.hardware import Cpu, Device, Disk, Machine, Pool
from sizeup.plan import Measurement
from sizeup.rates import branch, known, spread
from sizeup.reach import host_flops_per_s
from sizeup.readers import read
from sizeup.roofline import Load, Pace, Reads, terms
from sizeup.search import fit, speed, with_speed
from sizeup.throughput import tokens_a_round
from sizeup.work import experts_read

from .program import Run

LLAMA = engine("llama.cpp")

CALIBRATED = Calibration(
    cpu="Some CPU",
    threads=4,
    date="2026-11-21",
    read_bytes_per_s={"Q8_0": 1e9, "": 1e9},
    flops_per_s={"Q8_0": 5e10, "": 5e10},
    dot_s={"Q8_0": 2e-9, "": 0.0},
    batch_dot_s=0.0,
    cache_row_s=0.0,
    mixing_flops_per_s=1e12,
    vector_mixing_flops_per_s=1e10,
    layer_s=1e-4,
    expert_layer=1.5,
    expert_rows=10.0,
)


def card(gigabytes: int = 24, rate: float = 1.008e12, name: str = "Card", family: str = "", ram_rate: float = 5e10) -> Machine:
    """A host with one card."""
    return Machine(
        "box",
        Cpu("Some CPU", 8, 16, 8.0, "x86_64", ("avx2",)),
        (Pool("ram", 64 << 30, 60 << 30, ram_rate), Pool("vram:0", gigabytes << 30, gigabytes << 30, rate)),
        (Device(name, "NVIDIA", "cuda", "vram:0", family=family, flops_per_s=3.3e14, watts=450.0),),
    )


def test_what_one_token_reads() -> None:
    """Decoding reads every weight but the embedding's rows; an untied head counts, a looked-up embedding does not."""
    model = read("meta-llama/Meta-Llama-3-8B")
    (part,) = LLAMA.work(model, "F16", LLAMA.Settings(gpu_layers=0))
    stored = {tensor.name: tensor.bytes for tensor in LLAMA.tensors(model, "F16")}
    assert part.weight_bytes == sum(stored.values()) - stored["token_embd.weight"]
    assert part.layers == 32
    assert part.expert_layers == 0
    # 32 layers, 8 heads of 128 for keys and values each, F16; the host's flash attention passes over the padding.
    cell = 32 * 2 * 8 * 128 * 2
    assert part.cache_bytes == cell
    for changes in ({"gpu_layers": "all"}, {"flash_attention": False}):
        assert sum(p.cache_bytes for p in LLAMA.work(model, "F16", LLAMA.Settings(**changes))) == cell * 256


def test_a_tied_head_is_read_though_it_is_the_embedding() -> None:
    """Gemma multiplies by its embedding once more."""
    model = read("google/gemma-3-270m")
    (part,) = LLAMA.work(model, "F16", LLAMA.Settings())
    stored = {tensor.name: tensor.bytes for tensor in LLAMA.tensors(model, "F16")}
    assert part.weight_bytes == sum(stored.values())


def test_windows_bound_what_a_deep_cache_costs() -> None:
    """At 32,768 tokens Gemma's window layers read no more than their window and a micro batch, host or card."""
    model = read("google/gemma-3-1b-it")
    for layers, cells in ((0, 1024), ("all", 1024)):
        settings = LLAMA.Settings(context_tokens=32_768, gpu_layers=layers)
        parts = LLAMA.work(model, "Q8_0", settings, depth_tokens=32_767)
        full = 4 * 2 * 256 * 2 * 32_768
        window = 22 * 2 * 256 * 2 * cells
        assert sum(part.cache_bytes for part in parts) == full + window


@pytest.mark.parametrize(("tokens", "least", "most"), [(1, 8, 8), (16, 82, 83), (100_000, 127.9, 128)])
def test_experts_that_a_batch_reads(tokens: int, least: float, most: float) -> None:
    """One token reads its own 8 of 128; many read nearly all, never more."""
    assert least <= experts_read(128, 8, tokens) <= most


def test_a_moe_reads_its_experts_share() -> None:
    """One token of Qwen3 30B reads 8 of 128 experts; its routed weights are marked."""
    model = read("Qwen/Qwen3-30B-A3B")
    (part,) = LLAMA.work(model, "Q8_0", LLAMA.Settings())
    routed = sum(share.bytes for share in part.shares if share.routed)
    stored = sum(t.bytes for t in LLAMA.tensors(model, "Q8_0") if "_exps" in t.name)
    assert routed == pytest.approx(stored * 8 / 128)
    assert part.expert_layers == 48


def test_pools_add_up_to_the_whole() -> None:
    """However layers and experts are placed, the same weights are read in all."""
    model = read("Qwen/Qwen3-30B-A3B")
    whole = sum(p.weight_bytes for p in LLAMA.work(model, "Q4_K_M", LLAMA.Settings()))
    for changes in (
        {"gpu_layers": "all"},
        {"gpu_layers": 20},
        {"gpu_layers": "all", "cpu_moe_layers": 13},
        {"gpu_layers": "all", "gpus": 3},
    ):
        parts = LLAMA.work(model, "Q4_K_M", LLAMA.Settings(**changes))
        assert sum(p.weight_bytes for p in parts) == pytest.approx(whole)
        assert sum(p.layers for p in parts) == 48
        assert sum(p.expert_layers for p in parts) == 48


def test_terms_by_hand() -> None:
    """Bytes over rates, FLOPs over rates, layers times their time; padding only for batches of experts."""
    pace = Pace({"": 100.0}, {"": 1000.0}, 50.0, 500.0, 0.01, 3.0, 30.0)
    one = Load((Reads("k", 400, 2000, 1, False), Reads("k", 100, 1000, 1, True)), 25, 50, 4, 2, 1)
    assert terms(one, pace) == pytest.approx((400 / 100 + 100 / 100 + 25 / 50, 2 + 1 + 50 / 500, 0.01 * (4 + 2 * 2)))
    batch = one._replace(reads=(Reads("k", 100, 1000, 10, True),), tokens=64)
    assert terms(batch, pace).compute == pytest.approx(1000 * 40 / 10 / 1000 + 0.1)


def test_more_never_runs_faster() -> None:
    """More depth, more bits, fewer layers on the card, less bandwidth: each decodes slower."""
    box = card()

    def rate(**changes: object) -> float:
        found = speed("Qwen/Qwen3-8B", box, **{"quant": "Q4_K_M", **changes}).decode
        assert found is not None
        assert found.lower < found.tokens_per_s < found.upper
        return found.tokens_per_s

    base = rate()
    assert rate(depth_tokens=8192) < base
    assert rate(quant="Q8_0") < base
    assert rate(gpu_layers=20) < base
    assert rate(gpu_layers=0) < rate(gpu_layers=20)
    assert rate(flash_attention=False, depth_tokens=8192) < rate(depth_tokens=8192)
    assert speed("Qwen/Qwen3-8B", card(rate=5e11), quant="Q4_K_M").decode.tokens_per_s < base  # type: ignore[union-attr]


def test_a_batch_shares_the_weights() -> None:
    """Eight sequences together decode faster than one, and each slower than alone."""
    one, eight = (speed("Qwen/Qwen3-8B", card(), quant="Q4_K_M", batch=batch).decode for batch in (1, 8))
    assert one is not None
    assert eight is not None
    assert one.tokens_per_s * 2 < eight.tokens_per_s < one.tokens_per_s * 8


def test_a_host_of_unknown_arithmetic_is_not_the_fastest() -> None:
    """Sixty-four sequences on processors that nobody timed a prompt on have no speed, and are not taken in place of a GPU that has one."""
    mac = probe.machine("m4 pro 48gb")
    assert speed("Qwen/Qwen3-8B", mac, quant="Q4_K_M", batch=64, gpu_layers=0).decode is None
    best = fit("Qwen/Qwen3-8B", mac, quant="Q4_K_M", users=64, context_tokens=4096)[0]
    assert (best.settings.gpu_layers, best.speed.decode is None) == ("all", False)


def test_what_is_not_known_is_none() -> None:
    """No bandwidth, no decode speed; no arithmetic rate, no prefill and no batch."""
    assert speed("Qwen/Qwen3-8B", card(rate=0.0), quant="Q4_K_M").decode is None
    box = card()
    bare = dataclasses.replace(box, devices=(dataclasses.replace(box.devices[0], flops_per_s=None),))
    found = speed("Qwen/Qwen3-8B", bare, quant="Q4_K_M", gpu_layers="all")
    assert found.prefill is None
    assert found.decode is not None
    assert speed("Qwen/Qwen3-8B", bare, quant="Q4_K_M", gpu_layers="all", batch=16).decode is None


@pytest.mark.parametrize("mistake", [{"batch": 0}, {"depth_tokens": -1}, {"prompt_tokens": 0}, {"backend": "abacus"}, {"lanes": 4}])
def test_mistakes(mistake: dict[str, object]) -> None:
    """Counts that make no sense, a backend or a setting that nobody knows: one sentence."""
    with pytest.raises(UserError):
        speed("Qwen/Qwen3-8B", card(), quant="Q4_K_M", **mistake)  # type: ignore[arg-type]


def test_weights_beyond_memory_wait_for_the_disk() -> None:
    """A model larger than RAM pages from the disk for every token: slower than the disk's rate allows it any better; no disk rate, no speed."""
    box = Machine("small", Cpu("Some CPU", 4, 4, 4.0, "x86_64", ("avx2",)), (Pool("ram", 4 << 30, 3 << 30, 2e10),))
    assert speed("Qwen/Qwen3-8B", box, quant="Q8_0", repack=False).decode is None
    rated = dataclasses.replace(box, disks=(Disk("/", 1 << 40, 1 << 39, bytes_per_s=5e8),))
    found = speed("Qwen/Qwen3-8B", rated, quant="Q8_0", repack=False).decode
    assert found is not None
    assert found.bound_by == "disk:disk"
    assert found.tokens_per_s < 5e8 / 4e9


def test_first_word_turn_and_energy() -> None:
    """The wait is the prompt and one token; a turn adds the rest; energy lies between a part of the design power and all of it."""
    found = speed("Qwen/Qwen3-8B", card(), quant="Q4_K_M", gpu_layers="all")
    assert found.prefill is not None
    assert found.decode is not None
    first, turn = found.first_token_s(1000), found.turn_s(1000, 101)
    assert first is not None
    assert turn is not None
    assert first[1] == pytest.approx(1000 / found.prefill.tokens_per_s + 1 / found.decode.tokens_per_s)
    assert turn[1] == pytest.approx(first[1] + 100 / found.decode.tokens_per_s)
    assert first[0] < first[1] < first[2]
    joules = found.joules(1000)
    assert joules is not None
    assert joules[0] < 1000 / found.decode.tokens_per_s * 450 < joules[1]


def test_a_device_leans_on_its_family_and_widens() -> None:
    """A card with runs of its own, one of a known family, one of nobody's: the intervals widen, the order of the rates is the family's."""
    rows = data_json("speed_rates.json")
    family = next(node.partition("/")[2] for node in rows["runs"] if node.startswith("cuda/NVIDIA Ada"))
    near = known("a card of tomorrow", family, "cuda", 1e12, 3e14)
    far = known("a card of tomorrow", "Nobody's", "cuda", 1e12, 3e14)
    assert (near.nearness, far.nearness) == ("family", "far")
    for metric in ("decode", "prefill"):
        low, high = spread(metric, "family", False)
        wide = spread(metric, "far", False)
        assert wide[0] < low < 1 < high
    assert branch("d", "NVIDIA Ada", "cuda") == ["", "cuda", "NVIDIA", "cuda/NVIDIA", "NVIDIA Ada", "cuda/NVIDIA Ada", "d", "cuda/d"]


def test_the_facts_are_whole() -> None:
    """Every rate is positive, every format of the table has a class, every kind of interval exists and holds its middle."""
    rows = data_json("speed_rates.json")
    assert all(value > 0 for rates in rows["rates"].values() for value in rates)
    assert all(value > 0 for value in rows["shared"].values())
    assert set(rows["formats"].values()) <= set(rows["classes"])
    assert {"expert_layer", "expert_rows", "cache:on", "cache:off", "mixing:on", "mixing:off", "read:k", "compute:k"} <= set(rows["shared"])
    for metric in ("decode", "prefill"):
        for nearness in ("device", "family", "far"):
            for sort in (True, False):
                low, high = spread(metric, nearness, sort)
                assert 0 < low <= 1 <= high
    assert rows["source"]
    assert rows["date"]


def test_a_measurement_of_this_machine_beats_what_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rates decide at once, for its processor only; a damaged file teaches nothing."""
    box = Machine("this machine", Cpu("Some CPU", 4, 4, 4.0, "x86_64", ("avx2",)), (Pool("ram", 32 << 30, 30 << 30, 2e10),))
    before = speed("Qwen/Qwen3-0.6B", box, quant="Q8_0").decode
    calibration.keep(CALIBRATED)
    after = speed("Qwen/Qwen3-0.6B", box, quant="Q8_0").decode
    assert before is not None
    assert after is not None
    (part,) = LLAMA.work(read("Qwen/Qwen3-0.6B"), "Q8_0", LLAMA.Settings(context_tokens=1024))
    flops, dots = (sum(getattr(share, name) for share in part.shares if share.format != "F32") for name in ("flops", "dots"))
    # Queries, keys, values and what they yield, a gate, what it opens and what comes of it, of 28 layers; and the head.
    assert dots == 28 * (2048 + 1024 + 1024 + 1024 + 3072 + 3072 + 1024) + 151936
    assert after.tokens_per_s == pytest.approx(
        1 / (part.moved_bytes / 1e9 + flops / 5e10 + dots * 2e-9 + part.mixing_flops / 1e10 + 28e-4), rel=0.005
    )
    assert after.basis == "ram: here"
    assert calibration.kept("Another CPU") is None
    (calibration.data_dir() / calibration.FILE).write_text(json.dumps({"cpu": "Some CPU"}))
    calibration._read.cache_clear()
    assert calibration.kept("Some CPU") is None


def test_host_arithmetic_is_none_where_nobody_knows_the_processor() -> None:
    """Known by instruction set and cores, assumed in its clock; a processor of unknown architecture has no rate."""
    box = card()
    assert host_flops_per_s(box) == pytest.approx(8 * 32 * 3e9)
    assert host_flops_per_s(dataclasses.replace(box, cpu=Cpu("x", 8, 8, 8.0, "riscv64"))) is None
    assert host_flops_per_s(dataclasses.replace(box, cpu=None)) is None


def test_a_plan_carries_its_speeds() -> None:
    """An empty context decodes no slower than a full one, and a plan can be asked at a depth."""
    (plan, *_) = fit("Qwen/Qwen3-8B", card(), quant="Q4_K_M", context_tokens=32_768)
    assert plan.speed.decode is not None
    assert plan.speed.full is not None
    assert plan.speed.full.tokens_per_s < plan.speed.decode.tokens_per_s
    deep = with_speed(plan, 32_000).speed.decode
    assert deep is not None
    assert deep.tokens_per_s == pytest.approx(plan.speed.full.tokens_per_s, rel=0.05)


def test_a_draft_helps_when_it_is_much_smaller() -> None:
    """A small draft makes a large model faster, the model as its own draft slower; the range widens with what nobody knows."""
    alone = speed("Qwen/Qwen3-32B", card(80), quant="Q4_K_M", gpu_layers="all").decode
    small = speed("Qwen/Qwen3-32B", card(80), quant="Q4_K_M", gpu_layers="all", draft=read("Qwen/Qwen3-0.6B"), draft_quant="Q8_0").decode
    itself = speed("Qwen/Qwen3-32B", card(80), quant="Q4_K_M", gpu_layers="all", draft=read("Qwen/Qwen3-32B"), draft_quant="Q4_K_M").decode
    assert alone is not None
    assert small is not None
    assert itself is not None
    assert itself.tokens_per_s < alone.tokens_per_s < small.tokens_per_s
    assert small.upper / small.lower > alone.upper / alone.lower
    assert tokens_a_round(0.5, 2) == 1 + 0.5 + 0.25


@pytest.mark.engine
def test_a_calibration_measures_and_is_kept(sizeup: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`machine --measure` runs small ghosts on the engine: every rate is positive, kept for this processor, and beats what was assumed."""
    monkeypatch.setattr(calibrate, "SECONDS", 0.05)
    monkeypatch.setattr(calibrate, "MOST_RUNS", 1)
    monkeypatch.setattr(shots, "FORMATS", ("Q8_0",))
    monkeypatch.setattr(shots, "SHORT_FORMATS", ("Q8_0",))
    monkeypatch.setattr(shots, "LAYERS_FORMAT", "Q8_0")
    monkeypatch.setattr(shots, "WIDE", {**shots.WIDE, "hidden_size": 512, "intermediate_size": 512})
    monkeypatch.setattr(shots, "SHORT", {**shots.SHORT, "vocab_size": 8192})
    monkeypatch.setattr(shots, "DEPTH_TOKENS", 256)
    assert sizeup("machine", "--measure", "--json").code == 0
    cpu = probe.machine().cpu
    assert cpu is not None
    found = calibration.kept(cpu.name)
    assert found is not None
    assert min(found.read_bytes_per_s["Q8_0"], found.flops_per_s["Q8_0"], found.vector_mixing_flops_per_s, found.layer_s) > 0
    assert found.expert_layer >= 1
    assert found.spread[0] < 1 < found.spread[1]


def test_a_busy_machine_widens_what_it_was_told() -> None:
    """Repeats that lie far apart make the interval as wide, and say that it should be measured again."""
    quiet = CALIBRATED._replace(noise=0.01)
    busy = quiet._replace(noise=0.5)
    assert (quiet.busy, busy.busy) == (False, True)
    assert busy.spread[0] < quiet.spread[0] < 1 < quiet.spread[1] < busy.spread[1]


def test_rates_are_solved_from_what_ghosts_took() -> None:
    """Times made from known rates give those rates back: reading, multiplying, dot products, layers, experts, the cache, attention."""
    box = probe.machine()
    shapes = {
        "Q8_0": (shots.WIDE, "Q8_0", 128),
        "F16": (shots.WIDE, "F16", 128),
        "short": (shots.SHORT, "F16", 16),
        "layers": (shots.MANY, "F16", 128),
        "experts": (shots.EXPERTS, "F16", 128),
        "cache": (shots.DEEP, "F16", 2048),
        "heads": (shots.HEADS, "F16", 192),
    }
    seen = {
        name: calibrate._seen(box, shots.Shot(shots.ghost(name, shape, kind), prompt), [Measurement("rehearsed", "e", "m", {}, {})])
        for name, (shape, kind, prompt) in shapes.items()
    }
    one, other = calibrate._by_kind([seen["Q8_0"], seen["F16"]])
    rates = {one: 3e10, other: 4e10, "": 3e10}
    truth = Pace(rates, {one: 2e11, other: 1e11, "": 1e11}, 4e10, 2e11, 2e-5, 5.0, 20.0, 5e-8, dict.fromkeys(rates, 7e-9), 3e-9, 5e10)
    if one.endswith("+"):
        truth = truth._replace(dot_s={**dict.fromkeys(rates, 7e-9), one: 0.0})
    took = {
        name: Seen(bare.one, bare.batch, *(sum(map(float, terms(step, truth))) for step in (bare.one, bare.batch)))
        for name, bare in seen.items()
    }
    found = solved(
        Ghosts(
            calibrate._by_kind([took["Q8_0"], took["F16"]]),
            calibrate._by_kind([took["short"]]),
            **{name: took[name] for name in ("layers", "experts", "cache", "heads")},
        )
    )
    for name, value in found._asdict().items():
        assert value == pytest.approx(getattr(truth, name), rel=0.001), name
    assert Calibration(cpu="c", threads=1, date="2026-11-22", **calibration.rates(found)).pace == found
