"""Examples about speed: what a token moves, what a prompt waits for, what several conversations share."""

from __future__ import annotations

from sizeup.throughput import run_of

from .scene import CONTEXT_TOKENS, Figures, Found, Scene, Told, pace, size, wait


def decode(scene: Scene) -> Found:
    """Bytes a token over bytes a second, and what is expected of it."""
    figures: Figures = {"model": scene.name(), "mix": scene.mixed(), "moved": Told(scene.moved_bytes, "bytes"), **scene.room()}
    speed, rate = scene.plan.speed.decode, scene.rate()
    if speed is None or rate is None:
        return "unknown", figures
    figures |= {"rate": rate, "pace": pace(speed), "between": wait(1, speed)}
    if scene.plan.breakdown.by_pool().keys() - {scene.place.name, "ram"} or (scene.place.name != "ram" and _spread(scene)):
        return "spread", figures
    return "", {**figures, "ceiling": Told(float(scene.place.bytes_per_s or 0) / scene.moved_bytes, "tokens_per_s", "derived")}


def _spread(scene: Scene) -> bool:
    """Whether some layers lie in host memory while others are on a card."""
    run = run_of(scene.plan)
    work = run.engine.work(run.model, run.quant, run.settings, tokens=1, depth_tokens=0, sequences=1)
    return sum(1 for part in work if part.layers) > 1


def prefill(scene: Scene, tokens: int = 2000) -> Found:
    """How fast a prompt is read, and how long the first word waits."""
    speed, figures = scene.plan.speed, {"model": scene.name(), "mix": scene.mixed(), "tokens": Told(tokens, "tokens", "given")}
    first = speed.first_token_s(tokens)
    if first is None or speed.prefill is None:
        return "unknown", figures
    return "", {**figures, "pace": pace(speed.prefill), "wait": Told((first[0], first[2]), "s")}


def prompt(scene: Scene, tokens: int) -> Found:
    """What so many tokens before a question take: cache and waiting."""
    from sizeup.quant import quant

    f16 = quant("F16")
    kept = size(scene.model.cache_row_bytes(f16, f16)) * tokens
    figures: Figures = {"model": scene.name(), "tokens": Told(tokens, "tokens", "given"), "bytes": Told(kept, "bytes")}
    speed = scene.plan.speed.prefill
    return ("unknown", figures) if speed is None else ("", {**figures, "wait": wait(tokens, speed)})


def answer(scene: Scene, tokens: int) -> Found:
    """What so many written tokens take: cache and time."""
    _, figures = prompt(scene, tokens)
    speed = scene.plan.speed.decode
    return ("unknown", figures) if speed is None else ("", {**figures, "wait": wait(tokens, speed), "pace": pace(speed)})


def batch(scene: Scene, count: int = 8) -> Found:
    """What one conversation gets, and what several at once get together and each."""
    run = run_of(scene.plan)
    one, many = run.decode(0, 1), run.decode(0, count)
    figures: Figures = {"model": scene.name(), "mix": scene.mixed(), "count": Told(count, "count", "given")}
    if one is None or many is None:
        return "unknown", figures
    each = Told((many.lower / count, many.upper / count), "tokens_per_s")
    return "", {**figures, "one": pace(one), "all": pace(many), "each": each}


def experts(scene: Scene) -> Found:
    """What is stored and what a token reads of it."""
    model, speed = scene.model, scene.plan.speed.decode
    figures: Figures = {
        "model": scene.name(), "mix": scene.mixed(), "bytes": Told(scene.weights(), "bytes"), "moved": Told(scene.moved_bytes, "bytes"),
        "parameters": Told(model.parameters, "parameters"), "active": Told(model.active_parameters, "parameters"),
    }  # fmt: skip
    return ("unknown", figures) if speed is None else ("", {**figures, "pace": pace(speed)})


def offload(scene: Scene) -> Found:
    """How many layers, and experts of how many, the best plan puts where."""
    plan, layers = scene.plan, scene.model.layers
    asked = plan.settings.gpu_layers
    on_card = layers if asked == "all" else min(int(asked), layers)
    kept = plan.settings.cpu_moe_layers
    figures: Figures = {
        "model": scene.name(), "mix": scene.mixed(), "layers": Told(layers, "count"), "count": Told(on_card, "count"),
        "experts": Told(layers if kept == "all" else int(kept), "count"), "pool": scene.room()["pool"],
        "card_bytes": Told(size(plan.breakdown.bytes(None, scene.place.name)), "bytes"),
        "ram_bytes": Told(size(plan.breakdown.kept_bytes(None, "ram")), "bytes"),
    }  # fmt: skip
    if not plan.fits:
        return "short", figures
    if plan.speed.decode is None:
        return "unknown", figures
    figures["pace"] = pace(plan.speed.decode)
    return ("experts" if kept else "" if on_card < layers else "all"), figures


def draft(scene: Scene, other: str) -> Found:
    """What a small model that guesses ahead adds."""
    from dataclasses import replace

    from sizeup.readers import read

    small = replace(scene, model=read(other))
    account = small.account(tokens=CONTEXT_TOKENS)
    added = size(account.bytes("weights")) + size(account.bytes("cache"))
    figures: Figures = {
        "model": scene.name(), "draft": small.name(), "bytes": Told(added, "bytes"), "moved": Told(scene.moved_bytes, "bytes"),
        "small": Told(small.moved_bytes, "bytes"),
    }  # fmt: skip
    return "", figures


def flops(scene: Scene) -> Found:
    """Arithmetic a token, what the device computes, and what that would allow without memory."""
    work = 2 * scene.model.active_parameters
    device = scene.machine.devices[0] if scene.machine.devices else None
    figures: Figures = {"model": scene.name(), "active": Told(scene.model.active_parameters, "parameters"), "work": Told(work, "flops")}
    if device is None or not device.flops_per_s or not scene.place.bytes_per_s:
        return "unknown", figures
    return "", {
        **figures, "pool": scene.room()["pool"], "flops": Told(device.flops_per_s, "flops_per_s", "published"),
        "ceiling": Told(device.flops_per_s / work, "tokens_per_s", "derived"),
        "memory": Told(scene.place.bytes_per_s / scene.moved_bytes, "tokens_per_s", "derived"),
    }  # fmt: skip


def loading(scene: Scene) -> Found:
    """How long the weights take from the disk."""
    bytes = scene.weights()
    figures: Figures = {"model": scene.name(), "mix": scene.mixed(), "bytes": Told(bytes, "bytes")}
    rate, seconds = next(((d.bytes_per_s, d.source.kind) for d in scene.machine.disks if d.bytes_per_s), None), scene.plan.speed.load_s
    if rate is None or rate[0] is None or seconds is None:
        return "unknown", figures
    return "", {**figures, "rate": Told(rate[0], "bytes_per_s", rate[1]), "wait": Told(seconds, "s")}


def paging(scene: Scene) -> Found:
    """How long one token would take if its weights had to come from the disk."""
    figures: Figures = {"model": scene.name(), "mix": scene.mixed(), "moved": Told(scene.moved_bytes, "bytes")}
    found = next((disk for disk in scene.machine.disks if disk.bytes_per_s), None)
    if found is None or found.bytes_per_s is None:
        return "unknown", figures
    return "", {
        **figures, "rate": Told(found.bytes_per_s, "bytes_per_s", found.source.kind),
        "wait": Told(scene.moved_bytes / found.bytes_per_s, "s", "derived"),
    }  # fmt: skip


def ahead(scene: Scene) -> Found:
    """The layers that guess ahead, beside the model's own."""
    model = scene.model
    added = sum(group.layers * size(group.block.parameters(model.hidden)) for group in model.draft_blocks)
    return "", {
        "model": scene.name(), "layers": Told(sum(group.layers for group in model.draft_blocks), "count", "published"),
        "parameters": Told(added, "parameters"), "bytes": Told(added, "bytes", "derived"), "main": Told(model.parameters, "parameters"),
    }  # fmt: skip
