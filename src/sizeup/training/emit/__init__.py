"""A training plan as files for the tools that train: the table of tools, and `emit`."""

from __future__ import annotations

import importlib
from pathlib import Path

from sizeup.errors import UserError, close_names
from sizeup.training.planned import TrainingPlan

from .wanted import Emitted, wanted

TOOLS = {
    "trl": "trl",
    "axolotl": "axolotl",
    "llama-factory": "llama_factory",
    "unsloth": "unsloth",
    "torchtune": "torchtune",
    "deepspeed": "deepspeed",
    "fsdp": "fsdp",
    "accelerate": "accelerate",
}
"""Name -> the module here that writes its files."""


def emit(plan: TrainingPlan, tool: str, model: str | None = None) -> Emitted:
    """The files with which `tool` runs exactly this plan. `model` is the folder or id to train when it is not the plan's own.

    What the tool has another way for is a note at the top of the file. Raises UserError for what it has no way for at all.
    """
    if tool not in TOOLS:
        near = close_names(tool, TOOLS, 1, 0.4)
        raise UserError(f"There are no configurations for “{tool}” here.", near[0] if near else ", ".join(TOOLS))
    module = importlib.import_module(f".{TOOLS[tool]}", __name__)
    found: Emitted = module.emit(wanted(plan, model))
    return found


def write(emitted: Emitted, folder: Path) -> list[Path]:
    """Put the files into a folder. Raises UserError rather than replace a file that is there with another."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in emitted.files]
    for path, text in zip(paths, emitted.files.values(), strict=True):
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise UserError(f"{path} is there already and is another.", "--to with another folder")
    for path, text in zip(paths, emitted.files.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths
