"""installed: the models that are already on this machine, in the stores of every tool and in folders that are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .kinds import COUNT, FILE, choice
from .operation import Ask, Operation
from .parameter import Parameter, Values
from .shared import ENGINE

if TYPE_CHECKING:
    from sizeup.api.installed import InstalledJson
    from sizeup.installed.judged import Installed


class Here(NamedTuple):
    """What is on this machine."""

    found: Installed
    met: bool = True

    def to_json(self) -> InstalledJson:
        from sizeup.api.installed import installed_json

        return installed_json(self.found)


def installed(ask: Ask, values: Values, tell: Callable[[int, int, str], None] = lambda done, whole, name: None) -> Here:
    """Every model that is here. A server looks only where it reads files for others, and keeps no measured rate."""
    from sizeup.installed.entry import STORES
    from sizeup.installed.judged import installed as look

    writes = ask.world.stores()
    found = look(
        ask.world.machine(),
        stores=(values["store"],) if values["store"] else STORES,
        folders=[Path(ask.world.file(folder)).expanduser() for folder in values["in"]],
        context_tokens=values["context"],
        engine=values["engine"],
        measure=writes,
        ask=writes,
        tell=tell,
    )
    return Here(found)


OF_STORES = (
    Parameter("in", FILE, key="in_folder", shown="FOLDER", many=True),
    Parameter("store", choice("ollama", "lmstudio", "hub", "llama.cpp", "folder"), shown="NAME"),
)
INSTALLED = Operation("installed", (*OF_STORES, Parameter("context", COUNT, shown="TOKENS", least=1), ENGINE), installed, tool=False)
