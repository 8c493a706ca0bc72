"""What a person asks of a model beside quality: task, context, pace, licence, language, modality, age."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .errors import UserError, close_names
from .facts import data_json
from .mixes import mix as mix_of
from .quality import check_task
from .shortlist import Listed, listed


class Wishes(NamedTuple):
    """None is no wish."""

    task: str = "chat"
    context_tokens: int = 8192
    quant: str | None = None
    slowest_tokens_per_s: float | None = None
    license: str | None = None
    language: str | None = None
    modality: str | None = None
    newer_than: str | None = None

    def checked(self) -> Wishes:
        """The same as the catalogue writes it; raises UserError or NotFound for what makes no sense."""
        check_task(self.task)
        if self.context_tokens < 1:
            raise UserError(f"context_tokens must be at least 1, not {self.context_tokens}.", "context_tokens=8192")
        if self.slowest_tokens_per_s is not None and self.slowest_tokens_per_s < 0:
            raise UserError(f"A pace of {self.slowest_tokens_per_s:g} tokens per second is below nothing.", "10")
        return self._replace(
            quant=recommended(self.quant) if self.quant else None,
            license=licence(self.license) if self.license else None,
            language=language(self.language) if self.language else None,
            modality=modality(self.modality) if self.modality else None,
            newer_than=day(self.newer_than) if self.newer_than else None,
        )

    def floor(self) -> float:
        """The pace below which a model is left out."""
        asked = self.slowest_tokens_per_s
        return float(data_json("ranking.json")["slowest_tokens_per_s"] if asked is None else asked)

    def each_dropped(self) -> Iterator[tuple[str, Wishes]]:
        """(name of a wish, the wishes without it), for every wish that was made."""
        dropped: dict[str, dict[str, Any]] = {
            "slowest": {"slowest_tokens_per_s": 0.0},
            "context": {"context_tokens": min(self.context_tokens, 2048)},
            "quant": {"quant": None},
            "license": {"license": None},
            "language": {"language": None},
            "modality": {"modality": None},
            "newer_than": {"newer_than": None},
        }
        for name, change in dropped.items():
            without = self._replace(**change)
            if without != self:
                yield name, without

    def bare(self) -> Wishes:
        """Only the task, at a short context and any pace."""
        return Wishes(self.task, min(self.context_tokens, 2048), slowest_tokens_per_s=0.0)


def eligible(model: Listed, wishes: Wishes) -> bool:
    """Whether a model may be offered at all: made for answering, used by people, and as wished."""
    return offered(model.id, wishes.task) and all(
        (
            _long_enough(model, wishes.context_tokens),
            _licensed(model, wishes.license),
            _speaks(model, wishes.language),
            _sees(model, wishes),
            wishes.newer_than is None or str(model.facts["date"] or "") >= day(wishes.newer_than),
        )
    )


@functools.lru_cache(maxsize=4096)
def offered(id: str, task: str) -> bool:
    """Whether anybody uses this model for what the task asks."""
    rule, model = data_json("ranking.json"), _by_id()[id]
    words = set(re.split(r"[-_.0-9/]+", id.rpartition("/")[2].lower())) | set(re.split(r"[-_./]+", id.rpartition("/")[2].lower()))
    special = set(rule["special"].get(task, ()))
    encodes = model.facts["modality"] == "text-encoder"
    if task == "embedding":
        return (encodes or not words.isdisjoint(special)) and (model.facts["downloads"] or 0) >= rule["fewest_downloads"]
    if encodes or model.facts["base"] or not words.isdisjoint(set(rule["skip_words"]) - special):
        return False
    if str(model.facts["date"] or rule["oldest"]) < rule["oldest"]:
        return False
    if model.facts["coder"] and task not in rule["coder_tasks"]:
        return False
    downloads = model.facts["downloads"]
    return model.facts["maker"] in rule["known_makers"] if downloads is None else downloads >= rule["fewest_downloads"]


@functools.cache
def _by_id() -> dict[str, Listed]:
    return {model.id: model for model in listed()}


def _long_enough(model: Listed, context_tokens: int) -> bool:
    return context_tokens <= 8192 or (model.facts["context"] or 0) >= context_tokens


def _licensed(model: Listed, wanted: str | None) -> bool:
    if wanted is None:
        return True
    name = str(model.facts["license"] or "").lower()
    return name in data_json("ranking.json")["permissive"] if wanted.lower() == "permissive" else name == wanted.lower()


def _speaks(model: Listed, wanted: str | None) -> bool:
    """As its makers state it, by family, else by maker; who states nothing is taken to speak English alone."""
    if wanted is None:
        return True
    return wanted in languages(model.facts["family"], model.facts["maker"])


def languages(family: str, maker: str) -> tuple[str, ...]:
    """Codes of the languages that a family is stated to be made for; "*" stands for some hundred."""
    rows = data_json("quality/languages.json")["stated"]
    found = next((row["languages"] for row in rows if row.get("family") == family), None)
    found = found or next((row["languages"] for row in rows if row.get("maker") == maker), ["en"])
    return tuple(data_json("quality/languages.json")["many"] if found == ["*"] else found)


def language(wanted: str) -> str:
    """The code itself, without its region; raises UserError for what no model is stated to speak."""
    code = wanted.lower().replace("_", "-").partition("-")[0]
    known = data_json("quality/languages.json")["many"]
    if code not in known:
        raise UserError(f"No language of the catalogue has the code “{wanted}”.", ", ".join(known[:8]))
    return code


def _sees(model: Listed, wishes: Wishes) -> bool:
    needs = data_json("quality/tasks.json")["tasks"][wishes.task].get("needs", "")
    wanted = [word for word in (wishes.modality, needs) if word and word != "encoder"]
    return all(word in str(model.facts["modality"]).split("+") for word in wanted)


def recommended(wanted: str) -> str:
    """The mix itself; raises UserError for one that no ranking is made of, NotFound for none at all."""
    name = mix_of(wanted).name
    known = [*data_json("recommended_mixes.json")["by_quality"], "MXFP4_MOE"]
    if name not in known:
        raise UserError(f"Models are not ranked in {name}.", ", ".join(known))
    return name


def modality(wanted: str) -> str:
    """ "image", "audio" or "text" from a person's word; raises UserError for another."""
    names = {
        "image": "image",
        "images": "image",
        "vision": "image",
        "picture": "image",
        "audio": "audio",
        "speech": "audio",
        "text": "text",
    }
    if wanted.lower() not in names:
        raise UserError(f"No model of the catalogue is made for “{wanted}”.", "vision, audio, text")
    return names[wanted.lower()]


def licence(wanted: str) -> str:
    """The licence as the catalogue writes it; raises UserError with those there are."""
    known = sorted({str(model.facts["license"]).lower() for model in listed() if model.facts["license"]})
    if wanted.lower() not in ("permissive", *known):
        near = close_names(wanted.lower(), known, 3, 0.7)
        raise UserError(f"No model of the catalogue has the licence “{wanted}”.", ", ".join(near) or "permissive, apache-2.0, mit")
    return wanted.lower()


def day(text: str) -> str:
    """A date, a month or a year as ISO; raises UserError for anything else."""
    try:
        datetime.date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        raise UserError(f"“{text}” is not a date.", "2026, 2026-03 or 2026-03-15") from None
    return text
