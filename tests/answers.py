"""Models, machines and plans made by hand, so that what is drawn of them never moves by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sizeup.facts import Source
from sizeup.hardware import Cpu, Device, Disk, Machine, Pool
from sizeup.layers import Attention, Block, Embedding, Extras, Head, Mlp, Moe
from sizeup.model import Group, ModelSpec, Tensor
from sizeup.outline import Outline
from sizeup.plan import Breakdown, Claim, Evidence, Measurement, Plan, Speed, SpeedEstimate
from sizeup.quality import Kept, Score
from sizeup.recommend import Choice, Ranking
from sizeup.shortlist import Listed

GIB, MIB = 2**30, 2**20
MEASURED = Source("measured", "this machine", "2026-11-21")
PUBLISHED = Source("published", "a data sheet", "2026-11-21")


@dataclass(frozen=True)
class Settings:
    """As much of an engine's settings as an answer shows."""

    context_tokens: int = 8192
    k: str = "f16"
    v: str = "f16"
    gpu_layers: int | str = 0
    cpu_moe_layers: int | str = 0


LAPTOP = Machine(
    "this machine",
    Cpu("Example 7 PRO", 2, 4, 2.0, "x86_64", ("avx2", "avx512f"), MEASURED),
    (Pool("ram", 25_232_932_864, 23_729_516_544, 12e9, MEASURED, MEASURED),),
    disks=(Disk("/home", 500 * GIB, 210 * GIB, "ext4", 500e6, MEASURED),),
    system="linux in a virtual machine",
    limits=("cgroup memory.max of /: 23.5 GiB of 64.0 GiB",),
    warnings=("Nothing names this processor.",),
)
DESKTOP = Machine(
    "rtx-4090",
    None,
    (Pool("vram:0", 24 * GIB, 24 * GIB - GIB // 2, 1008e9, PUBLISHED, PUBLISHED), Pool("ram", 64 * GIB, 60 * GIB)),
    (Device("NVIDIA GeForce RTX 4090", "nvidia", "cuda", "vram:0", "8.9"),),
)
SERVER = Machine(
    "4x a40",
    Cpu("Example 64", 64, 128, 96.0, "x86_64"),
    (*(Pool(f"vram:{n}", 48 * GIB, 47 * GIB, 696e9, PUBLISHED, PUBLISHED) for n in range(4)), Pool("ram", 256 * GIB, 240 * GIB)),
    tuple(Device("NVIDIA A40", "nvidia", "cuda", f"vram:{n}") for n in range(4)),
)

QWEN3_8B = ModelSpec(
    "Qwen3 8B",
    "qwen3",
    "qwen3",
    4096,
    151_936,
    40_960,
    Embedding(151_936),
    Head(151_936, False),
    (Group(Block((Attention(32, 8, 128, 128),), Mlp(12_288), Extras(())), tuple(range(36))),),
    tensors=(Tensor("token_embd.weight", (4096, 151_936), "Q4_K"), *(Tensor(f"t{n}", (4096, 4096), "Q6_K") for n in range(398))),
    stored="gguf",
    source=Source("read", "Qwen3-8B-Q4_K_M.gguf"),
    card={"license": "apache-2.0", "id": "Qwen/Qwen3-8B"},
)
MIXTURE = replace(
    QWEN3_8B,
    name="Mixture 30B",
    groups=(
        Group(Block((Attention(32, 4, 128, 128, window=1024),), Mlp(6144), Extras(())), (0, 2, 4)),
        Group(Block((Attention(32, 4, 128, 128),), Moe(128, 8, 768), Extras(())), (1, 3, 5)),
    ),
    warnings=("the file stores +12 elements that its layers do not account for",),
    assumed=("odd.gguf does not say its “model_type”: read as “qwen3”",),
)

LAPTOP_CLAIMS = (
    Claim("weights", "ram", 622_000_000, label="mapped"),
    Claim("weights", "ram", 4_402_341_478, reclaimable=True, label="mapped_originals"),
    Claim("repacked", "ram", 4_402_341_478),
    Claim("cache", "ram", 36 * 8192 * 4096),
    Claim("compute", "ram", 311_385_128, 0.02),
    Claim("output", "ram", 607_744),
    Claim("process", "ram", 53_687_091, 0.25),
)
DECODE = Speed(3.5, 3.1, 4.0, "memory:ram", "ram: here")
FULL = Speed(2.6, 2.2, 3.0, "memory:ram", "ram: here")


def plan(machine: Machine, claims: tuple[Claim, ...], speed: SpeedEstimate, settings: Settings, command: str) -> Plan:
    """A plan for QWEN3_8B whose free room is what the claims leave."""
    breakdown = Breakdown(claims)
    free = {pool: (found.free_bytes if (found := machine.pool(pool)) else 0) - breakdown.needed_bytes(pool) for pool in breakdown.by_pool()}
    return Plan(QWEN3_8B, machine, "llama.cpp", "Q4_K_M", settings, breakdown, speed, free, command)


FITS = replace(
    plan(
        LAPTOP,
        LAPTOP_CLAIMS,
        SpeedEstimate(Speed(21.0, 18.0, 24.0, "compute:ram", "ram: here"), DECODE, 9.0, FULL),
        Settings(),
        "llama-server -m Qwen3-8B-Q4_K_M.gguf -c 8192 -np 1 --device none",
    ),
    why="recommended",
)
BETTER = replace(
    FITS,
    quant="Q6_K",
    why="better",
    speed=SpeedEstimate(None, Speed(2.5, 2.0, 3.0, "memory:ram"), None),
    breakdown=Breakdown((*LAPTOP_CLAIMS, Claim("weights", "ram", GIB))),
)
PROVED = replace(
    FITS, evidence=(Evidence("proved", "llama.cpp (xllamacpp 2026.10)", "2026-11-21T10:00:00", {"weights": 0, "cache": 0, "compute": 100}),)
)

CARD_CLAIMS = (
    Claim("weights", "vram:0", int(39.6 * GIB)),
    Claim("weights", "ram", 700 * MIB, label="mapped"),
    Claim("cache", "vram:0", int(2.5 * GIB)),
    Claim("compute", "vram:0", GIB, 0.02),
    Claim("compute", "ram", 20 * MIB, 0.02),
    Claim("overhead", "vram:0", 375 * MIB, 0.34, label="cuda_context"),
)
DOES_NOT_FIT = plan(
    DESKTOP, CARD_CLAIMS, SpeedEstimate(None, None, None), Settings(gpu_layers="all"), "llama-server -m big.gguf -c 8192 -ngl 999"
)
NEAREST = (
    replace(
        DOES_NOT_FIT,
        free_bytes={"vram:0": 1},
        why="smaller_quant",
        quant="IQ2_XS",
        settings=Settings(gpu_layers=20),
        speed=SpeedEstimate(None, DECODE, None),
        command="llama-server -m big-IQ2_XS.gguf -c 8192 -ngl 20",
    ),
    replace(DOES_NOT_FIT, free_bytes={"vram:0": 1}, why="less_context", settings=Settings(2048, gpu_layers="all")),
)
FOUR_CARDS = plan(
    SERVER,
    (
        *(Claim("weights", f"vram:{n}", 10 * GIB) for n in range(4)),
        *(Claim("cache", f"vram:{n}", GIB) for n in range(4)),
        Claim("process", "ram", 30 * MIB),
    ),
    SpeedEstimate(
        Speed(900.0, 700.0, 1200.0, "compute:vram:0"),
        Speed(30.0, 22.0, 41.0, "memory:vram:0", "; ".join(f"vram:{n}: family" for n in range(4))),
        200.0,
    ),
    Settings(gpu_layers="all"),
    "llama-server -m big.gguf -c 8192 -ngl 999",
)
MEASUREMENT = Measurement(
    "measured",
    "llama.cpp (xllamacpp 2026.10)",
    "Qwen3 8B",
    {},
    {"weights": 5_024_341_478, "repacked": 4_402_341_478, "cache": 36 * 8192 * 4096, "compute": 316_000_000, "output": 607_744},
    resident_bytes=10_700_000_000,
    peak_resident_bytes=10_900_000_000,
    expected_resident_bytes=10_800_000_000,
    prefill_tokens_per_s=31.2,
    decode_tokens_per_s=3.62,
    load_s=8.2,
)


def _choice(id: str, numbers: tuple[int, int], quant: str, score: Score, kept: Kept, outline: Outline, **facts: object) -> Choice:
    about = {"id": id, "maker": "qwen", "family": "Qwen3", "date": "2025-04-29", "dated_by": "vendor", "made_of": "", "coder": False,
             "base": False, "license": "apache-2.0", "context": 40_960, "native": None, **facts}  # fmt: skip
    return Choice(Listed(about, (*numbers, 36, 0, 0)), DESKTOP, quant, 8192, score, kept, outline, score.value)


RANKING = Ranking(
    (
        _choice("Qwen/Qwen3-32B", (32_762_123_264, 32_762_123_264), "Q4_K_M", Score(79.4, 76.1, 82.0, "measured", 5, "code"),
                Kept(0.988, 0.966, 0.996, "scaled", "Q4_K_M of Llama 3 8B", 0.0173), Outline("cards", 21_000_000_000, 0, Speed(38.0, 33.0, 44.0, "memory:vram:0"))),
        _choice("example/Unheard-30B-A3B", (30_532_122_624, 3_353_032_704), "IQ4_XS", Score(71.2, 51.9, 84.4, "estimated", 0, "code"),
                Kept(0.981, 0.95, 0.993, "kin", "IQ4_XS of Llama 3 8B", 0.0286), Outline("experts", 18_300_000_000, 0, Speed(95.0, 60.0, 140.0, "memory:vram:0")),
                maker="example", date="2026-08", dated_by="name", license=None, made_of="Qwen/Qwen3-30B-A3B"),
        _choice("google/gemma-3-27b-it", (27_432_406_640, 27_009_002_240), "Q5_K_M", Score(57.0, 54.0, 60.0, "self_reported", 4, "general"),
                Kept(0.99, 0.97, 0.997, "scaled", "Q5_K_M of Llama 3 8B", 0.009), Outline("layers", 22_000_000_000, 0, None), family="Gemma 3"),
    ),
    True, {}, "code", 4.0,
)  # fmt: skip
UNMET = RANKING._replace(
    choices=RANKING.choices[1:2], met=False, excluded={"slowest": 3, "license": 12}, task="translate", slowest_tokens_per_s=50.0
)
