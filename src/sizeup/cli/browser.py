"""sizeup browser: which browsers can run a model inside a page, or which share of one's visitors."""

from __future__ import annotations

from sizeup.operations.browser import BROWSER, Browsers, Visitors

from .settings import verb
from .verb import Asked


def tell(asked: Asked, answer: Browsers | Visitors) -> None:
    """Print the table of browsers, or the shares of an audience."""
    from sizeup.render import browser as draw

    name, builds = answer.spec.name, answer.builds
    if isinstance(answer, Visitors):
        asked.say(draw.visitors(asked.page, name, builds, answer.audience, answer.tokens_per_s, answer.rows))
    else:
        asked.say(draw.browsers(asked.page, name, builds, answer.rows))


command = verb(BROWSER, tell)
