"""Where the number of each part comes from, in the words of one row."""

from __future__ import annotations

from sizeup.errors import SizeupError
from sizeup.figure import plain
from sizeup.page import Page
from sizeup.plan import Claim, Plan
from sizeup.quant import quant

BANDED = ("compute", "process", "overhead")
"""Parts that are sometimes exact and sometimes within a band, so that both are said; the others' words say it."""


def origin(page: Page, plan: Plan, part: str) -> str:
    """The few words beside a part: what it rests on and how exact it is."""
    t = page.texts
    claims = [claim for claim in plan.breakdown.claims if claim.part == part and plain(claim.bytes)]
    words = [_basis(page, plan, part, claims)]
    doubt = max((claim.within for claim in claims), default=0.0)
    if doubt:
        words.append(t("from.within", percent=_percent(doubt)))
    elif part in BANDED:
        words.append(t("why.exact"))
    return t("list.semicolon").join(word for word in words if word)


def _basis(page: Page, plan: Plan, part: str, claims: list[Claim]) -> str:
    t = page.texts
    for label in {claim.label for claim in claims} if len({claim.label for claim in claims}) == 1 else ():
        if label and t.has(f"from.{part}_{label}"):
            return t(f"from.{part}_{label}")
    if part == "weights":
        tensors = len(plan.model.tensors)
        if plan.model.assumed:
            return t("from.weights_assumed")
        return t(f"from.weights_{plan.model.stored}", tensors=f"{tensors:,}") if tensors else t("from.weights_shapes")
    if part == "cache":
        return cache_product(page, plan, claims) or t("from.cache")
    return t(f"from.{part}") if t.has(f"from.{part}") else ""


def cache_product(page: Page, plan: Plan, claims: list[Claim]) -> str:
    """The cache as layers × slots × bytes a slot, one product per kind of cache; "" where one is no such product."""
    products = []
    for label in dict.fromkeys(claim.label for claim in claims):
        layers, slot = _slot_bytes(plan, label)
        whole = sum(int(plain(claim.bytes)) for claim in claims if claim.label == label)
        if not slot or whole % (layers * slot):
            return ""
        products.append(page.texts("from.cache_product", layers=layers, slots=f"{whole // (layers * slot):,}", bytes=f"{slot:,}"))
    return page.texts("list.plus").join(products)


def _slot_bytes(plan: Plan, label: str) -> tuple[int, int]:
    """(layers, bytes a token slot takes in one of them) of the layers with this kind of cache; (0, 0) when they are unlike."""
    try:
        k, v = quant(plan.settings.k), quant(plan.settings.v)
    except (AttributeError, SizeupError):
        return 0, 0
    # Blocks of both formats divide this many slots, so that nothing is rounded.
    many = k.block * v.block
    found: dict[int, int] = {}
    for group in plan.model.groups:
        for part in group.block.mixers:
            if (label == "window") == bool(getattr(part, "window", 0)) and label in ("", "window"):
                slot = int(plain(part.cache_bytes(many, k, v))) // many
                if slot:
                    found[slot] = found.get(slot, 0) + group.layers
    return next(((layers, slot) for slot, layers in found.items()), (0, 0)) if len(found) == 1 else (0, 0)


def _percent(share: float) -> str:
    return f"{share * 100:.1f}".rstrip("0").rstrip(".")
