"""The disks where models live: one row a filesystem, with what this user may still write."""

from __future__ import annotations

import datetime
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sizeup.facts import Source
from sizeup.hardware import Disk

from . import block
from .files import text

Usage = Callable[[str], tuple[int, int, int]]
"""Path -> (bytes, used, free for this user), as shutil.disk_usage."""


def places(environment: Mapping[str, str] = os.environ, home: Path | None = None, folder: Path | None = None) -> list[Path]:
    """Where models are kept or looked for: home, the working folder, the Hugging Face cache, Ollama's and LM Studio's models."""
    try:
        home = home or Path.home()
        folder = folder or Path.cwd()
    except (OSError, RuntimeError):  # a deleted working folder, a user without a home
        home = folder = Path("/")
    hub = environment.get("HF_HUB_CACHE") or environment.get("HF_HOME")
    ollama = environment.get("OLLAMA_MODELS")
    return [
        home,
        folder,
        Path(hub) if hub else home / ".cache/huggingface",
        Path(ollama) if ollama else home / ".ollama/models",
        home / ".lmstudio/models",
    ]


def disks(
    root: Path = Path("/"), where: Sequence[Path] | None = None, usage: Usage = shutil.disk_usage
) -> tuple[tuple[Disk, ...], tuple[str, ...]]:
    """One disk for each filesystem that holds one of the places `where`, and warnings. A place not made yet counts where it would lie."""
    mounts = _mounts(root)
    found: dict[str, Disk] = {}
    warnings: list[str] = []
    for place in places() if where is None else where:
        there = _existing(root, place)
        mount, filesystem, device = _mount_of(str(there), mounts)
        if mount in found:
            continue
        try:
            total, _, free = usage(str(there))
        except OSError as error:
            warnings.append(f"The space on {there} cannot be read: {error.strerror or error}.")
            continue
        source = Source("read", "statvfs and /proc/self/mountinfo" if mounts else "statvfs", datetime.date.today().isoformat())
        found[mount] = Disk(mount, total, free, filesystem, None, source, block.kind(root, filesystem, device))
    return tuple(found.values()), tuple(warnings)


def _existing(root: Path, place: Path) -> Path:
    """The place itself or its nearest folder that exists."""
    for candidate in (place, *place.parents):
        try:
            if (root / str(candidate).lstrip("/") if root != Path("/") else candidate).exists():
                return candidate.resolve() if root == Path("/") else candidate
        except OSError:
            continue
    return Path("/")


class Mount(NamedTuple):
    """One line of the table of mounts."""

    point: str
    filesystem: str
    device: str
    """What is mounted: /dev/nvme0n1p2, server:/export, tmpfs."""


def _mounts(root: Path) -> list[Mount]:
    """Every mount point once, the later mount of a point hiding the earlier."""
    found: dict[str, Mount] = {}
    for line in (text(root, "/proc/self/mountinfo") or "").splitlines():
        left, dash, right = line.partition(" - ")
        words, system = left.split(), right.split()
        if dash and len(words) >= 5 and system:
            point = _unescaped(words[4])
            found[point] = Mount(point, system[0], _unescaped(system[1]) if len(system) > 1 else "")
    return list(found.values())


def _unescaped(written: str) -> str:
    """The kernel writes blanks in octal: "big\\040disk"."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), written)


def _mount_of(path: str, mounts: list[Mount]) -> Mount:
    """The longest mount point above a path; where there is no table (macOS, Windows) the system is asked."""
    above = [mount for mount in mounts if mount.point == "/" or path == mount.point or path.startswith(f"{mount.point}/")]
    if above:
        return max(above, key=lambda mount: len(mount.point))
    return Mount(next((str(p) for p in (Path(path), *Path(path).parents) if os.path.ismount(p)), path), "", "")
