"""What runs on a node of a Ray cluster to tell what it is. It is sent there as it stands, so it imports nothing that may be missing.

Best first: sizeup's own probe where it is installed, else NVML, else nothing but what Python knows.
"""

from __future__ import annotations

from typing import Any

PACKAGES = ("ray", "sizeup", "xllamacpp", "vllm")
"""What a plan may be started with."""

HIDDEN = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
"""What Ray sets to hide cards from a task that was granted none; this one looks at them and uses none."""


def detect(paths: list[str]) -> dict[str, Any]:
    """This node: `by` ("sizeup", "nvml" or "system"), `machine` or `cards` and `ram_bytes`, `software`; `bytes_at` each path."""
    import os

    software = {name: version for name in PACKAGES if (version := installed(name))}
    hidden = {name: os.environ.pop(name) for name in HIDDEN if name in os.environ}
    try:
        seen = probed() or {"by": "system", "cards": cards(), "ram_bytes": ram_bytes(), "cpus": os.cpu_count() or 0}
    finally:
        os.environ.update(hidden)
    if seen.get("cards"):
        seen["by"] = "nvml"
    if "version" in seen:
        software["sizeup"] = seen["version"]
    return {**seen, "software": software, "bytes_at": {path: bytes_at(path) for path in paths}}


def bytes_at(path: str) -> int:
    """Bytes of a file there, some number for a folder; -1 where there is neither."""
    import os

    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def installed(name: str) -> str:
    """The version of a package that Python would import, whatever its distribution is called (vLLM has several); "" without it."""
    from importlib import metadata, util

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        if util.find_spec(name) is None:
            return ""
    try:
        return metadata.version(metadata.packages_distributions()[name][0])
    except (KeyError, metadata.PackageNotFoundError):
        return ""  # a folder on the path, which nobody installed


def probed() -> dict[str, Any] | None:
    """As sizeup's own probe finds it; None where it is not installed or of a kind that cannot tell it."""
    try:
        from sizeup import __version__
        from sizeup.probe import machine
        from sizeup.shape import as_json

        return {"by": "sizeup", "version": __version__, "machine": as_json(machine())}
    except Exception:  # whatever a node's installation lacks, the next way is tried
        return None


def cards() -> list[dict[str, Any]]:
    """Cards as NVML tells them, in its order."""
    try:
        import pynvml

        pynvml.nvmlInit()
        found = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory, name = pynvml.nvmlDeviceGetMemoryInfo(handle), pynvml.nvmlDeviceGetName(handle)
            plain = name.decode() if isinstance(name, bytes) else name
            found.append({"name": plain, "bytes": int(memory.total), "free_bytes": int(memory.free)})
        return found
    except Exception:  # no library, no driver, no card: all the same here
        return []


def ram_bytes() -> int:
    """The host's memory, of which a container may have less; 0 where the system does not say."""
    import os

    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def granted() -> tuple[dict[str, dict[str, float]], list[str]]:
    """Node id -> what nobody was granted now; ids of nodes that are being drained. Ray tells them to its own processes alone."""
    from ray._private.state import available_resources_per_node, state

    return available_resources_per_node(), list(state.get_draining_nodes())
