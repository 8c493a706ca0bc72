"""A proof: the real engine plans the ghost of a model, and its own figures stand beside ours."""

from __future__ import annotations

import dataclasses

from sizeup.engines import engine as find_engine
from sizeup.engines.llamacpp.run import conduct, job, measurement
from sizeup.errors import Unavailable
from sizeup.figure import plain
from sizeup.plan import Measurement, Plan
from sizeup.search import make_plan

from .room import sparse_file
from .write import ghost_header


def prove(plan: Plan) -> Measurement:
    """What the embedded engine would allocate for this plan, to the byte: nothing is downloaded, nothing is allocated.

    Compared are the buffers of a model that is read into memory; how much of a mapped file stays resident is the system's
    affair. Raises Unavailable without the engine or for devices it does not have here, EngineFailed with its log.
    """
    if plan.engine != "llama.cpp":
        raise Unavailable(f"The embedded engine is llama.cpp, and this plan is for {plan.engine}.", "--engine llama.cpp")
    if plain(plan.settings.gpu_layers) != 0:
        raise Unavailable("The embedded engine has no GPU here to plan for.", "sizeup prove with --gpu-layers 0")
    engine = find_engine(plan.engine)
    read = make_plan(plan.model, plan.machine, engine, plan.asked_quant, dataclasses.replace(plan.settings, mmap=False))
    with sparse_file(*ghost_header(plan.model, engine.tensors(plan.model, plan.asked_quant)), plan.model.name) as path:
        ready, done = conduct({**job(read), "paths": [path], "plan_only": True, "max_tokens": 0})
    # It is found by the settings that were asked about.
    return dataclasses.replace(measurement(read, "proved", ready, done, planned=True), settings=plan.settings_json())
