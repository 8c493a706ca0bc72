"""sizeup fleet scan|…: what is about many machines; one verb a file, loaded when it is chosen."""

from __future__ import annotations

import importlib

import click

from sizeup.page import indented

from ..verb import terminal_width, texts_of

VERBS = ("scan", "plan", "up", "status", "down")
"""In the order of help; each is a module here with a `command`."""


class Fleet(click.Group):
    """The group of verbs about a cluster."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f".{cmd_name}", __name__).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Without a verb there is nothing but its help, whatever options say.
        return super().parse_args(ctx, args if ctx.resilient_parsing or set(VERBS) & set(args) or _word(args) else ["--help"])

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        t, width = texts_of(ctx), terminal_width()
        lines = ["", "  sizeup fleet VERB [--…]", "", *indented(t("verb.fleet"), width, "  "), "", f"  {t('help.verbs')}"]
        for verb in VERBS:
            lines += indented(t(f"verb.fleet {verb}"), width, f"    {verb:<12}")
        lines += ["", f"  {t('help.examples')}", *(f"    {line}" for line in t("example.fleet").split("\n")), ""]
        formatter.write("\n".join(lines))


def _word(args: list[str]) -> bool:
    """Whether a word begins the arguments: a verb, mistyped perhaps."""
    return bool(args) and not args[0].startswith("-")


command = Fleet("fleet", context_settings={"help_option_names": ["--help", "-h"]})
