"""What kind of disk a filesystem lies on, by its device's folder in sysfs; what a network or the memory holds, by the filesystem."""

from __future__ import annotations

import re
from pathlib import Path

from .files import names, word

NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "ceph",
    "glusterfs",
    "lustre",
    "beegfs",
    "gpfs",
    "afs",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.gcsfuse",
    "fuse.s3fs",
)
MEMORY = ("tmpfs", "ramfs", "devtmpfs")
HOST = ("9p", "virtiofs", "drvfs", "vboxsf", "fuse.vmhgfs-fuse")
"""A folder of the host, as a virtual machine or WSL sees it."""
VIRTUAL = re.compile(r"(vd|xvd)[a-z]+")
"""Disks of a virtual machine: what lies behind is the host's to know."""
CARDS = re.compile(r"mmcblk\d+")


def kind(root: Path, filesystem: str, device: str) -> str:
    """ "nvme", "ssd", "rotational", "card", "virtual", "network", "memory"; "" when nobody says."""
    if filesystem.startswith(NETWORK):
        return "network"
    if filesystem in MEMORY:
        return "memory"
    if filesystem in HOST:
        return "virtual"
    name = _whole_disk(root, device)
    if not name:
        return ""
    if name.startswith("nvme"):
        return "nvme"
    if CARDS.fullmatch(name):
        return "card"
    if VIRTUAL.fullmatch(name):
        return "virtual"
    return {"0": "ssd", "1": "rotational"}.get(word(root, f"/sys/block/{name}/queue/rotational") or "", "")


def _whole_disk(root: Path, device: str) -> str:
    """The disk below a partition, an encrypted or a logical volume: of several, the first; "" when it is not in sysfs."""
    name = _plain(root, device)
    for _ in range(8):  # layers of volumes; a loop of links ends here
        below = names(root, f"/sys/class/block/{name}/slaves") or names(root, f"/sys/block/{name}/slaves")
        if not below:
            break
        name = below[0]
    disks = names(root, "/sys/block")
    if name in disks:
        return name
    # A partition is its disk's name and a number, with a "p" between where the disk's name ends in one.
    whole = re.sub(r"(?<=\d)p\d+$|(?<=[a-z])\d+$", "", name)
    return whole if whole in disks else ""


def _plain(root: Path, device: str) -> str:
    """sda2 of /dev/sda2; dm-0 of /dev/mapper/home, a name that only its link or the volume's own file tells."""
    if not device.startswith("/dev/"):
        return ""
    if device.startswith("/dev/mapper/"):
        wanted = device.removeprefix("/dev/mapper/")
        for name in names(root, "/sys/block"):
            if name.startswith("dm-") and word(root, f"/sys/block/{name}/dm/name") == wanted:
                return name
    try:
        link = root / device.lstrip("/")
        return link.resolve().name if link.is_symlink() else link.name
    except (OSError, RuntimeError, ValueError):
        return ""
