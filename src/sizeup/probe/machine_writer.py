"""A machine written down as TOML (docs/machines.md), so that `--on FILE` answers for it anywhere: the opposite of machine_file.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sizeup.errors import Unavailable, UserError
from sizeup.hardware import Device, Machine, Pool

DEFAULT = "this-machine"


def save(machine: Machine, name: str) -> Path:
    """Write the machine to NAME.toml in the working folder, or to the path that ends in .toml. Nothing is overwritten.

    Raises UserError when the file is there already, Unavailable when it cannot be written.
    """
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
    """The machine as a file: every figure of an answer is in it, so that reading it back gives the same ones.

    Not in it: which program holds what, what stands unused, how each figure was found.
    """
    lines = [
        *_pairs(name=name, system=machine.system, source=f"found by sizeup machine on {machine.source.date}", date=machine.source.date)
    ]
    cpu = machine.cpu
    if cpu is not None:
        lines += _table(
            "[cpu]",
            name=cpu.name,
            cores=cpu.cores,
            threads=cpu.threads,
            usable=cpu.usable,
            architecture=cpu.architecture,
            features=list(cpu.features),
        )
    for pool in machine.pools:
        if pool.name in ("ram", "unified"):
            lines += _table(f"[{pool.name}]", **_memory(pool))
    for device in machine.devices:
        lines += _table("[[gpu]]", **_gpu(machine, device))
    for disk in machine.disks:
        if disk.bytes > 0:
            lines += _table(
                "[[disk]]",
                path=disk.path,
                size=disk.bytes,
                free=min(disk.free_bytes, disk.bytes),
                filesystem=disk.filesystem,
                bandwidth=disk.bytes_per_s,
            )
    for link in machine.links:
        lines += _table("[[link]]", kind=link.kind, ends=list(link.ends), bandwidth=link.bytes_per_s)
    return "\n".join(lines) + "\n"


def _memory(pool: Pool) -> dict[str, Any]:
    return {"memory": pool.bytes, "free": pool.free_bytes, "bandwidth": pool.bytes_per_s}


def _gpu(machine: Machine, device: Device) -> dict[str, Any]:
    pool = machine.pool(device.pool)
    own = {"shares": "unified"} if pool is None or pool.name == "unified" else _memory(pool)
    return {"name": device.name, "vendor": device.vendor, "kind": device.kind, "compute_capability": device.compute_capability} | own


def _table(head: str, **values: Any) -> list[str]:
    return ["", head, *_pairs(**values)]


def _pairs(**values: Any) -> list[str]:
    """Lines of key = value; what is not known is left out."""
    return [f"{key} = {_value(value)}" for key, value in values.items() if value is not None and value not in ("", [])]


def _value(value: Any) -> str:
    """A TOML value: its strings, lists, integers and floats are written as JSON's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
