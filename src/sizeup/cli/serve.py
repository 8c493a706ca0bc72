"""sizeup serve: the page and REST on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sizeup.errors import Unavailable, UserError
from sizeup.operations.kinds import COUNT

from .settings import of
from .verb import Asked, Option, Verb

MOST_WORKERS = 64
INSTALL = 'pip install ".[web]" in the folder of sizeup'


def serve(
    asked: Asked,
    host: str,
    port: int | None,
    public: bool,
    names: tuple[str, ...],
    cors: tuple[str, ...],
    files: bool,
    run: bool,
    engines: Path | None,
    models: Path | None,
    workers: int,
    browse: bool,
) -> None:
    """Answer over HTTP until interrupted; says where, and what is allowed."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise Unavailable("sizeup serve needs starlette and uvicorn, which are not installed.", INSTALL) from None
    from sizeup.web.run import bound
    from sizeup.web.run import serve as answer
    from sizeup.web.serving import PORT, Serving

    wished = Serving(host, port or PORT, files, run, names, cors, engines, models, workers=workers)
    if not 1 <= workers <= MOST_WORKERS:
        raise UserError(f"--workers = {workers} is not between 1 and {MOST_WORKERS}.", "--workers 2")
    if not wished.loopback and not public:
        raise UserError(f"{host} can be reached by other machines.", f"--host {host} --public, or leave --host out")
    listening = bound(host, PORT if port is None else port, port is not None)
    t, number = asked.page.texts, listening.getsockname()[1]
    address = f"http://{f'[{host}]' if ':' in host else host}:{number}/"
    allowed = [t(f"serve.{what}") for what, yes in (("files", files), ("run", run)) if yes] or [t("serve.nothing")]
    lines = ["", f"  {t('serve.at', address=address)}", f"  {t('serve.rest', address=address)}"]
    lines += [f"  {t('serve.allowed', what=t('list.semicolon').join(allowed))}", f"  {t('serve.stop')}", ""]
    asked.say("\n".join(lines))
    if not wished.loopback:
        sys.stderr.write(f"  {t('serve.public')}\n")
    if browse:
        import webbrowser

        webbrowser.open(address)
    answer(wished, listening)


command = Verb(
    "serve",
    serve,
    [
        Option(["--host"], "serve_host", default="127.0.0.1", metavar="ADDRESS"),
        Option(["--port"], "serve_port", type=of(COUNT), metavar="N"),
        Option(["--public"], "serve_public", is_flag=True),
        Option(["--name", "names"], "serve_name", multiple=True, metavar="HOST"),
        Option(["--cors"], "serve_cors", multiple=True, metavar="ORIGIN"),
        Option(["--allow-files", "files"], "serve_files", is_flag=True),
        Option(["--allow-run", "run"], "serve_run", is_flag=True),
        Option(["--engines"], "serve_engines", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="FOLDER"),
        Option(["--models"], "serve_models", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="FOLDER"),
        Option(["--workers"], "serve_workers", type=of(COUNT), default=1, metavar="N"),
        Option(["--open", "browse"], "serve_open", is_flag=True),
    ],
)
