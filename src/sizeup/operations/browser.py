"""browser: which browsers can download and run a model inside a page, in which engine, how fast; or which share of an audience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sizeup.errors import UserError

from .kinds import FILE, NUMBER
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import ASSUME, MODEL_ARGUMENT, QUANT

if TYPE_CHECKING:
    from sizeup.browser.audience import Audience
    from sizeup.browser.classes import Typical
    from sizeup.browser.model import Model
    from sizeup.browser.shares import Reach
    from sizeup.browser.verdict import Verdict
    from sizeup.model import ModelSpec


class Browsers(NamedTuple):
    """A model in typical browsers: a verdict for each engine that has a build."""

    spec: ModelSpec
    builds: list[Model]
    rows: list[tuple[Typical, list[Verdict]]]

    @property
    def met(self) -> bool:
        """Whether any typical browser may run it."""
        return any(verdict.answer in ("yes", "maybe") for _, verdicts in self.rows for verdict in verdicts)

    def to_json(self) -> dict[str, Any]:
        from sizeup.api import browsers_json

        return browsers_json(self.spec, self.builds, self.rows)


class Visitors(NamedTuple):
    """A model and an audience."""

    spec: ModelSpec
    builds: list[Model]
    audience: Audience
    tokens_per_s: float
    rows: tuple[Reach, ...]

    @property
    def met(self) -> bool:
        """Whether any visitor may run it."""
        return any(row.load.possible > 0 for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        from sizeup.api import visitors_json

        return visitors_json(self.spec, self.builds, self.audience, self.tokens_per_s, self.rows)


def browser(ask: Ask, values: Values) -> Browsers | Visitors:
    """A model's builds judged for typical browsers, or for the rows of an audience file."""
    from sizeup.browser.describe import builds
    from sizeup.browser.limits import engine, engines

    if values["slowest"] <= 0:
        raise UserError(f"--slowest = {values['slowest']:g} is not above 0.", "--slowest 5")
    # The browser's own model is not the one that was asked for, unless it is asked for by its engine.
    wanted = [engine(values["engine"])] if values["engine"] else [one for one in engines().values() if one.id != "builtin"]
    spec = ask.world.model(values["model"], values["assume"])
    found = [build for build in builds(spec, values["quant"], wanted) if build.kind == "chat"]
    if values["audience"] is not None:
        from sizeup.browser.audience import read_audience
        from sizeup.browser.shares import reach

        audience = read_audience(ask.world.file(values["audience"]))
        return Visitors(spec, found, audience, values["slowest"], reach(found, audience, values["slowest"]))
    from sizeup.browser.classes import typical
    from sizeup.browser.shares import best

    names = list(dict.fromkeys(build.engine for build in found))
    rows = [(one, [best([b for b in found if b.engine == name], one.device) for name in names]) for one in typical()]
    return Browsers(spec, found, rows)


BROWSER = Operation(
    "browser",
    (
        MODEL_ARGUMENT,
        Parameter("engine", key="browser_engine", shown="NAME"),
        Parameter("quant", key="browser_quant", shown=QUANT.shown),
        Parameter("audience", FILE, shown="FILE"),
        Parameter("slowest", NUMBER, 5.0, key="browser_slowest", shown="TOK/S"),
        ASSUME,
    ),
    browser,
)
