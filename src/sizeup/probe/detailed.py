"""What takes a moment to ask of this machine, and no plain answer needs: modules, programs, what macOS and Windows tell at length."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sizeup.hardware import Machine

from . import dmi, rocm_smi
from .programs import programs

Ask = Callable[[Sequence[str]], str]
"""A command -> what it prints; "" when it is not there or fails."""


def ask(command: Sequence[str]) -> str:
    """What a command prints within ten seconds; "" when it is not there, fails or may not be run."""
    path = shutil.which(command[0])
    if path is None:
        return ""
    try:
        done = subprocess.run([path, *command[1:]], capture_output=True, timeout=10, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def with_details(machine: Machine, root: Path = Path("/"), asked: Ask = ask, platform: str = sys.platform) -> Machine:
    """This machine with its memory modules, the programs that hold most of the memory, and what only a command tells."""
    machine = replace(machine, programs=programs())
    if platform == "darwin":
        from . import apple

        output = asked(apple.COMMAND)
        return apple.with_profile(machine, output) if output else machine
    if platform == "win32":
        from . import windows

        return windows.with_answer(machine, asked(windows.COMMAND))
    found = dmi.modules(dmi.parse(asked(("dmidecode", "-t", "memory"))), "dmidecode -t memory") or dmi.edac(root)
    return rocm_smi.with_answer(replace(machine, modules=found), asked)
