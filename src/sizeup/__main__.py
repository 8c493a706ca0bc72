"""The program `sizeup`: runs a verb, and turns every mistake into one sentence and a line that begins "Try"."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

from .errors import SizeupError, UserError

INTERRUPTED = 130
BUG = 70


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing but a bug with SIZEUP_DEBUG=1 shows a traceback."""
    if arguments is None:
        # A short-lived program frees little: looking for cycles while modules load costs a twentieth of the start.
        gc.set_threshold(200_000)
    args = sys.argv[1:] if arguments is None else arguments
    try:
        try:
            return _run(args)
        finally:
            sys.stdout.flush()
    except SizeupError as error:
        return _tell(error, args)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return INTERRUPTED
    except BrokenPipeError:
        from .cli.verb import BROKEN_PIPE

        # Nobody reads any more; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        if os.environ.get("SIZEUP_DEBUG"):
            raise
        return _tell_bug(error, args)


def _run(args: list[str]) -> int:
    import click

    from .cli import main_group

    try:
        result = main_group().main(args, prog_name="sizeup", standalone_mode=False, obj=args)
        return result if isinstance(result, int) else 0
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.UsageError as error:
        from .cli.mistakes import sentence

        raise sentence(error) from None


def _texts(args: list[str]) -> Any:
    from .cli.verb import asked_language
    from .i18n import language, texts

    try:
        return texts(language(asked_language(args)))
    except UserError:
        return texts(language())


def _tell(error: SizeupError, args: list[str]) -> int:
    """One sentence and a way out, on standard error; with --json one document on standard output."""
    t = _texts(args)
    message, hint = t.sentence(error.message), t.sentence(error.hint)
    if "--json" in args:
        import json

        content = {"kind": type(error).__name__, "message": message, "try": hint, "exit_code": error.exit_code}
        if log := getattr(error, "log", ""):
            content["log"] = log
        sys.stdout.write(json.dumps({"error": content}, ensure_ascii=False, indent=2) + "\n")
    else:
        from .page import one_line

        _complain(one_line(message) + (f"\n{t('error.try', hint=hint)}" if hint else ""))
        if log := getattr(error, "log", ""):
            _complain(log)
    return error.exit_code


def _tell_bug(error: Exception, args: list[str]) -> int:
    message = str(error).splitlines()[0] if str(error) else ""
    words = _texts(args)("error.bug", kind=type(error).__name__, message=message)
    if "--json" in args:
        import json

        sys.stdout.write(json.dumps({"error": {"kind": "Bug", "message": words, "try": "", "exit_code": BUG}}, ensure_ascii=False) + "\n")
    else:
        _complain(words)
    return BUG


def _complain(text: str) -> None:
    from .page import harmless

    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(harmless(text).encode(encoding, "replace").decode(encoding) + "\n")


if __name__ == "__main__":
    sys.exit(main())
