"""How much of a model's quality a quantisation keeps: by mix, by model size, and what a quantised cache adds.

The loss is the mean KL divergence from the 16-bit model, in nats a token, as measured on one model and scaled to this one's size; the
share of a task's score that is kept is exp(-c loss). How it was fitted, with the errors: tools/quality/quant_loss.py.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, NamedTuple

from .errors import NotFound
from .facts import data_json
from .figure import Number, step
from .mixes import mix as mix_of
from .model import ModelSpec
from .quant import quant as quant_of

Basis = Literal["kept", "scaled", "kin", "cache_kin"]
"""How the loss is known: nothing is lost ("kept"); measured on another model and scaled to this size ("scaled"); taken from the
nearest mix that was measured ("kin"); the cache's type was measured by nobody ("cache_kin")."""

SIDE = 1.2816
"""Standard deviations to either side that hold 80 %."""


class Kept(NamedTuple):
    """The share of a task's score that is left after quantising, 0 to 1, with its 80 % interval."""

    share: float
    lower: float
    upper: float
    basis: Basis
    kin: str = ""
    """What was really measured: "Q4_K_M of Llama 3 8B"; "" when nothing is lost."""
    nats: float = 0.0
    """Mean KL divergence a token that was expected."""


class Loss(NamedTuple):
    """What one mix costs on the model it was measured on, in nats a token."""

    nats: float
    low: float
    high: float
    kin: str
    """The mix that was measured; differs from the one asked for where that one was not."""


def kept(model: ModelSpec, quant: str | None, k: str = "f16", v: str = "f16") -> Kept:
    """What `model` keeps of its quality in the mix or format `quant`, with keys and values of the cache as `k` and `v`.

    `quant` None is the file as it is stored. A model published in this very format loses nothing. Raises NotFound for a name that
    neither a mix nor a format has.
    """
    own = (model.card.get("native_quantization") or {}).get("quant_method")
    mix = quant or model.mix or "F16"
    return kept_share(model.parameters, model.active_parameters, mix, k, v, str(own or ""))


@functools.lru_cache(maxsize=16384)
def kept_share(parameters: int, active_parameters: int, quant: str, k: str = "f16", v: str = "f16", published_as: str = "") -> Kept:
    """`kept` from counts alone. `published_as` is the format the weights were published in, as config.json calls it."""
    facts, loss, extra = _facts(), mix_loss(quant), cache_loss(k, v)
    if is_native(quant, published_as):
        loss = Loss(0.0, 0.0, 0.0, "")
    scale = float(size_factor(effective_size(parameters, active_parameters), facts["reference"]["parameters"], facts["size_exponent"]))
    nats, rate = (loss.nats + extra.nats) * scale, facts["kept_per_nat"]
    if not nats:
        return Kept(1.0, 1.0, 1.0, "kept")
    # Families, sizes and tasks vary on their own; a distance in ln(size) stretches the doubt about the exponent.
    far = math.log(effective_size(parameters, active_parameters) / facts["reference"]["parameters"])
    doubt = math.hypot(facts["family_sd"], facts["size_exponent_sd"] * far, facts["kept_per_nat_sd"] / rate)
    wide = math.exp(SIDE * doubt)
    low, high = (loss.low + extra.low) * scale / wide, (loss.high + extra.high) * scale * wide
    basis: Basis = "cache_kin" if extra.kin else "kin" if loss.kin not in ("", _plain(quant)) else "scaled"
    kin = f"{loss.kin or 'F16'} of {facts['reference']['model']}" + (f", {extra.kin} cache" if extra.kin else "")
    return Kept(float(share_kept(nats, rate)), math.exp(-rate * high), math.exp(-rate * low), basis, kin, nats)


def effective_size(parameters: int, active_parameters: int) -> float:
    """The size that decides how much a model suffers: the geometric mean of all weights and of those that take part (assumed for MoE)."""
    return math.sqrt(parameters * (active_parameters or parameters))


@step("quant_size_factor")
def size_factor(size: Number, reference: Number, exponent: Number) -> Number:
    """How many times the reference model's loss a model of this size has: small models lose more."""
    return (reference / size) ** exponent


@step("quality_kept")
def share_kept(nats: Number, rate: Number) -> Number:
    """The share of a task's score left at a loss of so many nats a token."""
    return math.e ** (rate * nats * -1)


def is_native(quant: str, published_as: str) -> bool:
    """Whether weights published in `published_as` are stored in `quant` as they are."""
    return bool(published_as) and published_as.lower() in quant.lower()


@functools.lru_cache(maxsize=256)
def mix_loss(quant: str) -> Loss:
    """The loss of a mix or format on the reference model; of the nearest by bits a weight where nobody measured it, the larger of equals."""
    table, name = _facts()["mixes"], _plain(quant)
    if name in table:
        row = table[name]
        return Loss(row["nats"], row["low"], row["high"], name)
    bits = bits_a_weight(quant)
    if bits >= 16:
        return Loss(0.0, 0.0, 0.0, "")
    kin = min(table, key=lambda other: (abs(bits_a_weight(other) - bits), -table[other]["nats"]))
    row = table[kin]
    return Loss(row["nats"], row["low"], row["high"], kin)


def bits_a_weight(quant: str) -> float:
    """Bits a weight of a format, or of the type that most tensors of a mix get. For comparing only: bytes come from blocks."""
    try:
        kind = quant_of(mix_of(quant).base)
    except NotFound:
        kind = quant_of(quant)
    return kind.block_bytes * 8 / kind.block


@functools.lru_cache(maxsize=256)
def cache_loss(k: str, v: str) -> Loss:
    """What a quantised cache adds on the reference model; types that nobody measured follow from the nearest by bits, with a wide interval."""
    sides = [_cache_side("k", k), _cache_side("v", v)]
    kin = " ".join(side.kin for side in sides if side.kin)
    return Loss(sum(s.nats for s in sides), sum(s.low for s in sides), sum(s.high for s in sides), kin)


def _cache_side(side: str, name: str) -> Loss:
    facts = _facts()["cache"]
    table, kind = facts[side], quant_of(name)
    if kind.block == 1 and kind.block_bytes >= 2:
        return Loss(0.0, 0.0, 0.0, "")
    if kind.name.lower() in table:
        nats = table[kind.name.lower()]
        return Loss(nats, nats, nats, "")
    near = min(table, key=lambda other: abs(bits_a_weight(other) - bits_a_weight(name)))
    fewer = bits_a_weight(near) - bits_a_weight(name)
    low, high = sorted(table[near] * facts[factor] ** fewer for factor in ("measured_factor_per_bit", "rounding_factor_per_bit"))
    return Loss(math.sqrt(low * high), low, high, f"{near} {side.upper()}")


def _plain(quant: str) -> str:
    """The name as the table of losses writes it: mixes by llama.cpp's name, F16 for every 16-bit format."""
    try:
        return mix_of(quant).name
    except NotFound:
        return quant_of(quant).name


def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = data_json("quality/quant_loss.json")
    return facts
