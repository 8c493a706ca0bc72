"""Which file of which repository: the quantization that the plan for a machine chooses, among what is really published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sizeup.errors import NotFound, Unavailable
from sizeup.hardware import Machine
from sizeup.model import ModelSpec
from sizeup.net import Kept
from sizeup.plan import Plan
from sizeup.readers import gguf_files, hub, ollama
from sizeup.readers.gguf_files import SPELLINGS, GgufModel
from sizeup.readers.hub_list import Repository, repository
from sizeup.search import fit

PUBLISHERS = ("ggml-org", "lmstudio-community", "unsloth", "bartowski")
"""Whose conversions are looked at first, behind the model's own makers."""
MOST_REPOSITORIES = 5
MOST_HEADERS = 4
"""Quantizations of an unknown model whose headers are read until one fits."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to pull, and why it."""

    repo: Repository
    model: GgufModel
    plan: Plan | None
    """The plan for it on the machine; None where nothing was planned."""
    why: str
    """asked, plan (the best plan's), published (the best of what is published), usual, smaller, unfit."""
    wished: str = ""
    """The quantization of the best plan, where it is another one."""


def of_catalogue(kept: Kept, spec: ModelSpec, machine: Machine, quant: str | None) -> Choice:
    """The best plan's file, looked for in the repositories that the catalogue names."""
    plans = fit(spec, machine, quant=quant)
    if quant is None:
        plans = [plan for plan in plans if plan.fits] or plans[:1]
    found: list[tuple[int, Repository, GgufModel]] = []
    for id in repositories(spec)[:MOST_REPOSITORIES]:
        try:
            repo = repository(kept, id)
        except (NotFound, Unavailable) as error:
            if type(error) is Unavailable and not found and "cannot be reached" in error.message:
                raise
            continue
        at, model = _first(plans, gguf_files.models(repo))
        if model is not None:
            found.append((at, repo, model))
            if at == 0:
                break
    if not found:
        wanted = quant or plans[0].quant
        raise NotFound(
            f"No repository that the catalogue knows publishes {spec.name} as {wanted}.",
            f"sizeup pull {spec.name} --for hf, or ORG/NAME-GGUF",
        )
    at, repo, model = min(found, key=lambda row: row[0])
    plan = plans[at]
    why = "asked" if quant is not None or spec.mix else "plan" if at == 0 else "published"
    return Choice(repo, model, plan, why if plan.fits else "unfit", plans[0].quant if at else "")


def _first(plans: Sequence[Plan], models: Sequence[GgufModel]) -> tuple[int, GgufModel | None]:
    """The best plan that a repository has a file for: its place, and the file."""
    for at, plan in enumerate(plans):
        for model in models:
            if model.quant == SPELLINGS.get(plan.quant.upper(), plan.quant.upper()):
                return at, model
    return len(plans), None


def repositories(spec: ModelSpec) -> list[str]:
    """Repositories with GGUF files of a catalogue model: its makers' first, then those that many people use."""
    ids = list(dict.fromkeys(str(row["repo"]) for row in spec.card.get("gguf", ()) if row.get("repo")))
    owner = str(spec.card.get("id", "")).partition("/")[0].lower()
    order = (owner, *PUBLISHERS)

    def rank(id: str) -> int:
        publisher = id.partition("/")[0]
        return order.index(publisher) if publisher in order else 0 if publisher.lower() == owner else len(order)

    return sorted(ids, key=rank)


def of_repository(kept: Kept, repo: Repository, machine: Machine, quant: str | None, file: str | None, known: ModelSpec | None) -> Choice:
    """A file of this very repository: the one that is named, else the plan's for a known model, else the usual one that fits."""
    if quant is not None or file is not None:
        model = gguf_files.chosen(repo, quant, file)
        plan = fit(hub.read_gguf(kept, repo, model), machine)[0]
        return Choice(repo, model, plan, "asked" if plan.fits else "unfit")
    models = gguf_files.models(repo)
    if known is not None:
        plans = [plan for plan in fit(known, machine) if plan.fits]
        at, found = _first(plans, models)
        if found is not None:
            return Choice(repo, found, plans[at], "plan" if at == 0 else "published", plans[0].quant if at else "")
    model = gguf_files.chosen(repo, None)
    tries = [model, *sorted((m for m in models if _less(m, model)), key=lambda m: -(m.bytes or 0))][:MOST_HEADERS]
    for at, candidate in enumerate(tries):
        plan = fit(hub.read_gguf(kept, repo, candidate), machine)[0]
        if plan.fits:
            return Choice(repo, candidate, plan, "usual" if at == 0 else "smaller", model.quant if at else "")
    return Choice(repo, tries[-1], plan, "unfit")


def _less(one: GgufModel, other: GgufModel) -> bool:
    """Whether a file is smaller by enough to be worth a look."""
    return one.bytes is not None and other.bytes is not None and one.bytes < 0.9 * other.bytes


def ollama_tag(spec: ModelSpec, quant: str) -> str | None:
    """Ollama's tag of a catalogue model in this quantization; None when the catalogue knows none."""
    for row in spec.card.get("ollama", ()):
        tag = _tag(row)
        if tag is not None and tag.quant is not None and tag.quant.upper() == quant.upper():
            return str(row["tag"])
    return None


def _tag(row: dict[str, Any]) -> ollama.Tag | None:
    try:
        return ollama.tag(str(row.get("tag", "")))
    except NotFound:
        return None
