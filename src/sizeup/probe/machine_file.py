"""A machine described in TOML (docs/machines.md). What contradicts itself is refused in one sentence that names both facts."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from sizeup.errors import NotFound, Unreadable, UserError
from sizeup.facts import Source
from sizeup.hardware import Device, Machine, Pool
from sizeup.units import show_bytes

from . import table
from .machine_tables import Reader
from .machine_values import known

LARGEST_FILE_BYTES = 1 << 20


def load(path: Path) -> Machine:
    """The machine that a file describes. Raises NotFound, Unreadable for what is not TOML, UserError for a contradiction."""
    try:
        if path.is_dir():
            raise Unreadable(f"{path} is a folder, not a machine file.", f"{path}/NAME.toml")
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise Unreadable(
                f"{path} is {show_bytes(path.stat().st_size)}; a machine file has a few lines.", "docs/machines.md for the format"
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.", "a name such as rtx-4090, or the path of a .toml file") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.", "a file that you may read") from None
    return parse(content, str(path))


def names(content: bytes) -> tuple[str, ...]:
    """What else a preset may be called."""
    return tuple(tomllib.loads(content.decode()).get("aliases", ()))


def parse(content: bytes, where: str, preset: bool = False) -> Machine:
    """The machine in these bytes; `where` names them in errors and sources. A preset's figures are published, a user's are given."""
    try:
        given = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unreadable(f"{where} is not TOML: {error}.", "docs/machines.md for the format") from None
    known(given, "", where)
    said = given.get("source", "")
    source = (
        Source("published", str(said), str(given.get("date", "")))
        if preset
        else Source("given", str(said) or where, str(given.get("date", "")))
    )
    reader = Reader(where, source)
    host = reader.host(given)
    cards, devices = reader.cards(given.get("gpu", []), host, given.get("unified", {}).get("gpu_limit"))
    pools = (*map(_rated_by, host, [given.get("gpu", [])] * len(host)), *cards)
    if not pools:
        raise UserError(f"{where} names no memory at all.", "a [ram] table with memory = “32GiB”")
    if "unified" in given and not devices:
        raise UserError(
            f"{where} has [unified] memory but nothing that shares it with the processor.", "[[gpu]] with shares = “unified”, or [ram]"
        )
    limits, pools = _limited(devices, pools)
    limits = reader.words(given, "limits") if "limits" in given else limits
    return Machine(
        str(given.get("name") or Path(where).stem),
        reader.cpu(given.get("cpu")),
        pools,
        devices,
        reader.disks(given.get("disk", [])),
        reader.links(given.get("link", []), {pool.name for pool in pools}, devices),
        str(given.get("system", "")),
        limits,
        (),
        (),
        source,
        reader.unused(given.get("unused", [])),
        str(given.get("board", "")),
        reader.swap(given.get("swap")),
        reader.modules(given.get("modules")),
    )


def _rated_by(pool: Pool, gpus: list[dict[str, Any]]) -> Pool:
    """Unified memory whose rate the file leaves out, with that of the chip it names."""
    chips = [table.part(str(entry["device"]))[0] for entry in gpus if "device" in entry]
    chip = next((part for part in chips if part.kind in ("soc", "igpu") and part.bytes_per_s), None)
    if pool.name != "unified" or pool.bytes_per_s or chip is None:
        return pool
    return replace(pool, bytes_per_s=chip.bytes_per_s, bandwidth_source=chip.source)


def _limited(devices: tuple[Device, ...], pools: tuple[Pool, ...]) -> tuple[tuple[str, ...], tuple[Pool, ...]]:
    limits = [device.limit_bytes for device in devices if device.limit_bytes is not None and device.pool == "unified"]
    if not limits:
        return (), pools
    least = min(limits)
    cut = tuple(replace(pool, free_bytes=min(pool.free_bytes, least)) if pool.name == "unified" else pool for pool in pools)
    return (f"the GPU may hold {show_bytes(least)} of the unified memory",), cut
