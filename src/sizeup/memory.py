"""What a model takes under an engine's rules: the public `account`."""

from __future__ import annotations

import dataclasses
from typing import Any

from .engines import engine as find_engine
from .model import ModelSpec
from .plan import Breakdown
from .settable import unknown


def account(model: ModelSpec | str, engine: str = "llama.cpp", quant: str | None = None, **settings: Any) -> Breakdown:
    """Bytes per part and pool for `model` under `engine` with these settings (the fields of the engine's Settings).

    `quant` names a mix (`Q4_K_M`) for a model without stored weights; None keeps what the file stores.
    Raises UserError for a setting the engine does not know, Refused when the engine would not start.
    """
    if isinstance(model, str):
        from .readers import read

        model = read(model)
    chosen = find_engine(engine)
    return chosen.account(model, quant, make_settings(chosen.Settings, engine, settings))


def make_settings(kind: type, engine: str, given: dict[str, Any]) -> Any:
    """An engine's settings from keywords; an unknown one is an error that names the nearest."""
    known = [field.name for field in dataclasses.fields(kind)]
    for name in given:
        if name not in known:
            raise unknown(engine, name, known)
    return kind(**given)
