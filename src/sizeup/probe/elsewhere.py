"""Machines without /proc: macOS through sysctl, Windows through psutil. Simple on purpose: what they do not say is not guessed."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from collections.abc import Mapping

from sizeup.facts import Source
from sizeup.hardware import Cpu, Device, Pool

from .files import digits
from .unified import metal_limit

ARM_FEATURES = {
    "hw.optional.neon": "neon",
    "hw.optional.arm.FEAT_FP16": "fp16",
    "hw.optional.arm.FEAT_DotProd": "dotprod",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.arm.FEAT_SME": "sme",
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512f": "avx512f",
}


def sysctl() -> dict[str, str]:
    """macOS's own facts of the hardware; empty when it cannot be asked."""
    import subprocess

    try:
        done = subprocess.run(["/usr/sbin/sysctl", "hw", "machdep.cpu", "iogpu"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return {}
    return parse(done.stdout)


def parse(output: str) -> dict[str, str]:
    """Lines of "name: value"."""
    return {name.strip(): value.strip() for line in output.splitlines() for name, colon, value in [line.partition(":")] if colon}


def mac_cpu(facts: Mapping[str, str]) -> Cpu:
    """The processor of a Mac. A Mac limits no process to some cores, so all of them count."""
    threads = _number(facts, "hw.logicalcpu") or os.cpu_count() or 1
    return Cpu(
        facts.get("machdep.cpu.brand_string") or facts.get("hw.model") or "unknown processor",
        _number(facts, "hw.physicalcpu") or threads,
        threads,
        float(threads),
        "arm64" if facts.get("hw.optional.arm64") == "1" else "x86_64",
        tuple(name for key, name in ARM_FEATURES.items() if facts.get(key) == "1"),
        Source("read", "sysctl", datetime.date.today().isoformat()),
        _number(facts, "hw.perflevel0.physicalcpu") or 0,
    )


def mac_memory(
    facts: Mapping[str, str], available: int | None
) -> tuple[tuple[Pool, ...], tuple[Device, ...], tuple[str, ...], tuple[str, ...]]:
    """Pools, devices, limits and warnings of a Mac: on Apple silicon one pool "unified", of which the GPU may wire a part."""
    total = _number(facts, "hw.memsize")
    if not total:
        return (), (), (), ("The size of this machine's memory cannot be read: sysctl hw.memsize does not answer.",)
    free, warnings = (
        (total, ("psutil does not say how much memory is available; taken as all of it.",)) if available is None else (available, ())
    )
    source = Source("read", "sysctl hw.memsize, psutil", datetime.date.today().isoformat())
    if facts.get("hw.optional.arm64") != "1":
        return (Pool("ram", total, min(free, total), None, source),), (), (), warnings
    limit = metal_limit(total, (_number(facts, "iogpu.wired_limit_mb") or 0) << 20)
    name = facts.get("machdep.cpu.brand_string") or "Apple GPU"
    device = Device(f"{name} GPU", "Apple", "metal", "unified", "", limit.source, None, limit.bytes)
    return (Pool("unified", total, min(free, limit.bytes), None, source),), (device,), (limit.words,), warnings


def windows_cpu() -> Cpu:
    """The processor as Windows and psutil name it."""
    import psutil

    threads = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1
    cores = psutil.cpu_count(logical=False) or threads
    source = Source("read", "psutil", datetime.date.today().isoformat())
    return Cpu(_windows_name(), min(cores, threads), threads, float(threads), platform.machine(), (), source)


def _windows_name() -> str:
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
                return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
        except OSError:
            pass
    return platform.processor() or "unknown processor"


def _number(facts: Mapping[str, str], name: str) -> int | None:
    value = facts.get(name, "")
    return int(value) if digits(value) else None
