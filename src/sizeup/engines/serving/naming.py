"""What to tell a server to load."""

from __future__ import annotations

from ...model import ModelSpec
from .formats import format_of


def checkpoint(model: ModelSpec, quant: str | None) -> tuple[str, str]:
    """(the checkpoint's name or path, what `--quantization` has to say). A quantised checkpoint of somebody else is named by what it
    would be called: the model's name with the format behind it."""
    form, own = format_of(model, quant), format_of(model, None)
    name = model.named
    if form.name == own.name:
        return name, ""
    return (name, form.flag) if form.flag else (f"{name.rsplit('/', 1)[-1]}-{form.name}", "")
