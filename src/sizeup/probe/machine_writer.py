"""A machine written down as TOML (docs/machines.md), so that `--on FILE` answers for it anywhere: the opposite of machine_file.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable, UserError
from sizeup.hardware import Device, Machine, Pool


def save(machine: Machine, name: str) -> Path:
    """Write the machine to NAME.toml in the working folder, or to the path that ends in .toml. Nothing is overwritten.

    Raises UserError when the file is there already, the machine is several or its memory is unknown, Unavailable when it cannot be written.
    """
    if machine.nodes:
        raise UserError(
            f"{machine.name} is {len(machine.nodes)} machines; a file holds one.", "--save for each of them, and join the files by “and”"
        )
    if not machine.pools:
        raise UserError(f"The memory of {machine.name} is not known, so no file can describe it.", "a [ram] table in a file of your own")
    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text(machine, path.stem))
    except FileExistsError:
        raise UserError(f"{path} is there already.", f"--save {path.stem}-2, or remove it") from None
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.", "--save with a path you may write to"
        ) from None
    return path


def text(machine: Machine, name: str) -> str:
    """The machine as a file: every figure of it, so that reading it back gives the same ones.

    Not in it: which program holds what, how each figure was found, and what was strange about it (warnings).
    """
    found = f"found by sizeup machine on {machine.source.date}"
    lines = _pairs(name=name, system=machine.system, board=machine.board, source=found, date=machine.source.date)
    # An empty list of limits says that there are none; without one the reader would word the limit of a shared memory.
    lines.append(f"limits = {_value(list(machine.limits))}")
    cpu = machine.cpu
    if cpu is not None:
        lines += _table(
            "[cpu]",
            name=cpu.name,
            cores=cpu.cores,
            fast_cores=cpu.fast_cores or None,
            threads=cpu.threads,
            usable=cpu.usable,
            architecture=cpu.architecture,
            features=list(cpu.features),
            part=cpu.part,
            family=cpu.family,
        )
    for pool in machine.pools:
        if pool.name in ("ram", "unified"):
            lines += _table(f"[{pool.name}]", **_memory(pool))
    if (modules := machine.modules) is not None:
        transfers = modules.transfers_per_s or None
        lines += _table("[modules]", kind=modules.kind, count=modules.modules, transfers=transfers, bandwidth=modules.bytes_per_s)
    if (swap := machine.swap) is not None and swap.bytes > 0:
        lines += _table("[swap]", size=swap.bytes, free=swap.free_bytes, compressed=swap.compressed)
    for device in machine.devices:
        lines += _table("[[gpu]]", **_gpu(machine, device))
    for unused in machine.unused:
        lines += _table("[[unused]]", name=unused.name, vendor=unused.vendor, kind=unused.kind, why=unused.why)
    for disk in machine.disks:
        if disk.bytes > 0:
            lines += _table(
                "[[disk]]",
                path=disk.path,
                size=disk.bytes,
                free=min(disk.free_bytes, disk.bytes),
                filesystem=disk.filesystem,
                bandwidth=disk.bytes_per_s,
                kind=disk.kind,
            )
    for link in machine.links:
        lines += _table("[[link]]", kind=link.kind, ends=list(link.ends), bandwidth=link.bytes_per_s)
    return "\n".join(lines) + "\n"


def _memory(pool: Pool) -> dict[str, Any]:
    return {"memory": pool.bytes, "free": pool.free_bytes, "bandwidth": pool.bytes_per_s}


def _gpu(machine: Machine, device: Device) -> dict[str, Any]:
    pool = machine.pool(device.pool)
    own = {"shares": "unified"} if pool is None or pool.name == "unified" else _memory(pool)
    return own | {
        "name": device.name,
        "vendor": device.vendor,
        "kind": device.kind,
        "compute_capability": device.compute_capability,
        "others": device.others_bytes,
        "limit": device.limit_bytes,
        "family": device.family,
        "flops": device.flops_per_s,
        "watts": device.watts,
        "power_limit": device.power_limit_w,
        "cores": device.cores or None,
        "driver": device.driver,
        "address": device.address,
        "pcie_generation": device.pcie_generation or None,
        "pcie_lanes": device.pcie_lanes or None,
    }


def _table(head: str, **values: Any) -> list[str]:
    return ["", head, *_pairs(**values)]


def _pairs(**values: Any) -> list[str]:
    """Lines of key = value; what is not known is left out."""
    return [f"{key} = {_value(value)}" for key, value in values.items() if value is not None and value not in ("", [])]


def _value(value: Any) -> str:
    """A TOML value: its strings, lists, integers and floats are written as JSON's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
