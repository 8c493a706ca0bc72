"""How fast: rates as intervals, and the seconds and joules that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from ..facts import data_json


@dataclass(frozen=True, slots=True)
class Speed:
    """A rate with its 80 % interval and what binds it; `source` says how it is known."""

    tokens_per_s: float
    lower: float
    upper: float
    bound_by: str
    basis: str = ""
    """In a few words: the figures it rests on ("12 GB/s, measured here")."""


@dataclass(frozen=True, slots=True)
class SpeedEstimate:
    """Prefill and decode are two tasks; None where nobody can know."""

    prefill: Speed | None
    """Reading a prompt into an empty context."""
    decode: Speed | None
    """Writing over an almost empty context, of all sequences together."""
    load_s: float | None = None
    """Seconds from a cold disk."""
    full: Speed | None = None
    """Decoding when the context is full."""
    watts: float | None = None
    """Power that the devices which compute are designed for; None when nobody says of one."""

    def first_token_s(self, prompt_tokens: int) -> tuple[float, float, float] | None:
        """Least, likely and most seconds until the first token of an answer to so long a prompt; None where nobody can know."""
        if self.prefill is None or self.decode is None:
            return None
        rates = [
            (self.prefill.upper, self.decode.upper),
            (self.prefill.tokens_per_s, self.decode.tokens_per_s),
            (self.prefill.lower, self.decode.lower),
        ]
        least, likely, most = (prompt_tokens / prefill + 1 / decode for prefill, decode in rates)
        return least, likely, most

    def turn_s(self, prompt_tokens: int, answer_tokens: int) -> tuple[float, float, float] | None:
        """Least, likely and most seconds of a whole turn: the prompt read and the answer written."""
        first = self.first_token_s(prompt_tokens)
        if first is None or self.decode is None:
            return None
        rates = (self.decode.upper, self.decode.tokens_per_s, self.decode.lower)
        least, likely, most = (start + max(answer_tokens - 1, 0) / rate for start, rate in zip(first, rates, strict=True))
        return least, likely, most

    def joules(self, tokens: int = 1000) -> tuple[float, float] | None:
        """Least and most energy to decode so many tokens; None when the power is not known.

        While decoding, which waits for memory, devices take an assumed share of the power they are designed for.
        """
        if self.watts is None or self.decode is None:
            return None
        share = data_json("host_rates.json")["power_while_decoding"]
        return tokens / self.decode.upper * self.watts * share["low"], tokens / self.decode.lower * self.watts * share["high"]
