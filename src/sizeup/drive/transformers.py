"""transformers in a child process of this environment: loaded with the plan's keywords, one answer by `generate`, measured, gone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sizeup.engines.children import events
from sizeup.engines.transformers.engine import Transformers
from sizeup.figure import plain
from sizeup.plan import Plan

from .hand import Prompt, Ran

PACKAGES = ("torch", "transformers")


def installed() -> bool:
    """Whether this environment has what it takes."""
    return all(find_spec(name) is not None for name in PACKAGES)


def here(plan: Plan) -> bool:
    """Whether the model's weights lie on this machine, as transformers reads them."""
    return plan.model.stored == "safetensors" and plan.model.path is not None and Path(plan.model.path).exists()


def run(plan: Plan, prompt: Prompt) -> Ran:
    """Load the plan's checkpoint, answer a prompt. Raises EngineFailed with the library's reason."""
    done: dict[str, Any] = {}
    for kind, event in events(
        "sizeup.engines.transformers.child", job(plan, prompt), 'pip install ".[transformers]" in the folder of sizeup'
    ):
        if kind == "text":
            prompt.on_text(event["text"])
        else:
            done = event
    return Ran(
        f"transformers {done['version']}",
        done["prompt_tokens"],
        done["new_tokens"],
        done["prefill_tokens_per_s"],
        done["decode_tokens_per_s"],
        "clock",
        done["load_s"],
        done["bytes"],
    )


def job(plan: Plan, prompt: Prompt) -> dict[str, Any]:
    """What the child must know."""
    settings, cpu = plan.settings, plan.machine.cpu
    return {
        "path": plan.model.named,
        "loading": Transformers().loading(plan.model, plan.quant, settings),
        "cache": settings.cache,
        "context_tokens": int(plain(settings.context_tokens) // plain(settings.sequences)),
        "threads": max(1, min(cpu.cores, int(cpu.usable + 0.5)) if cpu else 1),
        "prompt": prompt.text,
        "max_tokens": prompt.max_tokens,
        "temperature": prompt.temperature,
        "seed": prompt.seed,
    }
