"""sizeup ghost MODEL: a folder that programs take for the model, with true names and shapes, and no weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sizeup.errors import UserError
from sizeup.operations.kinds import SIZE

from .settings import model_argument, of, read_model
from .verb import Asked, Option, Verb


def ghost(
    asked: Asked,
    model: str,
    to: Path | None,
    kind: str,
    quant: str | None,
    dtype: str | None,
    max_disk: int | None,
    shard_bytes: int | None,
    config_only: bool,
    assume: str | None,
) -> None:
    """Say what will be written, write it, and print the commands that load it."""
    from sizeup.ghost import formats, keep
    from sizeup.ghost.shards import SHARD_BYTES

    if to is None:
        raise UserError("--to is missing.", "sizeup ghost MODEL --to FOLDER")
    if shard_bytes is not None and shard_bytes < 1:
        raise UserError("A shard has at least one byte.", "--shard-bytes 5GB")
    spec = read_model(asked, model, assume)
    made: Any = formats.gguf(spec, quant) if kind == "gguf" else formats.safetensors(spec, dtype, shard_bytes or SHARD_BYTES, config_only)
    keep.check(made, to, max_disk)
    if asked.json:
        from sizeup.api import ghost_json

        keep.keep(made, to, max_disk)
        asked.say_json(ghost_json(spec, made, to))
        return
    from sizeup import render

    asked.say(render.ghost(asked.page, spec, made, to))
    keep.keep(made, to, max_disk)
    asked.say(render.ghost_written(asked.page, made, to))


command = Verb(
    "ghost",
    ghost,
    [
        model_argument(),
        Option(["--to"], type=click.Path(path_type=Path), metavar="FOLDER"),
        Option(["--format", "kind"], "ghost_format", type=click.Choice(["safetensors", "gguf"]), default="safetensors", metavar="FORMAT"),
        Option(["--quant"], "ghost_quant", metavar="MIX"),
        Option(["--dtype"], metavar="bf16|f16|f32"),
        Option(["--config-only"], is_flag=True),
        Option(["--shard-bytes"], type=of(SIZE), metavar="SIZE"),
        Option(["--max-disk"], "ghost_max_disk", type=of(SIZE), metavar="SIZE"),
        Option(["--assume"], metavar="ARCHITECTURE"),
    ],
)
