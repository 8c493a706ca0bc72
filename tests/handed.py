"""Plans that are handed over, for the tests of the files that are written."""

from __future__ import annotations

import functools
from typing import Any

from sizeup import probe
from sizeup.fleet.artefacts.wanted import Wanted, wanted
from sizeup.plan import Plan
from sizeup.search import fit


@functools.cache
def plan(model: str = "Qwen/Qwen3-32B", on: str = "2x h100-sxm nvlink", engine: str = "vllm", **asked: Any) -> Plan:
    """The best plan."""
    return fit(model, probe.machine(on), engine=engine, **asked)[0]


def several_nodes(engine: str = "vllm") -> Wanted:
    """Llama 3.1 405B in FP8 on two nodes of eight cards."""
    split = {"tensor_parallel": 8, "pipeline_parallel": 2}
    return wanted(plan("meta-llama/Llama-3.1-405B-Instruct", "16x h100-sxm nvlink", engine, quant="fp8", **split), 2, nodes=2)
