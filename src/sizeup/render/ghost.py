"""A ghost that the user keeps: what it is before it is written, and how it is loaded afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sizeup.model import ModelSpec
from sizeup.page import Page, indented

from .answer import EDGE

if TYPE_CHECKING:
    from sizeup.ghost.keepsake import Keepsake


def ghost(page: Page, model: ModelSpec, made: Keepsake, where: Path) -> str:
    """What will be written: files, tensors, the size they seem to have and the one they really take, and what differs."""
    t = page.texts
    lines = ["", *(page.paint(line, "strong") for line in indented(t("ghost.title", model=model.name, folder=where), page.width, EDGE))]
    if made.tensors:
        words = t(
            "ghost.tensors",
            tensors=f"{made.tensors:,}",
            parameters=f"{made.parameters:,}",
            dtype=made.dtype or t("ghost.as_stored"),
            kind=made.class_name or made.format,
        )
        lines += indented(words, page.width, EDGE)
    sizes = t("ghost.sizes", files=len(made.files), whole=page.bytes(made.file_bytes), real=page.bytes(made.disk_bytes))
    lines += indented(sizes, page.width, EDGE)
    for note in made.notes:
        lines += [page.paint(line, "warn") for line in indented(t.sentence(note), page.width, EDGE)]
    return "\n".join(lines) + "\n"


def ghost_written(page: Page, made: Keepsake, where: Path) -> str:
    """The commands that load it. They are never broken over lines, so that they can be copied."""
    lines = ["", f"{EDGE}{page.texts('ghost.written')}"]
    lines += [f"{EDGE}  {page.paint(command, 'command')}" for command in made.commands_for(where)]
    return "\n".join(lines) + "\n\n"
