"""Which programs hold the memory: asked only on demand, as it looks at every process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sizeup.hardware import Program

MOST = 5


def programs(processes: Iterable[Any] | None = None) -> tuple[Program, ...]:
    """The programs with most resident memory, processes of one name together, largest first. Not counted: what may not be seen.

    `processes` stand in for psutil's, each with `info` of pid, name and memory_info.
    """
    if processes is None:
        try:
            import psutil

            processes = psutil.process_iter(["pid", "name", "memory_info"])
        except Exception:  # psutil raises what the platform raises
            return ()
    held: dict[str, tuple[int, int, int]] = {}
    try:
        for process in processes:
            name, pid, memory = process.info.get("name"), process.info.get("pid"), process.info.get("memory_info")
            resident = getattr(memory, "rss", 0)
            if not name or not isinstance(resident, int) or resident <= 0:
                continue
            whole, largest, chief = held.get(name, (0, 0, 0))
            held[name] = (whole + resident, *((resident, pid) if resident > largest else (largest, chief)))
    except Exception:  # a process table that cannot be read to its end is shown as far as it was
        pass
    ordered = sorted(((name, pid, whole) for name, (whole, _, pid) in held.items()), key=lambda found: -found[2])
    return tuple(Program(name, pid, whole) for name, pid, whole in ordered[:MOST])
