"""A proof: the real engine plans the ghost of a model, and its own figures stand beside ours."""

from __future__ import annotations

import dataclasses
import datetime
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sizeup.engines import engine as find_engine
from sizeup.engines.llamacpp.library import installed_version
from sizeup.engines.llamacpp.run import events, job, parts
from sizeup.errors import EngineFailed, Unavailable
from sizeup.figure import plain
from sizeup.plan import Measurement, Plan

from .write import ghost_header

PRINTED = 0.005 * 2**20
"""The engine tells the output buffer only in MiB with two decimals."""


def prove(plan: Plan) -> Measurement:
    """What the embedded engine would allocate for this plan, to the byte: nothing is downloaded, nothing is allocated.

    Compared are the buffers of a model that is read into memory; how much of a mapped file stays resident is the system's
    affair. Raises Unavailable without the engine or for devices it does not have here, EngineFailed with its log.
    """
    version = installed_version()
    settings = plan.settings
    if plain(settings.gpu_layers) != 0:
        raise Unavailable("The embedded engine has no GPU here to plan for.", "sizeup prove with --gpu-layers 0")
    engine = find_engine(plan.engine)
    quant = None if plan.model.stored == "gguf" else plan.quant
    read = dataclasses.replace(settings, mmap=False)
    expected = engine.account(plan.model, quant, read).as_reported()
    ready: dict[str, Any] = {}
    marks: dict[str, dict[str, int]] = {}
    with ghost_file(plan, engine.tensors(plan.model, quant)) as path:
        asked = job(dataclasses.replace(plan, settings=read))
        for event in events({**asked, "path": path, "plan_only": True, "max_tokens": 0}):
            kind = event.pop("event")
            if kind == "ready":
                ready = event
            elif kind == "done":
                marks = event["resident"]
            elif kind == "failed":
                raise EngineFailed(f"The engine would not plan it: {event['message']}.", event["hint"] or "sizeup fit MODEL", event["log"])
    found = parts(ready["buffers"], planned=True)
    if abs(found["output"] - expected.get("output", 0)) <= PRINTED:
        found["output"] = expected.get("output", 0)
    return Measurement(
        level="proved",
        engine=f"llama.cpp (xllamacpp {version})",
        model=plan.model.name,
        quant=plan.quant,
        settings=plan.settings_json(),
        buffers=found,
        difference_bytes={part: found[part] - expected.get(part, 0) for part in found},
        peak_resident_bytes=marks.get("context", {}).get("peak"),
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=plan.machine.name,
    )


@contextmanager
def ghost_file(plan: Plan, tensors: tuple[Any, ...]) -> Iterator[str]:
    """A path that the engine can open while this lasts.

    On Linux it is a file in memory without a name: it is gone with this process, however that ends, and no disk is touched.
    """
    raw, size = ghost_header(plan.model, tensors)
    if sys.platform == "linux":
        descriptor = os.memfd_create("ghost")
        try:
            os.write(descriptor, raw)
            os.ftruncate(descriptor, size)
            yield f"/proc/{os.getpid()}/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory(prefix="sizeup-ghost-") as folder:
        path = Path(folder) / "ghost.gguf"
        with path.open("wb") as file:
            file.write(raw)
            file.truncate(size)
        yield str(path)
