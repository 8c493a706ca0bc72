"""Energy counters: the processor's packages and memory (RAPL, Linux) and NVIDIA cards (NVML). Joules since some start.

A counter is the whole package's or card's: what other programs and idling take is in it.
Source: Linux Documentation/power/powercap/powercap.rst; NVML nvmlDeviceGetTotalEnergyConsumption (mJ).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ZONES = "sys/class/powercap"


class Counter(NamedTuple):
    """One zone: its name, its file, the largest value before it starts again."""

    name: str
    path: Path
    range_uj: int


class Meter:
    """Adds up joules between readings. `note` is "read", "denied" or "none"; `names` are the zones that are read."""

    def __init__(self, root: Path = Path("/"), nvml: Any = None) -> None:
        self._cards = list(_cards(nvml)) if nvml is not None else []
        self._nvml = nvml
        self._counters: list[Counter] = []
        denied = False
        for counter in _zones(root):
            try:
                _number(counter.path)
            except PermissionError:
                denied = True
            except (OSError, ValueError):
                continue
            else:
                self._counters.append(counter)
        # A part of the zones would be a part of the energy.
        if denied:
            self._counters = []
        self.names = tuple(counter.name for counter in self._counters) + tuple(name for name, _ in self._cards)
        self.note = "read" if self.names else "denied" if denied else "none"

    def read(self) -> tuple[int, ...] | None:
        """Microjoules of every counter; None when one does not answer."""
        try:
            host = [_number(counter.path) for counter in self._counters]
            return (*host, *(int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) * 1000 for _, handle in self._cards))
        except Exception:  # a driver's own errors come as any class
            return None

    def joules(self, before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> float | None:
        """What was spent between two readings; a counter that is lower than before has started again once."""
        if not before or not after:
            return None
        spent = 0
        for index, (first, last) in enumerate(zip(before, after, strict=True)):
            again = self._counters[index].range_uj if index < len(self._counters) else 0
            if last < first and not again:
                return None
            spent += last - first + (again if last < first else 0)
        return spent / 1e6


def _zones(root: Path) -> Iterator[Counter]:
    """Packages, and their memory where it is a zone of its own. Left out: cores and uncore, which packages contain, `psys`,
    which contains packages, and `intel-rapl-mmio`, which shows packages a second time.
    """
    for folder in sorted((root / ZONES).glob("intel-rapl:*")):
        name = _text(folder / "name")
        depth = folder.name.count(":")
        if (depth == 1 and name.startswith("package")) or (depth == 2 and name == "dram"):
            largest = _text(folder / "max_energy_range_uj")
            yield Counter(name, folder / "energy_uj", int(largest) if largest.isdigit() else 0)


def _cards(nvml: Any) -> Iterator[tuple[str, Any]]:
    try:
        for index in range(int(nvml.nvmlDeviceGetCount())):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
            yield f"gpu-{index}", handle
    except Exception:  # cards before Volta have no counter
        return


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))
