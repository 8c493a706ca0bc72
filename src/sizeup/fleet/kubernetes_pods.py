"""What pods were granted of a Kubernetes node: the requests of those that run or wait there, as its scheduler counts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from ..errors import Unreadable

BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
DECIMAL = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
}  # fmt: skip
ENDED = ("Succeeded", "Failed")


def quantity(text: str | int | float) -> Decimal:
    """A quantity as Kubernetes writes it: "191", "500m", "2100000000Ki", "1.5Gi", "12e3". Raises Unreadable."""
    word = str(text).strip()
    unit = next((unit for unit in BINARY if word.endswith(unit)), "")
    scale: Decimal | int = BINARY.get(unit, 1)
    if not unit:
        unit = word[-1:] if word[-1:] in DECIMAL else ""
        scale = DECIMAL[unit]
    try:
        number = Decimal(word.removesuffix(unit))
        if not number.is_finite():
            raise InvalidOperation
        return number * scale
    except InvalidOperation:
        raise Unreadable(f"“{text}” is no quantity of Kubernetes.", "kubectl get nodes -o json") from None


def requests(pod: Mapping[str, Any]) -> dict[str, Decimal]:
    """What a pod asks for, by resource.

    Containers run together; those that prepare it run before them one by one, so that the larger of the two counts. A sidecar is an
    init container that is always restarted: it stays beside what comes after it. What a container does not ask for it asks for as its limit.
    """
    spec = pod.get("spec") or {}
    running: dict[str, Decimal] = {}
    peak: dict[str, Decimal] = {}
    for container in spec.get("initContainers") or ():
        asked = _asked(container)
        if container.get("restartPolicy") == "Always":
            _add(running, asked)
            asked = {}
        peak = {
            name: max(peak.get(name, Decimal(0)), running.get(name, Decimal(0)) + asked.get(name, Decimal(0)))
            for name in {*peak, *running, *asked}
        }
    for container in spec.get("containers") or ():
        _add(running, _asked(container))
    total = {name: max(running.get(name, Decimal(0)), peak.get(name, Decimal(0))) for name in {*running, *peak}}
    # Since 1.34 a pod may ask as a whole.
    total |= {name: quantity(value) for name, value in ((spec.get("resources") or {}).get("requests") or {}).items()}
    _add(total, {name: quantity(value) for name, value in (spec.get("overhead") or {}).items()})
    return total


def granted(pods: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Decimal]]:
    """Node -> resource -> what its pods asked for, of those that were given a node and have not ended; "pods" counts them."""
    found: dict[str, dict[str, Decimal]] = {}
    for pod in pods:
        node = (pod.get("spec") or {}).get("nodeName")
        if node and (pod.get("status") or {}).get("phase") not in ENDED:
            _add(found.setdefault(node, {}), {**requests(pod), "pods": Decimal(1)})
    return found


def _asked(container: Mapping[str, Any]) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    return {name: quantity(value) for name, value in {**(resources.get("limits") or {}), **(resources.get("requests") or {})}.items()}


def _add(to: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for name, value in more.items():
        to[name] = to.get(name, Decimal(0)) + value
