"""The process that runs the libraries: what is asked comes as JSON, progress and the answer go as lines of JSON.

It is a process of its own because the libraries are heavy, are changed for the trace, and may end the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import shim

if TYPE_CHECKING:
    from .attention import Dispatch

PLAUSIBLE = 0.001
"""By how much of its parameters an extended model may differ from the one that was read: a config that cannot be cut is further off."""
Say = Callable[..., None]
"""Writes a line of JSON with these fields."""


def main() -> int:
    asked = json.loads(sys.stdin.buffer.read())
    out = sys.stdout

    def say(**line: Any) -> None:
        out.write(json.dumps(line) + "\n")
        out.flush()

    # Libraries print; the lines of the answer are the only ones.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            dispatch = prepare(asked["device"], say)
            kind = asked["config"].get("model_type")
            if not known(kind):
                say(unknown=kind)
                return 0
            say(found=answer(asked, dispatch, say))
        except Exception as error:
            if os.environ.get("SIZEUP_DEBUG"):
                raise
            first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
            say(failed=f"{type(error).__name__}: {first}"[:300].rstrip("."))
    return 0


def prepare(device: str, say: Say) -> Dispatch:
    """Make this process one that traces: the device, the libraries, what is changed in them. Once only."""
    say(stage="device")
    faked = device != "cpu" and shim.install()
    say(stage="libraries")
    import torch

    from . import device as devices
    from .attention import Dispatch

    dispatch = Dispatch(torch, "cuda" if faked else "cpu")
    if faked:
        dispatch.alive = devices.claim(torch)
    devices.patch_modules(torch)
    dispatch.install()
    torch.set_num_threads(1)
    return dispatch


def known(kind: Any) -> bool:
    """Whether transformers has a model type, without anybody's remote code."""
    import transformers

    transformers.logging.set_verbosity_error()
    return kind in transformers.CONFIG_MAPPING


def answer(asked: dict[str, Any], dispatch: Dispatch, say: Say) -> dict[str, Any]:
    """Trace the step as asked, at two depths where they stand for the whole, and pick the peak."""
    started = time.perf_counter()
    from sizeup.training.recipe import Recipe

    from .depth import PARTS, depths, extended
    from .inside.step import trace

    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in asked["recipe"].items()}
    recipe = Recipe(**fields)
    dispatch.asked = recipe.attention
    kinds, pair = asked["kinds"], None
    if not asked["every_layer"]:
        pair = depths(kinds)
    found = None
    if pair is not None:
        traces = []
        for layers in pair:
            say(stage="trace", layers=layers)
            traces.append(trace(asked, recipe, dispatch, layers))
        times = (len(kinds) - pair[0]) // (pair[1] - pair[0])
        first, second = traces
        moments = extended(first.moments, second.moments, times)
        parameters = first.parameters + (second.parameters - first.parameters) * times
        if moments is not None and abs(parameters - asked["parameters"]) <= PLAUSIBLE * asked["parameters"]:
            found = {
                "parameters": parameters,
                "trained": first.trained + (second.trained - first.trained) * times,
                "gradients_bytes": first.gradients + (second.gradients - first.gradients) * times,
                "rests": {part: first.rests[part] + (second.rests[part] - first.rests[part]) * times for part in PARTS},
                "kernels": {k: n + (n - first.kernels[k]) * (times - 1) for k, n in second.kernels.items()},
                "traced_layers": list(pair),
            }
    if found is None:
        say(stage="trace", layers=len(kinds))
        whole = trace(asked, recipe, dispatch, None)
        moments = whole.moments
        found = {
            "parameters": whole.parameters,
            "trained": whole.trained,
            "gradients_bytes": whole.gradients,
            "rests": whole.rests,
            "kernels": dict(whole.kernels),
            "traced_layers": [len(kinds)],
        }
    assert moments
    peak = max(moments, key=lambda moment: moment.held)
    return {
        **found,
        "peak_bytes": peak.held,
        "tensors_peak_bytes": max(moment.total for moment in moments),
        "peak_phase": peak.phase,
        "peak_at": peak.event,
        "parts": dict(zip(PARTS, peak.parts, strict=True)),
        "phases": {phase: max(m.held for m in moments if m.phase == phase) for phase in dict.fromkeys(m.phase for m in moments)},
        "device": dispatch.device,
        "seconds": round(time.perf_counter() - started, 1),
        "peak_resident_bytes": resident_bytes(),
    }


def resident_bytes() -> int:
    """The most that this process had resident; 0 where the system does not say."""
    if os.name != "posix":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    sys.exit(main())
