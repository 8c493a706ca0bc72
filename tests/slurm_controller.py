"""A real slurmctld on loopback with declared nodes that have no slurmd: enough for scontrol, sinfo and sbatch --test-only.

Needs Debian's slurmctld, slurm-client and munge, and to be root or the user that munge's socket may belong to.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PROGRAMS = ("slurmctld", "munged", "scontrol", "sinfo", "sbatch")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
NODES = """
NodeName=h[1-2] NodeAddr=127.0.0.1 CPUs=192 Sockets=2 CoresPerSocket=48 ThreadsPerCore=2 RealMemory=2063000 Gres=gpu:h100:8 Features=h100,nvlink,ib State=UNKNOWN
NodeName=l1 NodeAddr=127.0.0.1 CPUs=64 Sockets=1 CoresPerSocket=32 ThreadsPerCore=2 RealMemory=515000 Gres=gpu:l40s:4 Features=l40s,pcie State=UNKNOWN
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=night Nodes=l1 MaxTime=INFINITE State=DOWN
"""


SLEEPING = "ResumeProgram=/bin/true\nSuspendProgram=/bin/true\nSuspendTime=300\nResumeTimeout=60\n"
"""How a cluster starts machines for jobs: its nodes count as there before they are."""


@contextmanager
def controller(folder: Path, sleeping: bool = False) -> Iterator[Path]:
    """The configuration of a controller that answers; ended with what it started. Nodes never answer, unless they are `sleeping`.

    Skips the test, by name, where Slurm is not installed or this is not root.
    """
    if MISSING:
        pytest.skip(f"{', '.join(MISSING)} not installed (Debian: slurmctld slurm-client munge)")
    if os.geteuid():
        pytest.skip("slurmctld is started as root here")
    (folder / "state").mkdir()
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o400)
    config = folder / "slurm.conf"
    control, daemon = _free_ports()
    # Only loopback is listened on, whatever the host is called.
    lines = f"""ClusterName=made_up
SlurmctldHost={socket.gethostname().partition(".")[0]}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny
SlurmctldPort={control}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmUser=root
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
GresTypes=gpu
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmctldParameters=enable_configless"""
    config.write_text(lines + "\n" + SLEEPING + NODES.replace("State=UNKNOWN", "State=CLOUD") if sleeping else lines + NODES)
    environment = {**os.environ, "SLURM_CONF": str(config)}
    munge = [f"--{name}={folder}/{file}" for name, file in (("key-file", "munge.key"), ("socket", "munge.sock"), ("pid-file", "munged.pid"), ("log-file", "munged.log"), ("seed-file", "seed"))]  # fmt: skip
    with open(folder / "said", "wb") as said:
        started = [
            subprocess.Popen(["munged", "--force", "--foreground", *munge], stdout=said, stderr=said, start_new_session=True),
            subprocess.Popen(
                ["slurmctld", "-D", "-i", "-c", "-f", str(config)], stdout=said, stderr=said, env=environment, start_new_session=True
            ),
        ]
        try:
            for _ in range(120):
                told = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, env=environment)
                if " is UP" in told.stdout:
                    break
                time.sleep(0.5)
            else:
                raise RuntimeError((folder / "said").read_text(errors="replace")[-2000:] + told.stderr)
            yield config
        finally:
            for one in reversed(started):
                with suppress(ProcessLookupError):
                    os.killpg(one.pid, signal.SIGTERM)
                try:
                    one.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(one.pid, signal.SIGKILL)
                    one.wait()


def _free_ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]
