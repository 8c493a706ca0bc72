"""transformers' own settings: the keywords that `sizeup.account(engine="transformers")` takes, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import UserError
from ...settable import one_of
from ..asked import check_choices, check_count


@dataclass(frozen=True, slots=True)
class Settings:
    """One way to load a model and to generate. Counts may be figures; everything else is a word."""

    context_tokens: int = 8192
    """Tokens that all sequences of the batch together hold at the end."""
    sequences: int = 1
    """Rows of the batch."""
    prompt_tokens: int | None = None
    """Tokens of each row that are read in one forward pass; None: the whole context, the most there can be."""
    cache: str = one_of("dynamic", "static")
    """"dynamic": grows by concatenation; "static": allocated whole."""
    attention: str = one_of("sdpa", "eager")
    """`attn_implementation`: "sdpa", or "eager", which writes down every score."""
    logits: str = one_of("last", "all")
    """"last": what `generate` keeps of a prompt; "all": a forward pass that asks for nothing less."""
    device_map: str = one_of("auto", "sequential", "fitted", "none")
    """"auto" balances over the GPUs, "sequential" fills one after another, "none" puts everything on the first GPU;
    "fitted" is "sequential" with a `max_memory` that leaves each GPU room for caches and working memory."""
    gpus: int = 0
    """0 leaves GPUs alone."""
    gpu_kind: str = one_of("cuda", "rocm", "metal", "sycl")
    gpu_free_bytes: tuple[int, ...] | None = None
    """Free memory of each GPU when the model is loaded; None: as much as is asked for."""
    ram_free_bytes: int | None = None
    """Available host memory when the model is loaded; None: as much as is asked for."""

    def __post_init__(self) -> None:
        check_count("context_tokens", self.context_tokens, 1)
        check_count("sequences", self.sequences, 1)
        check_count("gpus", self.gpus, 0, 256)
        if self.prompt_tokens is not None:
            check_count("prompt_tokens", self.prompt_tokens, 1)
        check_choices(self)
        if self.gpu_free_bytes is not None and len(self.gpu_free_bytes) != self.gpus:
            raise UserError(
                f"gpu_free_bytes needs one number for each GPU ({self.gpus}); it has {len(self.gpu_free_bytes)}.", "one number per GPU"
            )
