"""sizeup doctor: whether everything that answers rest on works here."""

from __future__ import annotations

from sizeup.errors import Unavailable

from .verb import Asked, Verb


def doctor(asked: Asked) -> None:
    """Print what was looked at; exit 5 when something that answers need does not work."""
    from sizeup.doctor import examine
    from sizeup.render.doctor import doctor as render
    from sizeup.render.doctor import said

    checks = examine()
    if asked.json:
        asked.say_json(
            {"checks": [{"name": c.name, "state": c.state, **c.values, "said": said(asked.page, c), "try": c.hint} for c in checks]}
        )
    else:
        asked.say(render(asked.page, checks))
    if any(check.state == "bad" for check in checks):
        raise SystemExit(Unavailable.exit_code)


command = Verb("doctor", doctor, [])
