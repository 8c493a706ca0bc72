"""Examples that count: tokens of a text, vectors of a store, how much of an answer is exact."""

from __future__ import annotations

from sizeup.facts import data_json

from .scene import Found, Scene, Told, size


def words(scene: Scene, characters: int = 1000) -> Found:
    """The tokens of a text in the language that is spoken."""
    kind = "english" if scene.language == "en" else "cjk"
    row = next(row for row in data_json("text_rates.json")["kinds"] if row["kind"] == kind)
    limit = scene.model.context_tokens or 0
    holds = int(round(limit * row["middle"], -3))
    return "", {
        "model": scene.name(), "characters": Told(characters, "count", "given"),
        "tokens": Told((characters / row["high"], characters / row["low"]), "count", "derived"),
        "limit": Told(limit, "tokens", "published"), "holds": Told(holds, "count", "derived"),
    }  # fmt: skip


def vectors(scene: Scene, chunks: int = 10000, chunk_tokens: int = 512, answer: int = 4) -> Found:
    """A store of vectors as wide as an embedding model makes them, and what a few pieces take of the context."""
    from sizeup.quant import quant

    f16, wide = quant("F16"), scene.model.hidden
    given = answer * chunk_tokens
    return "", {
        "model": scene.name(), "chunks": Told(chunks, "count", "given"), "wide": Told(wide, "count", "published"),
        "bytes": Told(4 * wide * chunks, "bytes", "derived"), "answer": Told(answer, "count", "given"), "tokens": Told(given, "tokens", "given"),
        "cache": Told(size(scene.model.cache_row_bytes(f16, f16)) * given, "bytes"),
    }  # fmt: skip


def exact(scene: Scene) -> Found:
    """How much of the predicted bytes is exact."""
    claims = scene.plan.breakdown.claims
    total = sum(size(claim.bytes) for claim in claims)
    sure = sum(size(claim.bytes) for claim in claims if not claim.within)
    figures = {
        "model": scene.name(), "mix": scene.mixed(), "total": Told(total, "bytes"), "exact": Told(sure, "bytes"),
        "share": Told(sure / total, "share"),
    }  # fmt: skip
    speed = scene.plan.speed.decode
    if speed is None:
        return "unknown", figures
    return "", {**figures, "pace": Told((speed.lower, speed.upper), "tokens_per_s")}
