"""A whole sweep: read the models, group them by shape and the machines by class, work group by group, keep what is finished."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engines import engine as find_engine
from ..errors import UserError
from ..facts import data_json
from ..mixes import mix
from .classes import DeviceClass, classes, named, without_machines
from .executors import Finished, Group, on_processes, on_ray
from .folder import Folder, write_pairs
from .group import Asked
from .rows import models as read_models
from .shapes import Shapes

GROUP = 64
"""Shapes worked on at a time when there is one way to start the engine, less with more: some seconds of work, and what is lost when
a run is stopped."""

CONTEXTS = (4096, 8192, 32768, 131072)

Progress = Callable[[int, int], None]
"""Called with (groups finished, groups in all)."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a sweep found and wrote."""

    folder: str
    models: int
    """Rows read that have a config."""
    without_config: int
    shapes: int
    unreadable_shapes: int
    machines: int
    classes: int
    quants: tuple[str, ...]
    contexts: tuple[int, ...]
    cells: int
    """Rows written: shapes x classes x cache types x mixes x contexts."""
    cells_ungrouped: int
    """What they answer for: the same with every model and every machine by itself."""
    fitting_cells: int
    groups: int
    groups_kept: int
    """Of these, finished by an earlier run."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def sweep(
    source: str,
    out: str | os.PathLike[str],
    *,
    models: str | None = None,
    quants: Sequence[str] | None = None,
    contexts: Sequence[int] = CONTEXTS,
    machines: Sequence[str] = (),
    kv: Sequence[str] = ("f16",),
    engine: str = "llama.cpp",
    workers: int | None = None,
    ray: str | None = None,
    progress: Progress = lambda done, all: None,
) -> Summary:
    """Every model of `source` x quants x contexts x cache types x machines, into the folder `out`.

    `source` is "catalogue" or a table (`sweep.rows`), `models` a pattern for their names. `quants` None takes the recommended mixes,
    `machines` () asks for bytes alone, ("all",) for every described machine. `kv` are cache types, "q8_0" or "q8_0/q4_0". Groups that
    an earlier run finished are kept. `workers` None uses every core; `ray` is the address of a Ray cluster ("auto", "local", "ray://…"), whose
    nodes work instead of this machine's processes. Raises UserError, NotFound, Unreadable or Unavailable.
    """
    start = time.monotonic()
    asked, names = _asked(quants, contexts, machines, kv, engine)
    options = {
        "engine": engine,
        "quants": asked.quants,
        "contexts": asked.contexts,
        "kv": asked.kv,
        "classes": [c.key for c in asked.classes],
    }
    folder = Folder(Path(out), {name: _listed(value) for name, value in options.items()})
    folder.look()
    shapes = Shapes()
    rows = [(name, shapes.key(name, config)) for name, config in read_models(source, models)]
    if not rows:
        raise UserError(f"No model of {source} is called “{models}”." if models else f"{source} holds no model.", "--models '*'")
    kept = folder.done(shapes.configs)
    groups = dict(grouped(shapes, asked, {key for keys in kept.values() for key in keys}))
    folder.make(kept)
    write_pairs(folder.path / "models.parquet", ("model", "shape"), rows)
    write_pairs(folder.path / "machines.parquet", ("machine", "class"), names.items())
    finished = on_ray(groups, asked, folder.path, ray) if ray else on_processes(groups, asked, folder.path, workers)
    _work(len(groups), folder, finished, progress, len(kept))
    found = folder.groups.values()
    readable = sum(bool(key) for _, key in rows)
    return Summary(
        str(out),
        readable,
        len(rows) - readable,
        len(shapes.configs),
        sum(group["unreadable"] for group in found),
        len(names),
        len(asked.classes),
        asked.quants,
        asked.contexts,
        sum(group["cells"] for group in found),
        readable * len(asked.quants) * len(asked.contexts) * len(asked.kv) * (len(names) or len(asked.classes)),
        sum(group["fits"] for group in found),
        len(found),
        len(kept),
        round(time.monotonic() - start, 3),
    )


def _asked(
    quants: Sequence[str] | None, contexts: Sequence[int], machines: Sequence[str], kv: Sequence[str], engine: str
) -> tuple[Asked, dict[str, str]]:
    chosen = find_engine(engine)
    mixes = tuple(dict.fromkeys(mix(name).name for name in quants or data_json("recommended_mixes.json")["order"]))
    pairs = []
    for text in kv:
        k, _, v = text.lower().partition("/")
        chosen.Settings(k=k, v=v or k)
        pairs.append((k, v or k))
    for context in contexts:
        chosen.Settings(context_tokens=context)
    found: tuple[DeviceClass, ...] = without_machines(chosen)
    names: dict[str, str] = {}
    if machines:
        found, names = classes(named(machines), chosen)
    return Asked(mixes, tuple(dict.fromkeys(contexts)), tuple(dict.fromkeys(pairs)), found, engine), names


def grouped(shapes: Shapes, asked: Asked, done: Container[str] = ()) -> Iterator[tuple[str, Group]]:
    """(name, shapes) of every group of shapes that are not `done`: the same names whenever the same shapes come together."""
    every = [shape for shape in shapes if shape[0] not in done]
    ways = len({way.key for kind in asked.classes for way in kind.ways}) * len(asked.kv)
    size = max(1, GROUP // ways)
    for at in range(0, len(every), size):
        group = every[at : at + size]
        yield hashlib.blake2b(" ".join(key for key, _, _ in group).encode(), digest_size=8).hexdigest(), group


def _work(groups: int, folder: Folder, finished: Finished, progress: Progress, kept: int) -> None:
    every = kept + groups
    progress(kept, every)
    for done, (name, summary) in enumerate(finished, start=kept + 1):
        folder.finish(name, summary)
        progress(done, every)


def _listed(value: Any) -> Any:
    """As JSON gives it back."""
    return [_listed(each) for each in value] if isinstance(value, (tuple, list)) else value
