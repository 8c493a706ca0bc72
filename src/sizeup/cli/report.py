"""sizeup report: what was measured here as a file to share, without anything that names a person or a place. Nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path

from sizeup.operations import kinds

from .settings import of
from .verb import Asked, Option, Verb


def report(asked: Asked, to: str | None, show: bool) -> None:
    """Write the report, or print what it would hold."""
    from sizeup.home import data_dir, write_atomically
    from sizeup.report import report as made

    content = made()
    if show or asked.json:
        asked.say_json(content)
        return
    path = Path(to).expanduser() if to else data_dir() / "sizeup-report.json"
    write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())
    t = asked.page.texts
    asked.say(f"\n  {t('report.written', count=len(content['measurements']), path=path)}\n  {t('report.where')}\n")


command = Verb(
    "report",
    report,
    [Option(["--to"], "report_to", metavar="FILE", type=of(kinds.FILE)), Option(["--show"], "report_show", is_flag=True)],
)
