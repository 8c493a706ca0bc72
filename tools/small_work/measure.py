"""Ask real model files every task on this machine, and keep what they answered and how long it took."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Any

import sizeup
from sizeup.engines.llamacpp.server import serving
from sizeup.plan import Plan
from sizeup.servers.client import Server
from sizeup.servers.openai import chat

from .tasks import CONTEXT, TASKS, Task


def measured(path: Path) -> dict[str, Any]:
    """Every task done once by the model in this file, on the machine's processors, after one answer that warms up."""
    plan = sizeup.fit(str(path), context_tokens=CONTEXT)[0]
    cpu = plan.machine.cpu
    assert cpu is not None
    with serving(plan) as here:
        server = Server(here.address, here.engine)
        ask(server, plan, TASKS[0], 1)
        rows = [ask(server, plan, task, task.tokens) for task in TASKS]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "model": plan.model.name,
        "mix": str(plan.model.mix),
        "file_bytes": path.stat().st_size,
        "sha256": digest,
        "engine": here.engine,
        "processor": f"{cpu.name}, {cpu.cores} cores",
        "date": datetime.date.today().isoformat(),
        "rows": rows,
    }


def ask(server: Server, plan: Plan, task: Task, tokens: int) -> dict[str, Any]:
    """One answer with the time that it took, beside what the plan says of a prompt and an answer of these lengths."""
    found = chat(server, plan.model.name, [{"role": "user", "content": task.ask}], temperature=0, max_tokens=tokens, cache_prompt=False)
    foretold = plan.speed.turn_s(found.prompt_tokens or 0, found.new_tokens)
    return {
        "task": task.id,
        "prompt_tokens": found.prompt_tokens,
        "new_tokens": found.new_tokens,
        "first_s": round(found.first_s, 3),
        "whole_s": round(found.first_s + found.rest_s, 3),
        "foretold_s": [round(each, 3) for each in foretold] if foretold else None,
        "text": found.text.strip(),
    }
