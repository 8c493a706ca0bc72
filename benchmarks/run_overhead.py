"""What `sizeup run` adds to llama.cpp: time beside the engine's own decoding, and memory beside the engine's process.

Time: within one run, seconds of the loop that decodes over the seconds inside llama.cpp (decode and sample); a machine that is slow for a
moment slows both. In turn with it a bare loop over the same calls, nothing printed, so that the two rates stand side by side too.
Memory: what the parent holds at most, and what Python and the engine's library hold in the child before any model is loaded.

python -m benchmarks.run_overhead [FILE.gguf] [TURNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from tests.small_model import small_model

PARENT = """
import json, sys
from sizeup.search import fit
from sizeup.engines.llamacpp.run import conduct, job
from sizeup.engines.llamacpp.reports import resident
plan = fit(sys.argv[1], context_tokens=2048)[0]
shown = []
asked = {"prompt": "The three states of matter are", "max_tokens": 96, "temperature": 0.0, "seed": 1, "raw": True}
_, done = conduct({**job(plan), **asked}, lambda kind, event: shown.append(event.get("text")))
print(json.dumps({**done, "parent": resident()["peak"]}))
"""
BARE = """
import json, sys
from sizeup.engines.llamacpp import child
child.emit = lambda event, **values: print(json.dumps(values)) if event == "done" else None
sys.exit(child.main())
"""


def main() -> None:
    path = sys.argv[1] if len(sys.argv) > 1 else str(small_model())
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    import json

    from sizeup.engines.llamacpp.run import job
    from sizeup.search import fit

    told = {**job(fit(path, context_tokens=2048)[0]), "prompt": "The three states of matter are", "max_tokens": 96}
    asked = json.dumps({**told, "temperature": 0.0, "seed": 1, "raw": True}) + "\n"
    added, ratios, parents, bases = [], [], [], []
    for turn in range(turns):
        ours = json.loads(subprocess.run([sys.executable, "-c", PARENT, path], check=True, capture_output=True, env=os.environ).stdout)
        bare = json.loads(
            subprocess.run(
                [sys.executable, "-c", BARE], input=asked.encode(), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ).stdout.splitlines()[-1]
        )
        added.append(ours["decode_s"] / ours["engine_decode_s"] - 1)
        ratios.append(bare["decode_tokens_per_s"] / ours["decode_tokens_per_s"])
        parents.append(ours["parent"] / 1e6)
        bases.append(ours["resident"]["base"]["total"] / 1e6)
        print(
            f"turn {turn + 1}: {ours['new_tokens']} tokens, {ours['decode_tokens_per_s']:.2f} tok/s (bare {bare['decode_tokens_per_s']:.2f}), "
            f"beside the engine {added[-1] * 100:.3f} %, parent {parents[-1]:.1f} MB, child before a model {bases[-1]:.1f} MB",
            flush=True,
        )
    print(f"time beside the engine's own decoding, median: {statistics.median(added) * 100:.3f} %")
    print(f"bare loop / sizeup run, median of the turns: {statistics.median(ratios):.4f}")
    print(f"memory of the parent, median: {statistics.median(parents):.1f} MB; child before a model: {statistics.median(bases):.1f} MB")


if __name__ == "__main__":
    main()
