"""sizeup fit MODEL: does it fit, part by part, how fast, and what to type."""

from __future__ import annotations

import sys
from typing import Any

from sizeup.errors import DOES_NOT_FIT, UserError

from .settings import Count, find_machine, model_arguments, plan_options, read_model, settings
from .verb import WHY_ALL, Asked, Option, Verb


def fit(asked: Asked, models: tuple[str, ...], together: bool, front: bool, **chosen: Any) -> None:
    """Print the best plan for this model and machine; exit 3 when none fits."""
    if together:
        side_by_side(asked, models, chosen)
        return
    if len(models) > 1:
        raise UserError(f"fit is about one model, not {len(models)}.", "--together for all of them at once, or sizeup compare")
    (model,) = models
    from sizeup import remedies, search

    spec = read_model(model, chosen["assume"])
    machine = find_machine(chosen["on"], chosen["ram"])
    if front:
        tell_front(asked, spec, machine, chosen)
        return
    plans = search.fit(
        spec,
        machine,
        engine=chosen["engine"],
        quant=chosen["quant"],
        context_tokens=chosen["context"],
        users=chosen["users"],
        **settings(chosen),
    )
    plan = plans[0] = backed(plans[0])
    if asked.why is not None:
        from sizeup.derivation import explain

        derivation = explain(plan, None if asked.why == WHY_ALL else asked.why, asked.page.texts.language, asked.page.units)
        if asked.json:
            asked.say_json(derivation.to_json())
        else:
            asked.say(derivation.text(asked.page) + "\n")
        return
    nearest = [] if plan.fits else remedies.nearest(spec, plan)
    longest = search.longest_context(plan) if plan.fits else None
    if asked.json:
        from sizeup.api import fit_json

        content = fit_json(plans, nearest, longest)
        asked.say_json({**content, "proof": proof_of(plan)} if chosen["prove"] else content)
    else:
        from sizeup import render

        asked.say(render.fit(asked.page, plan, plans[1:], nearest, longest))
        if chosen["prove"] or (chosen["prove"] is None and sys.stdout.isatty()):
            tell_proof(asked, plan)
    if not plan.fits:
        raise SystemExit(DOES_NOT_FIT)


def tell_front(asked: Asked, spec: Any, machine: Any, chosen: dict[str, Any]) -> None:
    """Print every way to run the model that no other beats in everything; exit 3 when none fits."""
    from sizeup.search import frontier

    contexts = [chosen["context"]] if chosen["context"] else None
    found = frontier(
        spec, machine, engine=chosen["engine"], quant=chosen["quant"], contexts=contexts, users=chosen["users"], **settings(chosen)
    )
    if asked.json:
        from sizeup.api import choice_json

        asked.say_json({"model": spec.name, "machine": machine.name, "front": [choice_json(one) for one in found]})
    else:
        from sizeup.render.front import front as render

        asked.say(render(asked.page, spec, machine, found))
    if not found:
        raise SystemExit(DOES_NOT_FIT)


def side_by_side(asked: Asked, models: tuple[str, ...], chosen: dict[str, Any]) -> None:
    """Print how several models share a machine; exit 3 when they are not all loaded at once."""
    from sizeup import render
    from sizeup.footprint import footprint
    from sizeup.together import together

    specs = [name if footprint(name) else read_model(name, chosen["assume"]) for name in models]
    machine = find_machine(chosen["on"], chosen["ram"])
    found = together(specs, machine, quant=chosen["quant"], context_tokens=chosen["context"])
    if asked.json:
        from sizeup.api import together_json

        asked.say_json(together_json(found))
    else:
        asked.say(render.together(asked.page, machine, found))
    if not found.fits:
        raise SystemExit(DOES_NOT_FIT)


def backed(plan: Any) -> Any:
    """The plan with the proofs, rehearsals and runs of these very settings that this machine keeps."""
    from sizeup.home import data_dir

    # Most answers have nothing to look up, and the database's module costs a tenth of the start.
    if not (data_dir() / "sizeup.db").exists():
        return plan
    from dataclasses import replace

    from sizeup import store

    return replace(plan, evidence=store.evidence(plan.model.name, plan.quant, plan.settings_json()))


def tell_proof(asked: Asked, plan: Any) -> None:
    """Below the answer, what the embedded engine itself says to it; nothing where there is none or it has no such device."""
    from sizeup import render, search
    from sizeup.errors import SizeupError
    from sizeup.ghost.prove import prove

    try:
        found = prove(plan)
        search.remember(plan, found)
    except SizeupError:
        return
    asked.say(render.proof_line(asked.page, found) + "\n")


def proof_of(plan: Any) -> dict[str, Any] | None:
    """The proof for programs; None where the engine cannot plan it."""
    from sizeup.api import proof_json
    from sizeup.errors import SizeupError
    from sizeup.ghost.prove import prove

    try:
        return proof_json(prove(plan))
    except SizeupError:
        return None


command = Verb(
    "fit",
    fit,
    [
        model_arguments(),
        *plan_options(),
        Option(["--together"], is_flag=True),
        Option(["--front"], is_flag=True),
        Option(["--users"], type=Count(), metavar="N"),
        Option(["--prove/--no-prove"], default=None),
    ],
)
