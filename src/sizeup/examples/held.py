"""Examples about what a running engine holds beside weights and cache, and what it takes in all."""

from __future__ import annotations

from sizeup.memory import account

from .scene import CONTEXT_TOKENS, MIX, Figures, Found, Scene, Told, size


def part(scene: Scene, part: str) -> Found:
    """One part of the usual plan, of its total."""
    found, plan = size(scene.plan.breakdown.bytes(part)), scene.plan
    figures: Figures = {
        "model": scene.name(), "mix": scene.mixed(), "tokens": Told(int(plan.settings.context_tokens), "tokens", "given"),
        "bytes": Told(found, "bytes"), "total": Told(size(plan.breakdown.total_bytes), "bytes"),
    }  # fmt: skip
    return ("" if found else "none"), figures


def compute(scene: Scene, narrow: int = 512, wide: int = 2048) -> Found:
    """The working space at two micro batches."""
    figures: Figures = {"model": scene.name()}
    for name, rows in (("narrow", narrow), ("wide", wide)):
        bytes = scene.account(tokens=32768, micro_batch_tokens=rows, batch_tokens=max(rows, 2048)).bytes("compute")
        figures |= {name: Told(rows, "tokens", "given"), f"{name}_bytes": Told(size(bytes), "bytes")}
    return "", figures


def flash(scene: Scene, tokens: int = 32768) -> Found:
    """The working space with flash attention and without."""
    figures: Figures = {"model": scene.name(), "tokens": Told(scene.context(tokens), "tokens", "given")}
    for name, on in (("with", True), ("without", False)):
        figures[f"bytes_{name}"] = Told(size(scene.account(tokens=tokens, flash_attention=on).bytes("compute")), "bytes")
    return "", figures


def row(scene: Scene) -> Found:
    """The scores of one token."""
    vocabulary = scene.model.vocabulary
    return "", {
        "model": scene.name(),
        "vocabulary": Told(vocabulary, "count", "published"),
        "bytes": Told(4 * vocabulary, "bytes", "derived"),
    }


def whole(scene: Scene, engine: str, format: str = MIX) -> Found:
    """What an engine takes in all for one conversation."""
    if engine == "llama.cpp":
        found, format = scene.plan.breakdown, str(scene.mixed().value)
    else:
        found = account(scene.model, engine, format, context_tokens=scene.context(CONTEXT_TOKENS))
    total = sum(size(claim.bytes) for claim in found.claims if not claim.reclaimable)
    figures: Figures = {
        "model": scene.name(), "format": Told(format, "name", "given"), "tokens": Told(scene.context(CONTEXT_TOKENS), "tokens", "given"),
        "bytes": Told(total, "bytes"), **scene.room(),
    }  # fmt: skip
    fits = scene.plan.fits if engine == "llama.cpp" else total <= scene.place.free_bytes
    return ("fits" if fits else "short"), figures


def tower(scene: Scene) -> Found:
    """The vision tower, and what a picture takes of the context."""
    from sizeup.quant import quant

    f16 = quant("F16")
    seen = next(tower for tower in scene.model.towers if tower.tokens_per_image)
    each = size(scene.model.cache_row_bytes(f16, f16))
    return "", {
        "model": scene.name(), "parameters": Told(seen.parameters(), "parameters"), "bytes": Told(2 * seen.parameters(), "bytes"),
        "tokens": Told(seen.tokens_per_image, "tokens", "published"), "cache": Told(each * seen.tokens_per_image, "bytes"),
    }  # fmt: skip
