"""After `sizeup machine --measure`: what decoding is told, beside what is then measured here, of a real model and two ghosts.

The real file is copied before each of its runs, as ghosts are written: how the system holds a file in its cache is worth up to a sixth
of decoding. Models run in turns, so that bursts of other work fall on all alike; the median of the runs counts.

python -m benchmarks.measured_here [ROUNDS] [MODEL:QUANT …]
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile

from tests.small_model import small_model

from sizeup import calibration, probe
from sizeup.ghost import disk
from sizeup.ghost.rehearse import rehearse
from sizeup.plan import Plan
from sizeup.search import fit
from sizeup.throughput import run_of

GHOSTS = ("google/gemma-3-1b-it:Q4_K_M", "ibm-granite/granite-3.1-1b-a400m-instruct:Q4_K_M")
PROMPT, DECODED, SECONDS = 128, 48, 5.0


def measured(plan: Plan, real: bool) -> float:
    """Decode rate of one run, in tokens per second."""
    with tempfile.TemporaryDirectory(dir=disk.folder()) as folder:
        path = shutil.copy(plan.model.path, folder) if real and plan.model.path else None
        return rehearse(plan, path=path, prompt_tokens=PROMPT, decode_tokens=DECODED, seconds=SECONDS).decode_tokens_per_s or 0.0


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    subprocess.run([sys.executable, "-m", "sizeup", "machine", "--measure"], check=True, stdout=subprocess.DEVNULL)
    cpu = probe.machine().cpu
    found = calibration.kept(cpu.name) if cpu is not None else None
    assert found is not None
    print(f"{found.how}; repeats {found.noise:.0%} apart" + (" (busy)" if found.busy else ""), flush=True)
    plans = {"real": fit(str(small_model()), context_tokens=2048)[0]}
    for name in sys.argv[2:] or GHOSTS:
        model, _, quant = name.rpartition(":")
        plans[name] = fit(model, quant=quant, context_tokens=2048)[0]
    runs: dict[str, list[float]] = {name: [] for name in plans}
    for _ in range(rounds):
        for name, plan in plans.items():
            runs[name].append(measured(plan, name == "real"))
    for name, plan in plans.items():
        told = run_of(plan).decode(PROMPT + DECODED // 2)
        assert told is not None
        middle = statistics.median(runs[name])
        each = ", ".join(f"{rate:.1f}" for rate in runs[name])
        label = f"{plan.model.name} ({'real' if name == 'real' else 'ghost'})"
        print(f"{label:55} told {told.tokens_per_s:6.1f} ({told.lower:.1f}-{told.upper:.1f}), measured {middle:6.1f} ({each})", end=" ")
        print(f"{told.tokens_per_s / middle - 1:+.1%}")


if __name__ == "__main__":
    main()
