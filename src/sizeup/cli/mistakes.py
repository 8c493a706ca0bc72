"""What click says about a mistyped command line, as our own errors: one sentence, one way out."""

from __future__ import annotations

import click

from sizeup.errors import SizeupError, UserError, close_names


def sentence(error: click.UsageError) -> SizeupError:
    """The same mistake in our form; the hint names what was probably meant, or the verb's help."""
    verb = error.ctx.command.name if error.ctx is not None and error.ctx.command.name not in (None, "home") else ""
    helped = f"sizeup {verb} --help" if verb and verb != "sizeup" else "sizeup --help"
    if isinstance(error, click.NoSuchOption):
        return UserError(f"There is no option {error.option_name}.", _near(error) or helped)
    if isinstance(error, click.MissingParameter):
        name = (error.param.metavar or error.param.name or "").strip("[]") if error.param is not None else ""
        return UserError(f"{name} is missing.", helped)
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = error.param.opts[0] if isinstance(error.param, click.Option) else (error.param.metavar or error.param.name or "")
        if isinstance(error.param.type, click.Choice):
            return UserError(f"{name} does not take this value.", ", ".join(map(str, error.param.type.choices)))
        return UserError(f"{name} does not take this value.", helped)
    if isinstance(error, click.BadOptionUsage):
        return UserError(f"{error.option_name} is not used like this.", helped)
    return UserError(error.format_message(), helped)


def _near(error: click.NoSuchOption) -> str:
    known = [name for p in error.ctx.command.params for name in p.opts if name.startswith("--")] if error.ctx is not None else []
    return ", ".join(close_names(error.option_name, known, 2, 0.5))
