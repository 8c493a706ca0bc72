"""The cards of a Kubernetes node from what its device plugin offers and what feature discovery wrote on its labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..facts import Source
from ..probe.instances import instances, plain
from .cards import Card, card

WHOLE, MIG = "nvidia.com/gpu", "nvidia.com/mig-"
AMD, INTEL = "amd.com/gpu", ("gpu.intel.com/i915", "gpu.intel.com/xe")
CLOUD_NAMES = ("cloud.google.com/gke-accelerator", "karpenter.k8s.aws/instance-gpu-name", "k8s.amazonaws.com/accelerator")
"""Labels that name the card where no feature discovery runs."""
TYPE = "node.kubernetes.io/instance-type"
REMEDY = "NVIDIA's GPU feature discovery (or the vendor's labeller) is not on the node"


class Offered(NamedTuple):
    """Cards of one resource."""

    resource: str
    card: Card
    cards: int
    """Cards that there are; a card that several pods share is one."""
    shared_by: int = 1
    """Pods that may be granted each card."""


def offered(labels: Mapping[str, str], allocatable: Mapping[str, int], date: str) -> list[Offered]:
    """Every kind of card that the node lets pods ask for."""
    found = []
    for resource, count in allocatable.items():
        if count < 1:
            continue
        base = resource.removesuffix(".shared")
        if base == WHOLE or base.startswith(MIG):
            prefix = WHOLE if base == WHOLE else base
            times = _number(labels.get(f"{prefix}.replicas"), 1)
            found.append(Offered(resource, _nvidia(labels, prefix, date), max(1, count // times), times))
        elif resource == AMD:
            found.append(Offered(resource, _amd(labels, date), count))
        elif resource in INTEL:
            found.append(Offered(resource, _intel(labels, date), count, _number(labels.get("gpu.intel.com/sharedDevNum"), 1)))
    return found


def _nvidia(labels: Mapping[str, str], prefix: str, date: str) -> Card:
    memory = _number(labels.get(f"{prefix}.memory")) * 2**20
    profile = prefix.removeprefix(MIG) if prefix != WHOLE else ""
    # A slice without labels of its own is one of the node's cards.
    key = next((key for key in (f"{prefix}.product", f"{WHOLE}.product") if labels.get(key)), "")
    if key:
        product = labels[key]
        name = product if not profile or profile in product else f"{product}-MIG-{profile}"
        where = Source("read", f"label {key}={product}", date)
        return card(name, where, memory)
    for label in CLOUD_NAMES:
        if name := labels.get(label, ""):
            text = re.sub(r"^nvidia[-_](tesla[-_])?", "", name) + (f"-MIG-{profile}" if profile else "")
            return card(
                text, Source("derived", f"label {label}={name}", date), _number(labels.get("karpenter.k8s.aws/instance-gpu-memory")) * 2**20
            )
    return _of_instance(labels, date, memory, f"MIG-{profile}" if profile else "", "NVIDIA")


def _of_instance(labels: Mapping[str, str], date: str, memory: int, name: str, vendor: str) -> Card:
    """By the kind of rented machine where a cloud says it; a card of which nothing is known else."""
    kind = labels.get(TYPE, "")
    known = instances().get(plain(kind)) if kind else None
    if known is not None and known.device:
        return card(f"{known.device}-{name}" if name else known.device, Source("derived", f"label {TYPE}={kind}", date), memory)
    unknown = card(name, Source("derived", "a count without a name", date), memory, vendor=vendor)
    return unknown._replace(warnings=(*unknown.warnings, f"No label says which cards these are: {REMEDY}."))


def _amd(labels: Mapping[str, str], date: str) -> Card:
    """AMD's labeller writes the product, its memory and its compute units."""
    for prefix in ("amd.com/gpu", "beta.amd.com/gpu"):
        product, memory = labels.get(f"{prefix}.product-name", ""), labels.get(f"{prefix}.vram", "")
        if product or memory:
            size = re.fullmatch(r"(\d+)G?", memory)
            name = re.sub(r"[-_]?(OAM|HF)$", "", re.sub(r"^AMD[-_]", "", product))
            return card(
                name, Source("read", f"label {prefix}.product-name={product}", date), int(size[1]) << 30 if size else 0, vendor="AMD"
            )
    return _of_instance(labels, date, 0, "", "AMD")


def _intel(labels: Mapping[str, str], date: str) -> Card:
    product = labels.get("gpu.intel.com/product", "")
    count = max(1, _number(labels.get("gpu.intel.com/gpu-numbers", "").count(".") + 1 if labels.get("gpu.intel.com/gpu-numbers") else "1"))
    memory = _number(labels.get("gpu.intel.com/memory.max")) // count
    if not product:
        return _of_instance(labels, date, memory, "", "Intel")
    text = re.sub(r"^(Max|Flex)[-_]", r"Data Center GPU \1 ", product)
    return card(text, Source("read", f"label gpu.intel.com/product={product}", date), memory, vendor="Intel")


def _number(text: str | int | None, otherwise: int = 0) -> int:
    """A label's number; what is none is as if it were not there."""
    try:
        return max(int(text), 0) if text not in (None, "") else otherwise
    except ValueError:
        return otherwise
