"""A batch script for Slurm: one job a replica, the server on its node or nodes."""

from __future__ import annotations

import shlex

from ...errors import UserError
from .wanted import MIB, Wanted


def script(found: Wanted) -> str:
    """What `sbatch` takes. Programs are those of the node: vLLM or SGLang of the release, or llama-server."""
    found.only("sbatch", spread=True)
    resource = found.resource if found.resource.startswith("gpu") and "/" not in found.resource else "gpu"
    directives = {
        "job-name": found.name,
        "nodes": found.nodes,
        "ntasks": found.nodes,
        "ntasks-per-node": 1,
        "cpus-per-task": found.threads,
        "mem": f"{-(-found.memory_bytes // MIB)}M",
        **({"gres": f"{resource}:{found.cards}"} if found.cards else {}),
        **({"partition": found.partition} if found.partition else {}),
        **({"array": f"0-{found.replicas - 1}"} if found.replicas > 1 else {}),
        "output": "%x.%j.log",
    }
    needs = {"vllm": f"vllm=={found.version}", "sglang": f"sglang=={found.version}", "llama.cpp": f"llama-server {found.version}"}[
        found.engine
    ]
    lines = ["#!/bin/bash", *(f"#SBATCH --{name}={value}" for name, value in directives.items()), "set -eu"]
    lines += [f"# needs {needs} on the node: activate its environment here", *(f"# {line}" for line in found.start.words())]
    if found.engine != "llama.cpp":
        # As many servers of other jobs may be on the node.
        lines += [f"PORT=$(({found.port} + SLURM_JOB_ID % 1000))"]
    words = found.words()
    words = words[: words.index("--port")] if found.engine != "llama.cpp" else words
    typed = shlex.join(words) + (' --port "$PORT"' if found.engine != "llama.cpp" else "")
    if found.nodes == 1:
        return "\n".join([*lines, f"srun {typed}"]) + "\n"
    if "'" in typed:
        raise UserError("A name with a quotation mark cannot be handed to sbatch on several nodes.", "another name")
    headless = ' $([ "$SLURM_PROCID" = 0 ] || echo --headless)' if found.engine == "vllm" else ""
    more = " ".join(found.spread("$SLURM_PROCID", "$LEADER"))
    lines += ['export LEADER=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)', "export PORT"]
    return "\n".join([*lines, f"srun bash -c 'exec {typed} {more}{headless}'"]) + "\n"
