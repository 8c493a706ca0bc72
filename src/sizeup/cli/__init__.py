"""The command line: one verb a file, loaded when it is chosen. `sizeup MODEL` is short for `sizeup fit MODEL`."""

from __future__ import annotations

import importlib
from typing import Any

import click

from .verb import help_text, texts_of

VERBS = (
    "fit",
    "plan",
    "models",
    "machines",
    "table",
    "upgrade",
    "shrink",
    "model",
    "machine",
    "prove",
    "rehearse",
    "ghost",
    "pull",
    "run",
    "bench",
    "verify",
    "report",
    "train",
    "pretrain",
    "dataset",
    "tokens",
    "compare",
    "browser",
    "sweep",
    "fleet",
    "serve",
    "mcp",
    "doctor",
    "explain",
    "completion",
)
"""Every verb a person may type, in the order of help; each is a module here with a `command`."""

HOME = "home"
"""What `sizeup` alone does: this machine and the best models for it."""

_WITH_VALUE = ("--lang", "--units")


class Verbs(click.Group):
    """The group of verbs. Nothing of a verb is imported before it is chosen."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in (*VERBS, HOME):
            return None
        command: click.Command = importlib.import_module(f".{cmd_name}", __name__).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if ctx.resilient_parsing else reordered(args))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(help_text(texts_of(ctx), VERBS))


def reordered(args: list[str]) -> list[str]:
    """The arguments with their verb first: options may come before it, and a thing without a verb means `fit`."""
    if args[:1] == ["--version"]:
        return args
    at = 0
    while at < len(args) and args[at].startswith("-") and args[at] != "-":
        at += 2 if args[at] in _WITH_VALUE else 1
    before, rest = args[:at], args[at:]
    if not rest:
        # An option's help is asked for: that is the help of everything.
        return ["--help"] if {"--help", "-h"} & set(before) else [HOME, *before]
    return [rest[0], *rest[1:], *before] if rest[0] in (*VERBS, HOME) else ["fit", *rest, *before]


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from sizeup import __version__

        click.echo(f"sizeup {__version__}")
        ctx.exit()


def main_group() -> Any:
    """The whole command line as a click group."""
    return Verbs(
        "sizeup",
        params=[click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version)],
        callback=lambda: None,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
