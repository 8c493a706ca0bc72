"""The simulated Ray cluster for tests: started for a block, and all that it started ended after it, nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.ray_cluster import ENVIRONMENT

ROOT = Path(__file__).parent.parent


class Running:
    """A cluster that is up."""

    def __init__(self, child: subprocess.Popen[str], folder: str) -> None:
        self.child, self.folder = child, folder
        self.address = str(self.said()["address"])
        self.environment = environment()

    def said(self) -> dict[str, Any]:
        """The next line that the cluster's process prints; raises EOFError with its last errors where it ended."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        raise EOFError(Path(self.folder, "errors").read_text(errors="replace")[-2000:])

    def lose(self) -> None:
        """Let one node die."""
        assert self.child.stdin is not None
        self.child.stdin.write("lose\n")
        self.child.stdin.flush()
        self.said()

    def processes(self) -> list[psutil.Process]:
        """Every process of this cluster: what names its own folder."""
        found = []
        for process in psutil.process_iter():
            try:
                if self.folder in " ".join(process.cmdline()) or process.environ().get("RAY_SIZEUP_TEST") == self.folder:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def rss_bytes(self) -> int:
        """Resident memory of all its processes; pages that they share count in each."""
        total = 0
        for process in self.processes():
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total


def environment(path: str = "") -> dict[str, str]:
    """What a program needs to talk to it. Without it, Ray takes 127.0.0.1 for the machine's other address."""
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT / "src"), str(ROOT), path)))}


@contextmanager
def cluster(more: Mapping[str, str] | None = None, path: str = "", kind: str = "") -> Iterator[Running]:
    """The cluster of `tests.ray_cluster` (of its `kind`) for as long as the block lasts; its processes have `more` in their environment, and `path` on Python's."""
    folder = tempfile.mkdtemp(prefix="sur-", dir="/tmp")  # sockets lie in it, and their paths must be short
    running = None
    with Path(folder, "errors").open("w") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.ray_cluster", folder, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**environment(path), **(more or {}), "RAY_SIZEUP_TEST": folder},
            cwd=ROOT,
        )
        try:
            running = Running(child, folder)
            yield running
        finally:
            end(child, running or Running.__new__(Running), folder)


def end(child: subprocess.Popen[str], running: Running, folder: str) -> None:
    """Let the cluster end by itself, then kill what of it is left."""
    running.folder = folder
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.close()
        child.wait(60)
    except (OSError, subprocess.TimeoutExpired):
        child.kill()
        child.wait()
    finally:
        child.stdout.close()
        for process in running.processes():
            try:
                process.kill()
            except psutil.Error:
                continue
        shutil.rmtree(folder, ignore_errors=True)
