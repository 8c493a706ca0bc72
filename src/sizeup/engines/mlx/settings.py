"""mlx-lm's own settings: the keywords that `sizeup.account(engine="mlx")` takes, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UserError
from ...settable import one_of
from ..asked import check_choices, check_count


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to start mlx-lm. Counts may be figures; everything else is a flag or a word."""

    context_tokens: int = 8192
    """Tokens that all sequences together hold at the end."""
    sequences: int = 1
    """Requests decoded together; more than one needs the server."""
    prompt_tokens: int | None = None
    """Tokens of each sequence that are its prompt; None: the whole context, the most there can be."""
    prefill_tokens: int = 2048
    """Tokens of a prompt read at once (`--prefill-step-size`)."""
    kv_bits: int = one_of(0, 2, 4, 8)
    """Bits of a quantised cache (`--kv-bits`), of the widths in which it can also grow; 0 keeps it as it is."""
    kv_group: int = one_of(64, 32, 128)
    """Values that share a scale and a bias in it (`--kv-group-size`)."""
    kv_start: int = 5000
    """Tokens from which the cache is quantised (`--quantized-kv-start`)."""
    server: bool = False
    """`mlx_lm.server` instead of `mlx_lm.generate`."""
    prompt_caches: int | None = None
    """Caches of earlier prompts that the server keeps (`--prompt-cache-size`); None: its default, none without a server."""
    pool: str = one_of("unified", "ram")
    """"unified" memory of a Mac, or "ram"."""
    wired_limit_bytes: int | None = None
    """What macOS lets the GPU hold (Metal's max_recommended_working_set_size); None when nobody says."""

    def __post_init__(self) -> None:
        for name, least in (("context_tokens", 1), ("sequences", 1), ("prefill_tokens", 1), ("kv_start", 0)):
            check_count(name, getattr(self, name), least)
        for name in ("prompt_tokens", "prompt_caches"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), 1 if name == "prompt_tokens" else 0)
        if not isinstance(self.server, bool):
            raise UserError(f"server = {self.server!r} is neither on nor off.", "server=True or server=False")
        check_choices(self)
