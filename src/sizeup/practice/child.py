"""The process that trains: runs the script of its folder for a few steps and says what memory and time that took, as JSON."""

from __future__ import annotations

import json
import os
import runpy
import statistics
import sys
import time
from typing import Any


def main() -> int:
    asked = json.loads(sys.stdin.buffer.read())
    out, sys.stdout = sys.stdout, sys.stderr
    try:
        out.write(json.dumps({"found": measured(asked["steps"], asked["tensors"])}) + "\n")
    except Exception as error:
        if os.environ.get("SIZEUP_DEBUG"):
            raise
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        out.write(json.dumps({"failed": f"{type(error).__name__}: {first}"[:300].rstrip(".")}) + "\n")
    return 0


def measured(steps: int, tensors: bool) -> dict[str, Any]:
    """Train for so many steps. With `tensors` PyTorch's profiler counts what its allocator holds, which costs time and memory."""
    import psutil
    import torch
    import trl

    seconds: list[float] = []
    step = trl.SFTTrainer.training_step

    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = step(*args, **kwargs)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        return result

    trl.SFTTrainer.training_step = timed
    libraries = psutil.Process().memory_info().rss
    sys.argv = ["run.py", "--data", "train.jsonl", "--output", "output", "--max-steps", str(steps)]
    peak = None
    if torch.cuda.is_available():
        script = runpy.run_path("run.py", run_name="__main__")
        peak = torch.cuda.max_memory_allocated()
    elif tensors:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
            script = runpy.run_path("run.py", run_name="__main__")
        peak = most_allocated(profile) + mapped_bytes(script["trainer"].model)
    else:
        script = runpy.run_path("run.py", run_name="__main__")
    # The first step also loads kernels.
    return {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "peak_bytes": peak,
        "resident_bytes": most_resident(),
        "libraries_bytes": libraries,
        "micro_batch_s": statistics.median(seconds[1:] or seconds),
        "losses": [row["loss"] for row in script["trainer"].state.log_history if "loss" in row],
    }


def most_allocated(profile: Any) -> int:
    """The most bytes that the allocator held at once, of all its allocations and frees."""
    import torch

    kind, peak = torch._C._profiler._EventType.Allocation, 0
    left = list(profile.profiler.kineto_results.experimental_event_tree())
    while left:
        event = left.pop()
        if event.tag == kind:
            peak = max(peak, event.extra_fields.total_allocated)
        left.extend(event.children)
    return peak


def mapped_bytes(model: Any) -> int:
    """Weights that lie in the checkpoint's own pages, which no allocator made."""
    try:
        with open("/proc/self/maps") as file:
            rows = [line.split() for line in file if ".safetensors" in line]
    except OSError:
        return 0
    ranges = [tuple(int(edge, 16) for edge in row[0].split("-")) for row in rows]
    storages = {parameter.untyped_storage().data_ptr(): parameter.untyped_storage().nbytes() for parameter in model.parameters()}
    return sum(size for start, size in storages.items() if any(low <= start < high for low, high in ranges))


def most_resident() -> int:
    """The most memory that this process had resident."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())
