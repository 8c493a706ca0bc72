"""The host processor as this process may use it: its name, cores, threads, quota, and the instruction sets that matter."""

from __future__ import annotations

import datetime
import platform
from pathlib import Path

from sizeup.facts import Source, data_json
from sizeup.hardware import Cpu

from .container import Limits
from .files import digits, ids, number, text, word

BIG = 0.6
"""On Arm a core counts as a fast one when its capacity is at least this share of the fastest's (assumed: big cores lie above .7, little below .55)."""


def cpu(root: Path, limits: Limits) -> tuple[Cpu, tuple[str, ...]]:
    """The processor and warnings. Counted: CPUs in the affinity mask and the cpuset, on line. Not counted: what only the host may use."""
    warnings: list[str] = []
    blocks = _blocks(text(root, "/proc/cpuinfo") or "")
    allowed = _allowed(root, limits, blocks, warnings)
    siblings = _cores(root, allowed, blocks)
    if siblings is None:
        warnings.append("Nothing says which CPUs share a core; every CPU is taken as a core.")
        siblings = {frozenset({id}) for id in allowed}
    threads = len(allowed)
    flags = _flags(blocks)
    architecture = _architecture(root, blocks)
    fast = _fast(root, allowed)
    return (
        Cpu(
            _name(root, blocks, warnings),
            len(siblings),
            threads,
            min(float(threads), limits.cpus) if limits.cpus is not None else float(threads),
            architecture,
            _features(architecture, flags),
            Source("read", "/proc/cpuinfo, /sys/devices/system/cpu", datetime.date.today().isoformat()),
            sum(1 for core in siblings if core & fast) if fast else 0,
        ),
        tuple(warnings),
    )


def _blocks(content: str) -> list[dict[str, str]]:
    """The paragraphs of /proc/cpuinfo. Arm and RISC-V put facts of the whole machine into a last one without "processor"."""
    blocks: list[dict[str, str]] = []
    for paragraph in content.split("\n\n"):
        block = {}
        for line in paragraph.splitlines():
            name, colon, value = line.partition(":")
            if colon:
                block[name.strip()] = value.strip()
        if block:
            blocks.append(block)
    return blocks


def _allowed(root: Path, limits: Limits, blocks: list[dict[str, str]], warnings: list[str]) -> frozenset[int]:
    online = ids(word(root, "/sys/devices/system/cpu/online"))
    listed = frozenset(int(b["processor"]) for b in blocks if digits(b.get("processor", "")))
    every = online or listed
    mask = next(
        (
            ids(line.partition(":")[2])
            for line in (text(root, "/proc/self/status") or "").splitlines()
            if line.startswith("Cpus_allowed_list:")
        ),
        None,
    )
    if not every:
        warnings.append(
            "The number of CPUs cannot be read: /proc/cpuinfo and /sys/devices/system/cpu are missing or garbled; taken as one."
        )
        every = mask or frozenset({0})
    for limit in (mask, limits.cpuset):
        every = (every & limit) or every if limit is not None else every
    return every


def _cores(root: Path, allowed: frozenset[int], blocks: list[dict[str, str]]) -> set[frozenset[int]] | None:
    """The allowed CPUs by core; None when nothing says which share one."""
    found: set[frozenset[int]] = set()
    for id in allowed:
        folder = f"/sys/devices/system/cpu/cpu{id}/topology"
        siblings = ids(word(root, f"{folder}/core_cpus_list") or word(root, f"{folder}/thread_siblings_list"))
        if siblings is None or id not in siblings:
            break
        found.add(siblings & allowed)
    else:
        return found
    by_core: dict[tuple[str, str], set[int]] = {}
    for block in blocks:
        if not digits(block.get("processor", "")) or int(block["processor"]) not in allowed:
            continue
        if "core id" not in block:
            return None
        by_core.setdefault((block.get("physical id", "0"), block["core id"]), set()).add(int(block["processor"]))
    return {frozenset(core) for core in by_core.values()} or None


def _fast(root: Path, allowed: frozenset[int]) -> frozenset[int]:
    """The CPUs of the fast kind on a hybrid processor; empty when all are alike or nobody says."""
    performance, efficient = ids(word(root, "/sys/devices/cpu_core/cpus")), ids(word(root, "/sys/devices/cpu_atom/cpus"))
    if performance and efficient:
        return performance & allowed if performance & allowed != allowed else frozenset()
    capacity = {id: c for id in allowed if (c := number(root, f"/sys/devices/system/cpu/cpu{id}/cpu_capacity")) is not None}
    if len(capacity) < len(allowed) or not capacity:
        return frozenset()
    fast = frozenset(id for id, c in capacity.items() if c >= BIG * max(capacity.values()))
    return fast if fast != allowed else frozenset()


def _name(root: Path, blocks: list[dict[str, str]], warnings: list[str]) -> str:
    for key in ("model name", "cpu model", "cpu", "Processor", "Hardware"):
        name = next((block[key] for block in blocks if block.get(key)), None)
        if name:
            return " ".join(name.split())
    names = dict.fromkeys(
        name for block in blocks if (name := _arm_name(block.get("CPU implementer", ""), block.get("CPU part", ""), block.get("uarch", "")))
    )
    board = word(root, "/proc/device-tree/model") or next((b["Model"] for b in blocks if b.get("Model")), None)
    core = " + ".join(sorted(names, reverse=True))
    if core or board:
        return f"{core} ({board})" if core and board else core or str(board)
    warnings.append("Nothing names this processor.")
    return "unknown processor"


def _arm_name(implementer: str, part: str, uarch: str) -> str:
    return data_json("arm_cores.json")["cores"].get(f"{implementer.lower()}/{part.lower()}", "") or uarch


def _flags(blocks: list[dict[str, str]]) -> frozenset[str]:
    """Flags that every CPU has: an engine uses only what all of them can do."""
    sets = [frozenset((b.get("flags") or b.get("Features") or "").split()) for b in blocks if "flags" in b or "Features" in b]
    if sets:
        return frozenset.intersection(*sets)
    return frozenset().union(*(_riscv(b["isa"]) for b in blocks if "isa" in b))


def _riscv(isa: str) -> frozenset[str]:
    """Extensions of an ISA string such as rv64imafdcv_zfh_zvfh: single letters after the width, then names."""
    letters, *names = isa.lower().split("_")
    return frozenset([*letters[4:], *names])


def _architecture(root: Path, blocks: list[dict[str, str]]) -> str:
    if root == Path("/"):
        return platform.machine()
    first = blocks[0] if blocks else {}
    if "flags" in first:
        return "x86_64" if " lm " in f" {first['flags']} " else "i686"
    if "Features" in first:
        return "aarch64" if first.get("CPU architecture") in ("8", "AArch64") else "armv7l"
    return "riscv64" if first.get("isa", "").startswith("rv64") else ""


def _features(architecture: str, flags: frozenset[str]) -> tuple[str, ...]:
    table = data_json("instruction_sets.json")["flags"]
    family = {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture.lower(), architecture)
    return tuple(name for flag, name in table.get(family, {}).items() if flag in flags)


def features(root: Path = Path("/")) -> tuple[str, ...]:
    """Only the instruction sets that matter to an engine; nothing when the system does not say. Much quicker than `cpu`."""
    blocks = _blocks(text(root, "/proc/cpuinfo") or "")
    return _features(_architecture(root, blocks), _flags(blocks))
