"""Examples about the machine itself: its memory, its processor, what joins its parts."""

from __future__ import annotations

from sizeup.facts import data_json
from sizeup.hardware import Pool

from .scene import Figures, Found, Scene, Told, size


def memory(scene: Scene, pool: str = "") -> Found:
    """The size of a memory in both units, what is free and what it delivers; `pool` "ram" is the host's own."""
    place = scene.machine.pool(pool) if pool else scene.place
    found: Pool = place or scene.place
    kind = (found.free_source or found.source).kind
    figures: Figures = {
        "pool": Told(found.name, "pool", "read"), "bytes": Told(found.bytes, "bytes", found.source.kind),
        "decimal": Told(f"{found.bytes / 1e9:.1f} GB", "name", "derived"), "binary": Told(f"{found.bytes / 2**30:.1f} GiB", "name", "derived"),
        "free": Told(found.free_bytes, "bytes", kind),
    }  # fmt: skip
    if not found.bytes_per_s:
        return "unknown", figures
    return "", {**figures, "rate": Told(found.bytes_per_s, "bytes_per_s", found.bandwidth_source.kind)}


def limit(scene: Scene) -> Found:
    """What the GPU of a machine with one memory may hold of it."""
    device = next(device for device in scene.machine.devices if device.pool == "unified")
    figures: Figures = {"bytes": Told(scene.place.bytes, "bytes", scene.place.source.kind), "free": scene.free()}
    if device.limit_bytes is None:
        return "none", figures
    return "", {**figures, "limit": Told(device.limit_bytes, "bytes", device.source.kind)}


def instructions(scene: Scene) -> Found:
    """The vector instructions of the processor that matter to an engine, and how fast it reads a prompt with them."""
    from sizeup.throughput import PROMPT_TOKENS

    cpu = scene.machine.cpu
    if cpu is None or not cpu.features:
        return "unknown", {}
    matter = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "neon", "dotprod", "i8mm", "sve")
    has = [name for name in matter if name in cpu.features]
    figures: Figures = {
        "cpu": Told(cpu.name, "name", cpu.source.kind), "has": Told(", ".join(has) or "–", "name", cpu.source.kind), "model": scene.name(),
        "tokens": Told(PROMPT_TOKENS, "tokens", "given"),
    }  # fmt: skip
    speed = scene.plan.speed.prefill
    if speed is None or scene.machine.devices:
        return "bare", figures
    return "", {**figures, "pace": Told((speed.lower, speed.upper), "tokens_per_s")}


def neural(scene: Scene, example: str) -> Found:
    """A neural processor: what its arithmetic alone would allow, and what its memory does; `example` is a chip with one."""
    from sizeup.probe import table

    npu, chip = table.part(example)[0], table.part(data_json("glossary.json")["chips"][example])[0]
    found = next((unused for unused in scene.machine.unused if unused.kind == "npu"), None)
    operations, rate = npu.int8_ops or 0.0, chip.bytes_per_s or 0.0
    figures: Figures = {
        "npu": Told(npu.name, "name", "published"), "tops": Told(f"{operations / 1e12:g} TOPS", "name", "published"), "model": scene.name(),
        "arithmetic": Told(operations / (2 * scene.model.active_parameters), "tokens_per_s", "derived"),
        "rate": Told(rate, "bytes_per_s", "published"), "memory": Told(rate / scene.moved_bytes, "tokens_per_s", "derived"),
    }  # fmt: skip
    return ("found", {**figures, "own": Told(found.name, "name", "read")}) if found else ("", figures)


def crossing(scene: Scene, link: str) -> Found:
    """What a link carries: the model once, and the numbers between two layers."""
    row = data_json("links.json")["links"][link]
    rate, bytes = float(row["bytes_per_s"]), scene.weights()
    return "", {
        "link": Told(row["name"], "name", row["kind"]), "rate": Told(rate, "bytes_per_s", row["kind"]), "model": scene.name(),
        "mix": scene.mixed(), "bytes": Told(bytes, "bytes"), "wait": Told(bytes / rate, "s", "derived"),
        "row": Told(4 * scene.model.hidden, "bytes", "derived"), "moment": Told(4 * scene.model.hidden / rate, "s", "derived"),
    }  # fmt: skip


def split(scene: Scene, cards: int = 2, way: str = "tensor_parallel") -> Found:
    """What each of several cards holds of the weights in a serving engine."""
    from sizeup.memory import account

    alone = account(scene.model, "vllm", "BF16", context_tokens=scene.context(8192))
    shared = account(scene.model, "vllm", "BF16", context_tokens=scene.context(8192), **{way: cards})
    each = max(size(shared.bytes("weights", pool)) for pool in shared.by_pool())
    return "", {
        "model": scene.name(), "cards": Told(cards, "count", "given"), "whole": Told(size(alone.bytes("weights")), "bytes"),
        "each": Told(each, "bytes"),
    }  # fmt: skip
