"""What the control groups around this process allow: memory and processor time, v1 and v2, nested; the smallest on the path wins.

Linux counts file pages that were read through a group as its use, though it drops them before it refuses memory. So the
room in a group is its limit less its use, plus the clean file pages and slabs that it can drop.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sizeup.units import show_bytes

from .files import digits, fields, ids, number, text, word

UNLIMITED_BYTES = 1 << 60
"""v1 writes "no limit" as the largest page-aligned number; nobody has an exbibyte."""


class Limits(NamedTuple):
    """The tightest limits along the path of groups; None where nothing limits."""

    memory_bytes: int | None = None
    memory_room_bytes: int | None = None
    """The least that is left in any group with a limit; the group with the least room need not be the one with the least limit."""
    cpus: float | None = None
    """Cores' worth of processor time."""
    cpuset: frozenset[int] | None = None
    memory_words: str = ""
    """The tightest memory limit in words, with the group it lies on."""
    cpu_words: str = ""
    warnings: tuple[str, ...] = ()


class _Group(NamedTuple):
    """One directory of a mounted hierarchy and the version of its files."""

    version: int
    directory: str
    name: str
    """How the group is called from its mount: "/" is the outermost that can be seen."""


def limits(root: Path = Path("/")) -> Limits:
    """The limits on this process in the tree below `root`. Where there are no control groups nothing is limited."""
    memory: list[tuple[int, str]] = []
    rooms: list[int] = []
    quotas: list[tuple[float, str]] = []
    cpuset: frozenset[int] | None = None
    warnings: list[str] = []
    for group in _groups(root, "memory"):
        for name, limit in _memory_limits(root, group, warnings):
            memory.append((limit, name))
            room = _room(root, group, limit)
            if room is None:
                warnings.append(f"{group.directory} does not say how much of its {name} is used; taken as unused.")
            rooms.append(limit if room is None else room)
    for group in _groups(root, "cpu"):
        quota = _quota(root, group)
        if quota is not None:
            quotas.append((quota, f"cgroup {'cpu.max' if group.version == 2 else 'cpu.cfs_quota_us'} of {group.name}"))
    for group in _groups(root, "cpuset"):
        allowed = _cpuset(root, group)
        if allowed is not None:
            cpuset = allowed if cpuset is None else cpuset & allowed
    memory_bytes, memory_name = min(memory, default=(None, ""))
    cpus, cpu_name = min(quotas, default=(None, ""))
    return Limits(
        memory_bytes,
        min(rooms, default=None),
        cpus,
        cpuset,
        f"{memory_name}: {show_bytes(memory_bytes)}" if memory_bytes is not None else "",
        f"{cpu_name}: {cpus:g} cores" if cpus is not None else "",
        tuple(dict.fromkeys(warnings)),
    )


def _groups(root: Path, controller: str) -> Iterator[_Group]:
    """The groups of one controller from this process's own outward, in every hierarchy that is mounted."""
    mounts = _mounts(root)
    for line in (text(root, "/proc/self/cgroup") or "").splitlines():
        number_, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if not colon or not digits(number_):
            continue
        version = 2 if number_ == "0" and not controllers else 1
        if version == 1 and controller not in controllers.split(","):
            continue
        mount = mounts.get((version, controller if version == 1 else ""))
        if mount is None:
            continue
        top, place = mount
        inside = _inside(path, top)
        while True:
            directory = place if inside == "/" else f"{place}{inside}"
            yield _Group(version, directory, inside)
            if inside == "/":
                break
            inside = str(PurePosixPath(inside).parent)


def _inside(path: str, top: str) -> str:
    """The group's path below the mount, whose own top group is `top`; "/" when the group lies outside what is mounted."""
    path = path.removesuffix(" (deleted)")
    if ".." in PurePosixPath(path).parts:
        return "/"
    if top == "/":
        return str(PurePosixPath(path))
    if path == top or path.startswith(f"{top}/"):
        return path[len(top) :] or "/"
    return "/"


def _mounts(root: Path) -> dict[tuple[int, str], tuple[str, str]]:
    """(version, controller) -> (top group of the mount, directory it is mounted on); the controller is "" for version 2."""
    found: dict[tuple[int, str], tuple[str, str]] = {}
    for line in (text(root, "/proc/self/mountinfo") or "").splitlines():
        left, dash, right = line.partition(" - ")
        words, system = left.split(), right.split()
        if not dash or len(words) < 5 or len(system) < 3:
            continue
        if system[0] == "cgroup2":
            found.setdefault((2, ""), (words[3], words[4]))
        elif system[0] == "cgroup":
            for option in system[2].split(","):
                found.setdefault((1, option), (words[3], words[4]))
    return found


def _memory_limits(root: Path, group: _Group, warnings: list[str]) -> Iterator[tuple[str, int]]:
    if group.version == 2:
        # memory.high does not kill; it slows every allocation to a crawl, which for a model is the same wall.
        for file in ("memory.max", "memory.high"):
            content = word(root, f"{group.directory}/{file}")
            if content is None or content == "max":
                continue
            # No process could live under a limit of 0 and read it.
            if not digits(content) or not int(content):
                warnings.append(f"{group.directory}/{file} is not a number above 0; that limit is not known.")
            else:
                yield f"cgroup {file} of {group.name}", int(content)
        return
    file = "memory.limit_in_bytes"
    content = word(root, f"{group.directory}/{file}")
    if content is not None and (not digits(content.removeprefix("-")) or not int(content)):
        warnings.append(f"{group.directory}/{file} is not a number above 0; that limit is not known.")
    elif content is not None and 0 < int(content) < UNLIMITED_BYTES:
        yield f"cgroup {file} of {group.name}", int(content)
    # Groups above the mount cannot be seen from a container, but the kernel sums them up here.
    above = fields(text(root, f"{group.directory}/memory.stat")).get("hierarchical_memory_limit")
    if above and above < UNLIMITED_BYTES:
        yield f"cgroup hierarchical_memory_limit of {group.name}", above


def _room(root: Path, group: _Group, limit: int) -> int | None:
    used = number(root, f"{group.directory}/{'memory.current' if group.version == 2 else 'memory.usage_in_bytes'}")
    if used is None:
        return None
    stat = fields(text(root, f"{group.directory}/memory.stat"))
    prefix = "" if group.version == 2 else "total_"
    clean = stat.get(f"{prefix}inactive_file", 0) + stat.get(f"{prefix}active_file", 0) + stat.get("slab_reclaimable", 0)
    unclean = sum(stat.get(f"{prefix}{name}", 0) for name in ("file_dirty", "file_writeback", "dirty", "writeback"))
    droppable = min(max(clean - unclean, 0), used)
    return max(limit - used + droppable, 0)


def _quota(root: Path, group: _Group) -> float | None:
    if group.version == 2:
        parts = (word(root, f"{group.directory}/cpu.max") or "").split()
        quota, period = (parts[0], parts[1]) if len(parts) == 2 else ("max", "")
    else:
        quota = word(root, f"{group.directory}/cpu.cfs_quota_us") or ""
        period = word(root, f"{group.directory}/cpu.cfs_period_us") or ""
    if not digits(quota) or not digits(period) or int(quota) <= 0 or int(period) <= 0:
        return None
    return int(quota) / int(period)


def _cpuset(root: Path, group: _Group) -> frozenset[int] | None:
    files = ("cpuset.cpus.effective", "cpuset.cpus") if group.version == 2 else ("cpuset.effective_cpus", "cpuset.cpus")
    return next((found for file in files if (found := ids(word(root, f"{group.directory}/{file}"))) is not None), None)
