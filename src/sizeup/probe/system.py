"""What kind of system this is and what it runs in: container, virtual machine, WSL. In words, for people."""

from __future__ import annotations

import sys
from pathlib import Path

from .files import text, word

CONTAINERS = ("docker", "kubepods", "libpod", "lxc", "containerd", "podman")
VIRTUAL = {
    "qemu": "QEMU",
    "kvm": "KVM",
    "vmware": "VMware",
    "virtualbox": "VirtualBox",
    "innotek": "VirtualBox",
    "xen": "Xen",
    "bochs": "Bochs",
    "parallels": "Parallels",
    "google compute engine": "Google Compute Engine",
    "amazon ec2": "Amazon EC2",
    "openstack": "OpenStack",
    "hetzner": "Hetzner",
    "digitalocean": "DigitalOcean",
    "apple virtualization": "Apple Virtualization",
    "firecracker": "Firecracker",
}
"""Words of DMI vendor and product names -> what people call it. Bare metal of a cloud carries its name too, so the processor's own flag decides."""

FILLERS = ("to be filled", "default string", "system product name", "system manufacturer", "o.e.m.", "not applicable", "not specified")
"""What boards without a maker's name say of themselves."""


def system(root: Path = Path("/")) -> str:
    """ "linux", "macos" or "windows", then what it runs in: "linux in a docker container in a virtual machine (KVM)"."""
    if root == Path("/") and sys.platform != "linux":
        return {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    words = ["linux"]
    container = _container(root)
    if container:
        words.append(f"in a {container} container" if container != "container" else "in a container")
    if is_wsl(root):
        words.append("in WSL")
    elif machine := _virtual_machine(root):
        words.append(f"in a virtual machine ({machine})" if machine != "unnamed" else "in a virtual machine")
    return " ".join(words)


def board(root: Path = Path("/")) -> str:
    """The board or product as the firmware names it; "" when it names none, or only fills the field."""
    tree = word(root, "/proc/device-tree/model")
    if tree:
        return tree
    parts = [word(root, f"/sys/class/dmi/id/{name}") or "" for name in ("sys_vendor", "product_name")]
    filled = [part for part in parts if part.isprintable() and not any(filler in part.lower() for filler in FILLERS)]
    return " ".join(dict.fromkeys(filled))


def is_wsl(root: Path) -> bool:
    """Whether this is Linux inside Windows, where memory is what .wslconfig grants."""
    return "microsoft" in (text(root, "/proc/version") or "").lower()


def _container(root: Path) -> str | None:
    if (root / ".dockerenv").exists() and not _own_disk(root):
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    named = word(root, "/run/systemd/container")
    if named:
        return named
    groups = (text(root, "/proc/self/cgroup") or "") + (text(root, "/proc/1/cgroup") or "")
    return next((name for name in CONTAINERS if name in groups), None)


def _own_disk(root: Path) -> bool:
    """Whether / lies on a disk of its own: an image started as a virtual machine keeps Docker's mark, but is no container."""
    for line in (text(root, "/proc/self/mountinfo") or "").splitlines():
        left, dash, right = line.partition(" - ")
        if dash and left.split()[4:5] == ["/"]:
            return right.split()[1:2] != [] and right.split()[1].startswith("/dev/") and "docker" not in right
    return False


def _virtual_machine(root: Path) -> str | None:
    dmi = " ".join(word(root, f"/sys/class/dmi/id/{name}") or "" for name in ("sys_vendor", "product_name", "board_vendor")).lower()
    name = next((shown for key, shown in VIRTUAL.items() if key in dmi), None)
    if "microsoft corporation" in dmi and "virtual machine" in dmi:
        name = "Hyper-V"
    cpuinfo = text(root, "/proc/cpuinfo") or ""
    if any(line.startswith("flags") and " hypervisor" in line for line in cpuinfo.splitlines()):
        return name or word(root, "/sys/hypervisor/type") or "unnamed"
    # Arm has no such flag; there only DMI tells, and a cloud's name alone does not.
    if "flags" not in cpuinfo and name in ("QEMU", "KVM", "VMware", "VirtualBox", "Parallels", "Apple Virtualization"):
        return name
    return None
