"""A shrunk shape as a ghost: written, proved or rehearsed by the engine as any model is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sizeup.engines import engine as find_engine
from sizeup.errors import Unavailable, UserError
from sizeup.ghost.prove import prove
from sizeup.ghost.rehearse import rehearse
from sizeup.ghost.write import ghost_header
from sizeup.memory import make_settings
from sizeup.plan import Measurement, Plan
from sizeup.probe import machine
from sizeup.trial import make_plan

from .weigh import ENGINE, Outcome


def written(outcome: Outcome, path: Path) -> int:
    """Write a GGUF of holes with this shape and these types, and return the size that it seems to have. Never overwrites a file."""
    check(outcome)
    raw, size = ghost_header(outcome.form.model, outcome.form.dense, tokenizer=True)
    try:
        with path.open("xb") as file:
            file.write(raw)
            file.truncate(size)
    except FileExistsError:
        raise UserError(f"{path} exists already.", "--ghost FILE with a new name") from None
    except OSError as error:
        raise Unavailable(
            f"The ghost cannot be written to {path}: {error.strerror or error}.", "--ghost FILE in a folder of yours"
        ) from None
    return size


def proved(outcome: Outcome) -> tuple[Plan, Measurement]:
    """The plan on this machine's processor, and what the embedded engine would allocate for it."""
    plan = planned(outcome)
    return plan, prove(plan)


def rehearsed(outcome: Outcome, **asked: Any) -> tuple[Plan, Measurement]:
    """The same plan, really run with made-up weights; `asked` as for `sizeup.rehearse`."""
    plan = planned(outcome)
    return plan, rehearse(plan, **asked)


def planned(outcome: Outcome) -> Plan:
    """The shrunk model on this machine's processor, at the context that was asked about."""
    check(outcome)
    assert outcome.plan is not None
    box, engine, form = machine(), find_engine(ENGINE), outcome.form
    given = {"context_tokens": outcome.plan.settings.context_tokens, "k": form.k, "v": form.v, "gpu_layers": 0}
    return make_plan(form.model, box, engine, form.quant, engine.on(make_settings(engine.Settings, ENGINE, given), box, given))


def check(outcome: Outcome) -> None:
    """Raises UserError for what llama.cpp has no file for, Refused for shapes that it does not load."""
    if outcome.refusal is not None:
        raise outcome.refusal
    if not outcome.form.runnable:
        raise UserError(
            "llama.cpp has no file for what these techniques store.", "--ghost with --quant, --layers, --hidden, --heads or --experts"
        )
