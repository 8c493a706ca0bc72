"""What a fleet has to serve: a model, how much of it is asked for, and how fast it must answer."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UserError
from ..facts import data_json
from ..model import ModelSpec

FACTS = "fleet_plan.json"
ROUND_TOKENS = 256
CACHE_TYPES = ("auto", "bfloat16", "fp8")
ANY = "any"
"""As a quantisation: whatever serves the load with the least, the checkpoint's own first."""


@dataclass(frozen=True, slots=True)
class Target:
    """One model under load. Lengths are means; goals are for the mean time between tokens and the 90th percentile of the first one."""

    model: ModelSpec
    users: float | None = None
    """People who ask again as soon as their answer is complete; None where requests come by themselves."""
    requests_per_s: float | None = None
    prompt_tokens: int = 1000
    answer_tokens: int = 250
    first_token_s: float = 2.0
    token_s: float = 0.05
    quant: str | None = None
    """None: as the checkpoint is; ANY: the cheapest."""
    engine: str | None = None
    context_tokens: int | None = None
    """The longest request that the server accepts; None for twice the mean."""
    cache_type: str = "auto"
    expert_parallel: bool = False
    """Whole experts on a rank wherever the engine can, instead of a part of each."""

    def __post_init__(self) -> None:
        if (self.users is None) == (self.requests_per_s is None):
            raise UserError(
                f"For {self.model.name} either users or requests a second have to be said, and one of them only.",
                "--users 100",
            )
        for name, number in (
            ("users" if self.users is not None else "requests_per_s", self.load),
            ("prompt_tokens", self.prompt_tokens),
            ("answer_tokens", self.answer_tokens),
            ("ttft", self.first_token_s),
            ("tpot", self.token_s),
        ):
            if not 0 < number < 1e12:
                raise UserError(f"{name} = {number:g} makes no load.", f"{name} = 1")
        if self.cache_type not in CACHE_TYPES:
            raise UserError(f"cache_type = “{self.cache_type}” is no type of cache that both servers have.", ", ".join(CACHE_TYPES))
        most = self.model.context_tokens
        if most and self.mean_tokens > most:
            raise UserError(
                f"A request of {self.mean_tokens:,} tokens is longer than the context of {self.model.name}, {most:,}.",
                f"--prompt-tokens {max(1, most - self.answer_tokens)}",
            )
        if self.context_tokens is not None and self.context_tokens < self.mean_tokens:
            raise UserError(
                f"--context {self.context_tokens:,} is shorter than the mean request of {self.mean_tokens:,} tokens.",
                f"--context {self.length_for(self.mean_tokens)}",
            )

    @property
    def load(self) -> float:
        """Users, or requests a second."""
        return float(self.users if self.users is not None else self.requests_per_s or 0)

    @property
    def mean_tokens(self) -> int:
        """Tokens of a mean request when its answer is complete."""
        return self.prompt_tokens + self.answer_tokens

    @property
    def length(self) -> int:
        """Tokens of the longest request that the server accepts."""
        if self.context_tokens is not None:
            return self.context_tokens
        return self.length_for(self.mean_tokens * int(data_json(FACTS)["longest_over_mean"]["times"]))

    def length_for(self, tokens: int) -> int:
        """So many tokens, rounded up, and no more than the model was made for."""
        return min(-(-tokens // ROUND_TOKENS) * ROUND_TOKENS, self.model.context_tokens or 1 << 40)
