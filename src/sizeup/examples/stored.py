"""Examples about what is stored: weights in a format, layers, tables, siblings, what is left after quantising."""

from __future__ import annotations

from dataclasses import replace

from .scene import MIX, Figures, Found, Scene, Told, size


def stored(scene: Scene, format: str, engine: str = "llama.cpp") -> Found:
    """The weights in this format beside BF16, and whether they fit."""
    return _beside(scene, scene.weights(format, engine), format)


def bits(scene: Scene, format: str, per_weight: float) -> Found:
    """The same for a format that is known only by its bits a weight: the layers in it, embedding and output in 16 bits."""
    outer = size(scene.model.embedding.parameters(scene.model.hidden) + scene.model.head.parameters(scene.model.hidden))
    inner = scene.model.parameters - outer
    return _beside(scene, int(inner * per_weight / 8) + 2 * outer, format)


def _beside(scene: Scene, bytes: int, format: str) -> Found:
    wide = 2 * scene.model.parameters
    figures: Figures = {
        "model": scene.name(), "format": Told(format, "name", "given"), "bytes": Told(bytes, "bytes"), "wide": Told(wide, "bytes"),
        "share": Told(bytes / wide, "share"), **scene.room(),
    }  # fmt: skip
    return "fits" if bytes <= scene.place.free_bytes else "short", figures


def count(scene: Scene) -> Found:
    """How many parameters, and what they take in 16 bits and in the usual mix."""
    total = scene.model.parameters
    return "", {
        "model": scene.name(), "count": Told(total, "count"), "parameters": Told(total, "parameters"),
        "wide": Told(2 * total, "bytes"), "bytes": Told(scene.weights(), "bytes"), "mix": scene.mixed(),
    }  # fmt: skip


def layer(scene: Scene) -> Found:
    """What one layer takes on average, and what lies outside of the layers."""
    model, bytes = scene.model, scene.weights()
    inner = size(sum(group.layers * size(group.block.parameters(model.hidden)) for group in model.groups))
    share = inner / model.parameters
    return "", {
        "model": scene.name(), "layers": Told(model.layers, "count"), "bytes": Told(bytes, "bytes"), "mix": scene.mixed(),
        "each": Told(int(bytes * share / model.layers), "bytes", "derived"), "share": Told(share, "share"),
    }  # fmt: skip


def table(scene: Scene) -> Found:
    """The table of the vocabulary, once where it is tied and twice where it is not."""
    model = scene.model
    one = 2 * model.hidden * model.vocabulary
    whole = one if model.head.tied else 2 * one
    return "tied" if model.head.tied else "apart", {
        "model": scene.name(), "vocabulary": Told(model.vocabulary, "count"), "hidden": Told(model.hidden, "count"),
        "one": Told(one, "bytes"), "bytes": Told(whole, "bytes"), "share": Told(whole / (2 * model.parameters), "share"),
    }  # fmt: skip


def sibling(scene: Scene, other: str) -> Found:
    """The model beside a larger relative."""
    from sizeup.readers import read

    large = replace(scene, model=read(other))
    bytes, whole = scene.weights(), large.weights()
    return "", {
        "model": scene.name(), "bytes": Told(bytes, "bytes"), "other": large.name(),
        "whole": Told(whole, "bytes"), "share": Told(bytes / whole, "share"), "mix": scene.mixed(), **scene.room(),
    }  # fmt: skip


def pruned(scene: Scene) -> Found:
    """What zeros leave, and what taking every fourth layer out leaves."""
    model, bytes = scene.model, scene.weights()
    inner = sum(group.layers * size(group.block.parameters(model.hidden)) for group in model.groups) / model.parameters
    gone = model.layers // 4
    return "", {
        "model": scene.name(), "bytes": Told(bytes, "bytes"), "mix": scene.mixed(), "layers": Told(model.layers, "count"),
        "gone": Told(gone, "count"), "left": Told(int(bytes * (1 - inner * gone / model.layers)), "bytes", "derived"),
    }  # fmt: skip


def kept(scene: Scene, format: str, other: str) -> Found:
    """What two formats keep of the quality, each with its interval, and what they take."""
    from sizeup import quant_loss

    figures: Figures = {"model": scene.name()}
    for name, mix in (("format", format), ("other", other)):
        found = quant_loss.kept(scene.model, mix)
        figures |= {
            name: Told(mix, "name", "given"), f"{name}_share": Told(found.share, "share"),
            f"{name}_range": Told((found.lower, found.upper), "share"), f"{name}_bytes": Told(scene.weights(mix), "bytes"),
        }  # fmt: skip
    return "", figures


def licence(scene: Scene) -> Found:
    """The licence that the model is published under."""
    said = scene.model.card.get("license")
    return ("", {"model": scene.name(), "licence": Told(str(said), "name", "published")}) if said else ("unknown", {"model": scene.name()})


def ghost(scene: Scene) -> Found:
    """What a ghost of the model pretends to be, and what it takes on a disk."""
    from sizeup.engines import engine
    from sizeup.ghost.write import ghost_header

    raw, whole = ghost_header(scene.model, engine("llama.cpp").tensors(scene.model, scene.mix(MIX)))
    return "", {"model": scene.name(), "mix": scene.mixed(), "header": Told(len(raw), "bytes"), "whole": Told(whole, "bytes")}
