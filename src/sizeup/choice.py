"""One way to run a model that fits, by what people weigh: quality kept, pace, wait, context, room."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import worth
from .errors import NotFound
from .facts import data_json
from .model import ModelSpec
from .placements import Spot
from .plan import Breakdown
from .quality import kept
from .trial import Trial


class Choice(NamedTuple):
    """A placement with its figures. They are final when its trial is exact; otherwise rather too good."""

    spot: Spot
    kept: float
    """Share of the model's quality that the mix and the cache's types keep, the middle of its interval."""
    tokens_per_s: float | None
    """Decoding, as each conversation sees it; None where nobody can know."""
    first_token_s: float | None
    """Wait for the first token of a prompt of preference.json's length."""
    departures: int
    """Settings that are not the engine's default."""
    worth: float
    """What the recommended one has most of."""

    @property
    def trial(self) -> Trial:
        return self.spot.trial

    @property
    def context_tokens(self) -> int:
        """That each conversation has."""
        return int(self.trial.settings.context_tokens) // int(self.trial.settings.sequences)

    @property
    def room_bytes(self) -> int:
        """Left free in all pools together."""
        return sum(self.trial.free_bytes.values())

    @property
    def goals(self) -> tuple[float, ...]:
        """Quality, speed, wait, context and room, each the larger the better."""
        wait = -1e9 if self.first_token_s is None else -self.first_token_s
        return self.kept, self.tokens_per_s or 0.0, wait, float(self.context_tokens), float(self.room_bytes)


def choice(spot: Spot) -> Choice:
    """A placement with its speeds; quality as one share."""
    settings, rule = spot.trial.settings, data_json("preference.json")
    # Without claims nothing waits for a disk: what fits never does, and the others are not asked.
    run = spot.trial.run()._replace(breakdown=Breakdown(()))
    sequences = int(settings.sequences)
    prompt = min(rule["wait"]["prompt_tokens"], int(settings.context_tokens) // sequences)
    decode, prefill = run.decode(0, sequences), run.prefill(prompt)
    each = decode.tokens_per_s / sequences if decode else None
    first = prompt / prefill.tokens_per_s + 1 / each if prefill and each else None
    # No prompt is read slower than an answer is written.
    wait = first if first is not None or not each else prompt / each
    share, changed = kept_share(spot.trial.model, spot.trial.quant, settings), departures(settings)
    # Where a batch's speed is not known: no batch is slower than its sequences one after another.
    alone = run.decode(0) if each is None and sequences > 1 else None
    sure = alone.tokens_per_s / sequences if alone else each
    value = share * worth.pace(sure) * worth.wait(wait) * float((1 - rule["departure"]["share"]) ** changed)
    return Choice(spot, share, each, first, changed, value)


def kept_share(model: ModelSpec, quant: str | None, settings: Any) -> float:
    """The middle of the share of quality kept; 1 for a mix of which nobody knows it, as for a file with types of its own."""
    try:
        return kept(model, quant, getattr(settings, "k", "f16"), getattr(settings, "v", "f16")).share
    except NotFound:
        return 1.0


def departures(settings: Any) -> int:
    """Settings that differ from the engine's defaults and that a person would have to understand; placement is none."""
    usual, names = type(settings)(), ("k", "flash_attention", "micro_batch_tokens", "repack")
    return sum(getattr(settings, name) != getattr(usual, name) for name in names if hasattr(settings, name))
