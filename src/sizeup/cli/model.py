"""sizeup model M: what was read of a model, from where."""

from __future__ import annotations

from .settings import model_argument, read_model
from .verb import Asked, Option, Verb


def model(asked: Asked, model: str, assume: str | None) -> None:
    """Print what is known of a model, layer by layer."""
    spec = read_model(model, assume)
    if asked.json:
        from sizeup.api import model_json

        asked.say_json(model_json(spec))
        return
    from sizeup import render

    asked.say(render.model(asked.page, spec))


command = Verb("model", model, [model_argument(), Option(["--assume"], metavar="ARCHITECTURE")])
