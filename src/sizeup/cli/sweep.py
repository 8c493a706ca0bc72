"""sizeup sweep IN OUT: a table of models against mixes, contexts, cache types and machines, into tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sizeup.errors import UserError
from sizeup.operations.kinds import COUNTS

from .settings import of
from .verb import Asked, Option, Verb


def sweep(
    asked: Asked,
    source: str,
    out: str,
    models: str | None,
    quants: str | None,
    contexts: tuple[int, ...],
    machines: str | None,
    kv_types: str,
    workers: int | None,
    ray: str | None,
    engine: str,
) -> None:
    """Work through the table and say what was read and written."""
    from sizeup.render.sweep import sweep as page
    from sizeup.sweep.run import sweep as run

    if workers is not None and workers < 1:
        raise UserError(f"--workers = {workers} is below 1.", "--workers 2")
    found = run(
        source,
        out,
        models=models,
        quants=_names(quants) or None,
        contexts=contexts,
        machines=machine_names(machines),
        kv=_names(kv_types),
        engine=engine,
        workers=workers,
        ray=ray,
        progress=_live(asked),
    )
    asked.say_json(found.to_json()) if asked.json else asked.say(page(asked.page, found))


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def machine_names(text: str | None) -> list[str]:
    """Names apart by commas, "all", or a text file with one name a line."""
    if text is None:
        return []
    path = Path(text)
    if path.suffix in (".txt", ".csv") and path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line.strip().strip('"') for line in lines if line.strip() and line.strip().lower() not in ("machine", "name")]
    return _names(text)


def _live(asked: Asked) -> Any:
    """Finished groups on standard error while a person looks."""
    shown = sys.stderr.isatty() and not asked.json

    def tell(done: int, every: int) -> None:
        if shown:
            words = asked.page.texts("sweep.progress", done=f"{done:,}", every=f"{every:,}")
            sys.stderr.write("\r\x1b[K" if done == every else f"\r\x1b[K  {words}")
            sys.stderr.flush()

    return tell


command = Verb(
    "sweep",
    sweep,
    [
        click.Argument(["source"], metavar="IN"),
        click.Argument(["out"], metavar="OUT"),
        Option(["--models"], "sweep_models", metavar="PATTERN"),
        Option(["--quants"], metavar="MIX,MIX"),
        Option(["--contexts"], type=of(COUNTS), default="4096,8192,32768,131072", metavar="N,N"),
        Option(["--machines"], "sweep_machines", metavar="NAME,NAME|FILE|all"),
        Option(["--kv-types"], default="f16", metavar="TYPE,K/V"),
        Option(["--workers"], type=int, metavar="N"),
        Option(["--ray"], "sweep_ray", metavar="ADDRESS"),
        Option(["--engine"], default="llama.cpp", metavar="NAME"),
    ],
)
