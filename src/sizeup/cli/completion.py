"""sizeup completion bash|zsh|fish: the lines that make a shell complete sizeup's verbs, options and model names."""

from __future__ import annotations

import click

from .verb import Asked, Verb, write

SHELLS = ("bash", "zsh", "fish")


def completion(asked: Asked, shell: str) -> None:
    """Print the shell's script; it goes into the shell's start file or its folder of completions."""
    from click.shell_completion import get_completion_class

    from . import main_group

    kind = get_completion_class(shell)
    assert kind is not None
    write(kind(main_group(), {}, "sizeup", "_SIZEUP_COMPLETE").source() + "\n")


command = Verb("completion", completion, [click.Argument(["shell"], type=click.Choice(SHELLS), metavar="bash|zsh|fish")])
